CREATE TABLE IF NOT EXISTS read.credit_account_{build} (
    account_id        text   PRIMARY KEY,
    granted_nusd      bigint NOT NULL DEFAULT 0,
    settled_nusd      bigint NOT NULL DEFAULT 0,
    expired_nusd      bigint NOT NULL DEFAULT 0,
    posted_nusd       bigint NOT NULL DEFAULT 0,   -- granted - settled - expired
    held_nusd         bigint NOT NULL DEFAULT 0,   -- by open reservations
    shortfall_nusd    bigint NOT NULL DEFAULT 0,   -- served beyond all credit
    owed_nusd         bigint NOT NULL DEFAULT 0,   -- of it, what the next purchased grant pays
    unpaid_work_nusd  bigint NOT NULL DEFAULT 0,   -- what providers presumably charged that nobody paid; not owed
    open_reservations bigint NOT NULL DEFAULT 0,
    position          bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);   -- every page updates the rows of busy accounts: room for them where they are

CREATE TABLE IF NOT EXISTS read.credit_lot_{build} (
    account_id    text        NOT NULL,
    lot_id        text        NOT NULL,
    kind          text        NOT NULL DEFAULT '',
    priority      bigint      NOT NULL DEFAULT 0,
    granted_nusd  bigint      NOT NULL DEFAULT 0,
    burnt_nusd    bigint      NOT NULL DEFAULT 0,
    expired_nusd  bigint      NOT NULL DEFAULT 0,
    is_taken_back boolean     NOT NULL DEFAULT false,
    granted_at    timestamptz,
    expires_at    timestamptz,
    source        text        NOT NULL DEFAULT '',
    reason        bytea       NOT NULL DEFAULT '',   -- sealed under the account's data key
    position      bigint      NOT NULL DEFAULT 0,    -- of the grant
    PRIMARY KEY (account_id, lot_id)
) WITH (fillfactor = 70);
-- What the expiry loop looks for. Burnt-out lots leave the index, so that it stays as small as what can still lapse.
CREATE INDEX IF NOT EXISTS credit_lot_{build}_due_idx ON read.credit_lot_{build} (expires_at)
    WHERE NOT is_taken_back AND expires_at IS NOT NULL AND granted_nusd > burnt_nusd + expired_nusd;

CREATE TABLE IF NOT EXISTS read.open_hold_{build} (
    account_id     text        NOT NULL,
    reservation_id text        NOT NULL,
    lot_id         text        NOT NULL,             -- '' if the reservation holds nothing
    key_id         text        NOT NULL DEFAULT '',
    amount_nusd    bigint      NOT NULL DEFAULT 0,
    reserved_at    timestamptz,                      -- null on lots that only an extension holds
    expires_at     timestamptz,
    position       bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, reservation_id, lot_id)
);
CREATE INDEX IF NOT EXISTS open_hold_{build}_due_idx ON read.open_hold_{build} (expires_at);
