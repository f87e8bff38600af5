CREATE TABLE IF NOT EXISTS read.ledger_entry_{build} (
    position    bigint NOT NULL,
    line        bigint NOT NULL,
    account_id  text   NOT NULL,
    book        text   NOT NULL,
    amount_nusd bigint NOT NULL,
    about       text   NOT NULL,
    PRIMARY KEY (position, line)
) WITH (autovacuum_freeze_min_age = 0);
