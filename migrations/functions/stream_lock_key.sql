-- The advisory lock of a stream. A session that takes a turn on a contended stream holds it exclusively; an append holds it
-- shared, and leaves the stream alone if another session has it. The seed is STREAM_SEED in
-- adapters/outbound/postgres/wire/locks.py, and is never changed.
CREATE OR REPLACE FUNCTION ledger.stream_lock_key(stream text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(stream, 7426930116)
$$;
