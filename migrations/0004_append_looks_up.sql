-- Commands and streams are looked up one by one. As a join, a plan that was made while a table was nearly empty reads a
-- whole index at each append, until the next analyze. A subquery that yields a value, or has an OFFSET, is never joined.
CREATE FUNCTION pg_temp.rewrite(function text, old text, new text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written text := pg_get_functiondef(function::regproc);
BEGIN
    IF position(old IN written) = 0 THEN
        RAISE EXCEPTION '% is not the one of 0002_append.sql', function;
    END IF;
    EXECUTE replace(written, old, new);
END $$;

SELECT pg_temp.rewrite('ledger.append',
    'WHERE EXISTS (SELECT FROM ledger.commands k WHERE k.command_id = c.id)',
    'WHERE (SELECT true FROM ledger.commands k WHERE k.command_id = c.id)');
SELECT pg_temp.rewrite('ledger.append',
    'LEFT JOIN ledger.commands k ON k.command_id = c.id',
    'LEFT JOIN LATERAL (SELECT * FROM ledger.commands x WHERE x.command_id = c.id OFFSET 0) k ON true');
SELECT pg_temp.rewrite('ledger.append',
    'JOIN ledger.stored_events e ON e.originator_id = streams[s.idx] AND e.originator_version > expected[s.idx]',
    'JOIN LATERAL (SELECT * FROM ledger.stored_events x
                    WHERE x.originator_id = streams[s.idx] AND x.originator_version > expected[s.idx] OFFSET 0) e ON true');
SELECT pg_temp.rewrite('ledger.load',
    'JOIN ledger.stored_events e ON e.originator_id = w.stream AND e.originator_version > coalesce(w.version, -1)',
    'JOIN LATERAL (SELECT * FROM ledger.stored_events x
                    WHERE x.originator_id = w.stream AND x.originator_version > coalesce(w.version, -1) OFFSET 0) e ON true');
SELECT pg_temp.rewrite('ledger.load',
    'LEFT JOIN ledger.snapshots s ON s.originator_id = u.stream AND s.state_schema = u.state_schema',
    'LEFT JOIN LATERAL (SELECT * FROM ledger.snapshots x
                         WHERE x.originator_id = u.stream AND x.state_schema = u.state_schema OFFSET 0) s ON true');
