-- Insert-only: what the first vacuum freezes, no later one looks at (autovacuum_freeze_min_age).
CREATE TABLE IF NOT EXISTS read.generation_reserve_{build} (
    position         bigint      PRIMARY KEY,
    reservation_id   text        NOT NULL,
    account_id       text        NOT NULL,
    at               timestamptz NOT NULL,
    key_id           text        NOT NULL,
    amount_nusd      bigint      NOT NULL,
    holds            json        NOT NULL,   -- [[lot, nUSD], ...] in burn order
    granted_tokens   bigint      NOT NULL,
    requested_tokens bigint      NOT NULL,
    deadline_at      timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    requested_model  text        NOT NULL,
    model            text        NOT NULL,
    provider         text        NOT NULL,
    price_version    text        NOT NULL,
    streamed         boolean     NOT NULL,
    app              text        NOT NULL,
    replaces         text        NOT NULL    -- the expired reservation in whose stead a late settle made this one
) WITH (autovacuum_freeze_min_age = 0);
CREATE INDEX IF NOT EXISTS generation_reserve_{build}_id_idx ON read.generation_reserve_{build} (reservation_id);
CREATE INDEX IF NOT EXISTS generation_reserve_{build}_account_idx ON read.generation_reserve_{build} (account_id, position);
CREATE INDEX IF NOT EXISTS generation_reserve_{build}_replaces_idx ON read.generation_reserve_{build} (replaces)
    WHERE replaces <> '';

CREATE TABLE IF NOT EXISTS read.generation_extension_{build} (
    position       bigint      PRIMARY KEY,
    reservation_id text        NOT NULL,
    account_id     text        NOT NULL,
    at             timestamptz NOT NULL,
    added_nusd     bigint      NOT NULL,
    holds          json        NOT NULL
) WITH (autovacuum_freeze_min_age = 0);
CREATE INDEX IF NOT EXISTS generation_extension_{build}_id_idx ON read.generation_extension_{build} (reservation_id);

CREATE TABLE IF NOT EXISTS read.generation_attempt_{build} (
    position       bigint      PRIMARY KEY,
    reservation_id text        NOT NULL,
    account_id     text        NOT NULL,
    at             timestamptz NOT NULL,
    provider       text        NOT NULL,
    error_class    text        NOT NULL,
    status         bigint      NOT NULL,     -- HTTP; 0 if none came
    duration_ms    bigint      NOT NULL
) WITH (autovacuum_freeze_min_age = 0);
CREATE INDEX IF NOT EXISTS generation_attempt_{build}_id_idx ON read.generation_attempt_{build} (reservation_id);

CREATE TABLE IF NOT EXISTS read.generation_end_{build} (
    position               bigint      PRIMARY KEY,
    reservation_id         text        NOT NULL,
    account_id             text        NOT NULL,
    at                     timestamptz NOT NULL,
    status                 text        NOT NULL,   -- settled | released | expired
    reserved_nusd          bigint      NOT NULL,   -- with extensions
    reason                 text        NOT NULL,   -- of a release, rule of an expiry
    cost_nusd              bigint      NOT NULL,   -- taken from lots
    shortfall_nusd         bigint      NOT NULL,
    burnt                  json,                   -- [[lot, nUSD], ...]
    charge_nusd            bigint      NOT NULL,   -- cost + shortfall
    charge_lines           json,                   -- [[unit, quantity, nUSD per 10^6], ...]
    price_version          text        NOT NULL,
    rounding               text        NOT NULL,
    model                  text        NOT NULL,   -- that served
    provider               text        NOT NULL,
    provider_generation_id text        NOT NULL,
    provider_cost_nusd     bigint      NOT NULL,
    usage                  json,                   -- {unit: count}
    finish_reason          text        NOT NULL,
    error_class            text        NOT NULL,
    ttft_ms                bigint      NOT NULL,
    total_ms               bigint      NOT NULL,
    streamed               boolean     NOT NULL,
    estimated              boolean     NOT NULL,
    quarantined            boolean     NOT NULL,
    cancelled              boolean     NOT NULL
) WITH (autovacuum_freeze_min_age = 0);
CREATE INDEX IF NOT EXISTS generation_end_{build}_id_idx ON read.generation_end_{build} (reservation_id);
