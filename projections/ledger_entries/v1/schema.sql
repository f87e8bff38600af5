CREATE TABLE IF NOT EXISTS read.ledger_entry_{build} (
    position    bigint NOT NULL,   -- of the event in the log
    line        bigint NOT NULL,   -- of the event's postings, from 1
    book        text   NOT NULL,
    amount_nusd bigint NOT NULL,   -- into the book; negative: out of it
    tag         text   NOT NULL,
    correlation text   NOT NULL,   -- reservation or lot
    PRIMARY KEY (position, line)
) WITH (autovacuum_freeze_min_age = 0);   -- insert-only: what the first vacuum freezes, no later one looks at
