-- Store snapshots of streams; an older version never replaces a newer one of the same state schema.
CREATE OR REPLACE FUNCTION ledger.put_snapshots(streams text[], versions bigint[], schemas int[], states bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.snapshots AS s (originator_id, originator_version, state_schema, state)
    SELECT * FROM unnest(streams, versions, schemas, states) ORDER BY 1   -- one order for all: no deadlocks
    ON CONFLICT (originator_id) DO UPDATE
       SET originator_version = excluded.originator_version, state_schema = excluded.state_schema, state = excluded.state
     WHERE s.originator_version < excluded.originator_version OR s.state_schema <> excluded.state_schema
$$;
