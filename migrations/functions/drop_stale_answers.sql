-- Delete the kept answers whose time is over; returns how many.
CREATE OR REPLACE FUNCTION ledger.drop_stale_answers() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM content.answers WHERE expires_at < now() RETURNING 1) SELECT count(*) FROM gone
$$;
