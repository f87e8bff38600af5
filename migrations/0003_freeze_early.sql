-- What is never changed again is frozen by the first vacuum that sees it, and skipped by all later ones. Otherwise it is
-- marked visible only, and a vacuum against wraparound reads the whole log every 200 million appends.
ALTER TABLE ledger.stored_events SET (autovacuum_freeze_min_age = 0);
ALTER TABLE ledger.commands SET (autovacuum_freeze_min_age = 0);
ALTER TABLE ledger.blocks SET (autovacuum_freeze_min_age = 0);
