CREATE TABLE IF NOT EXISTS read.api_key_{build} (
    key_id         text        PRIMARY KEY,
    account_id     text        NOT NULL DEFAULT '',
    kind           text        NOT NULL DEFAULT '',
    environment    text        NOT NULL DEFAULT '',
    secret_hash    bytea       NOT NULL DEFAULT '',
    secret_version bigint      NOT NULL DEFAULT 0,   -- in the key's stream, of the event that brought the secret
    last4          text        NOT NULL DEFAULT '',
    old_until      timestamptz,                      -- the secret before this one opens until then
    label          bytea       NOT NULL DEFAULT '',  -- sealed under the account's data key
    is_disabled    boolean     NOT NULL DEFAULT false,
    limit_nusd     bigint,
    limit_window   text,
    expires_at     timestamptz,
    is_revoked     boolean     NOT NULL DEFAULT false,
    created_at     timestamptz,
    updated_at     timestamptz,
    position       bigint      NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS api_key_{build}_account_idx ON read.api_key_{build} (account_id);

CREATE TABLE IF NOT EXISTS read.api_key_secret_{build} (
    secret_hash bytea  PRIMARY KEY,                  -- HMAC-SHA256 under the pepper
    key_id      text   NOT NULL DEFAULT '',
    version     bigint NOT NULL DEFAULT 0,
    last4       text   NOT NULL DEFAULT '',
    position    bigint NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS api_key_secret_{build}_key_idx ON read.api_key_secret_{build} (key_id, version);

CREATE TABLE IF NOT EXISTS read.api_key_day_{build} (
    key_id    text   NOT NULL,
    day       date   NOT NULL,                       -- UTC, of the reserve
    requests  bigint NOT NULL DEFAULT 0,
    cost_nusd bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (key_id, day)
) WITH (fillfactor = 70);   -- a page of the log updates today's rows: room for them where they are

CREATE TABLE IF NOT EXISTS read.account_standing_{build} (
    account_id text        PRIMARY KEY,
    state      text        NOT NULL DEFAULT '',
    username   bytea       NOT NULL DEFAULT '',      -- sealed, like email
    email      bytea       NOT NULL DEFAULT '',
    opened_at  timestamptz,
    position   bigint      NOT NULL DEFAULT 0
);
