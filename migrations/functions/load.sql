-- What a cold cache needs: for each stream its snapshot (if of the wanted schema) and the events after it, in order.
-- Streams are looked up one by one, for the reason given in append.sql.
CREATE OR REPLACE FUNCTION ledger.load(wanted text[], schemas int[])
RETURNS TABLE (idx int, version bigint, tag text, state bytea)
LANGUAGE sql STABLE AS $$
    WITH w AS (
        SELECT u.idx::int AS idx, u.stream, s.originator_version AS version, s.state
          FROM unnest(wanted, schemas) WITH ORDINALITY AS u(stream, state_schema, idx)
          LEFT JOIN LATERAL (SELECT * FROM ledger.snapshots x
                         WHERE x.originator_id = u.stream AND x.state_schema = u.state_schema OFFSET 0) s ON true
    )
    (SELECT w.idx, w.version, NULL::text AS tag, w.state FROM w WHERE w.version IS NOT NULL
     UNION ALL
     SELECT w.idx, e.originator_version, e.topic, e.state
       FROM w JOIN LATERAL (SELECT * FROM ledger.stored_events x
                    WHERE x.originator_id = w.stream AND x.originator_version > coalesce(w.version, -1) OFFSET 0) e ON true)
    ORDER BY 1, 2
$$;
