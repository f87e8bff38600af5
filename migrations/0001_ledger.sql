-- The log and what guards it. Column names and types of stored_events are the eventsourcing library's (9.5), so that its
-- readers, subscriptions and tracking recorders work on our table unchanged; the last three columns are ours.
CREATE SCHEMA ledger;
CREATE SCHEMA content;

CREATE TABLE ledger.stored_events (
    originator_id      text COLLATE "C" NOT NULL,   -- stream, e.g. credit-<account id>
    originator_version bigint           NOT NULL,   -- in its stream, dense from 1
    topic              text             NOT NULL,   -- tag, e.g. credit.reserved.v1
    state              bytea            NOT NULL,   -- JSON
    notification_id    bigint           NOT NULL,   -- position in the log, dense from 1
    recorded_at        timestamptz      NOT NULL,   -- set under the head's lock, never decreases
    command_id         uuid             NOT NULL,
    correlation_id     uuid,
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    -- append-only: never a dead row, so vacuum only freezes; analyze is what keeps plans right
    autovacuum_vacuum_scale_factor = 0.5, autovacuum_vacuum_insert_scale_factor = 0.5, autovacuum_analyze_scale_factor = 0.02
);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON ledger.stored_events (notification_id);

-- The tail of key and account events, polled every 100 ms by every API process: it must not cost what the whole log costs.
CREATE INDEX stored_events_access_idx ON ledger.stored_events (notification_id)
    WHERE topic LIKE 'account.%' OR topic LIKE 'api\_key.%';

-- One row; its lock serialises appenders, so that the order of positions is the order of commits.
CREATE TABLE ledger.head (
    is_only     boolean     PRIMARY KEY DEFAULT true CHECK (is_only),
    position    bigint      NOT NULL,
    chain       bytea       NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);   -- updated by every append: room for the new versions on the same page
INSERT INTO ledger.head (position, chain, recorded_at) VALUES (0, decode(repeat('00', 32), 'hex'), 'epoch');

-- One block per append: what was written together, and the chain over everything before it.
CREATE TABLE ledger.blocks (
    first_position bigint PRIMARY KEY,
    last_position  bigint NOT NULL,
    digest         bytea  NOT NULL,
    chain          bytea  NOT NULL,
    CHECK (last_position >= first_position)
);

-- Commands are idempotent for ever (P5). Positions are null for a command that had nothing to do.
CREATE TABLE ledger.commands (
    command_id     uuid   PRIMARY KEY,
    input_hash     bytea  NOT NULL,
    submission     uuid   NOT NULL,   -- one call of transact: tells our own lost reply from an earlier caller
    first_position bigint,
    last_position  bigint
);

CREATE TABLE ledger.claims (
    kind   text  NOT NULL,
    hash   bytea NOT NULL,
    stream text  NOT NULL,
    PRIMARY KEY (kind, hash)
);

-- A cache: deleting it changes cost, never meaning.
CREATE TABLE ledger.snapshots (
    originator_id      text COLLATE "C" PRIMARY KEY,
    originator_version bigint NOT NULL,
    state_schema       int    NOT NULL,
    state              bytea  NOT NULL
);

-- Per-account data keys, wrapped by the keyring. Outside the log: dropping a row erases the account's personal data.
CREATE TABLE ledger.data_keys (
    account_id text        PRIMARY KEY,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Which secrets this database belongs to, and who its roles are.
CREATE TABLE ledger.instance (
    is_only     boolean     PRIMARY KEY DEFAULT true CHECK (is_only),
    ledger_id   uuid        NOT NULL DEFAULT gen_random_uuid(),
    fingerprint bytea,
    created_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO ledger.instance DEFAULT VALUES;

-- Answers kept for idempotent retries, sealed under the account's data key.
CREATE TABLE content.answers (
    command_id uuid        PRIMARY KEY,
    account_id text        NOT NULL,
    sealed     bytea       NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX answers_expires_at_idx ON content.answers (expires_at);

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING HINT = 'correct a mistake with a new event', ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stored_events
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.blocks
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.commands
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- For people: the log with its states readable.
CREATE VIEW ledger.events AS
    SELECT notification_id AS position, originator_id AS stream, originator_version AS version, topic AS tag,
           convert_from(state, 'UTF8')::jsonb AS state, recorded_at, command_id, correlation_id
    FROM ledger.stored_events;
