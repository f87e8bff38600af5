-- The append: one call, one round trip, one transaction. Its callers are group commits of many commands.
--
-- commands:  one element each; command_stream points into streams (from 1); a refusal (is_refusal) brings no events and is
--            not recorded, it only asks whether its id is new and its stream fresh.
-- streams:   with the version their events were decided on; 0 for an empty one; in_turn skips the turn's lock.
-- events:    in order, event_command points into commands (from 1).
-- claims, answers: belong to a command likewise.
-- Returns one row `recorded` (idx 0, first and last position of the batch) if everything was; else one row per command,
-- and the events that stale streams miss.
--
-- Commands and streams are looked up one by one. As a join, a plan that was made while a table was nearly empty reads a
-- whole index at each append, until the next analyze. A subquery that yields a value, or has an OFFSET, is never joined.
CREATE OR REPLACE FUNCTION ledger.append(
    command_ids uuid[], input_hashes bytea[], submissions uuid[], command_stream int[], is_refusal boolean[],
    streams text[], expected bigint[], in_turn boolean[],
    event_command int[], event_command_ids uuid[], event_streams text[], versions bigint[], tags text[], states bytea[],
    correlation_ids uuid[],
    claim_command int[], claim_kinds text[], claim_hashes bytea[], claim_is_release boolean[],
    answer_command int[], answer_accounts text[], answer_sealed bytea[], answer_expires timestamptz[]
) RETURNS SETOF ledger.append_outcome
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    head_position bigint;
    head_chain    bytea;
    now_at        timestamptz;
    bad_streams   int[];
    taken         int[];      -- commands whose claim another stream holds
    seen_streams  int[];
    stale_streams int[];
    busy_streams  int[];      -- somebody else takes a turn on them
    written       bigint;
    digest        bytea;
    new_chain     bytea;
    all_good      boolean;
BEGIN
    -- 1. one appender at a time; whatever it commits is visible to the statements below (READ COMMITTED)
    SELECT h.position, h.chain, greatest(h.recorded_at, clock_timestamp())
      INTO head_position, head_chain, now_at
      FROM ledger.head h FOR UPDATE;

    -- 2. commands seen before, ahead of any other check (P5)
    -- 3. streams that moved on since they were loaded, and those that somebody takes a turn on
    --    (one statement for both: starting one costs more than what it does for a small batch)
    SELECT (SELECT array_agg(c.stream) FROM unnest(command_ids, command_stream) AS c(id, stream)
             WHERE (SELECT true FROM ledger.commands k WHERE k.command_id = c.id)),
           array_agg(s.idx) FILTER (WHERE s.is_stale),
           array_agg(s.idx) FILTER (WHERE s.is_busy)
      INTO seen_streams, stale_streams, busy_streams
      FROM (SELECT s.idx::int AS idx,
                   coalesce((SELECT max(e.originator_version) FROM ledger.stored_events e WHERE e.originator_id = s.id),
                            least(s.expected, 0)) <> s.expected AS is_stale,
                   NOT s.in_turn AND NOT pg_try_advisory_xact_lock_shared(ledger.stream_lock_key(s.id)) AS is_busy
              FROM unnest(streams, expected, in_turn) WITH ORDINALITY AS s(id, expected, in_turn, idx)) s;

    -- 4. names that another stream holds
    IF cardinality(claim_kinds) > 0 THEN
        SELECT array_agg(DISTINCT c.command) INTO taken
          FROM unnest(claim_command, claim_kinds, claim_hashes, claim_is_release) AS c(command, kind, hash, is_release)
          JOIN ledger.claims x ON x.kind = c.kind AND x.hash = c.hash
         WHERE NOT c.is_release AND x.stream <> streams[command_stream[c.command]];
    END IF;

    all_good := coalesce(seen_streams, stale_streams, busy_streams, taken) IS NULL;
    bad_streams := '{}';
    IF NOT all_good THEN
        bad_streams := coalesce(seen_streams, '{}') || coalesce(stale_streams, '{}') || coalesce(busy_streams, '{}')
            || coalesce((SELECT array_agg(command_stream[t]) FROM unnest(taken) t), '{}');
    END IF;

    -- 5. events at the next dense positions, and the commands they came from
    WITH fresh AS MATERIALIZED (
        SELECT head_position + row_number() OVER (ORDER BY e.ord) AS position, e.*
          FROM unnest(event_command, event_command_ids, event_streams, versions, tags, states, correlation_ids)
               WITH ORDINALITY AS e(command, command_id, stream, version, tag, state, correlation_id, ord)
         WHERE all_good OR command_stream[e.command] <> ALL (bad_streams)
    ), stored AS (
        INSERT INTO ledger.stored_events (originator_id, originator_version, topic, state, notification_id,
                                          recorded_at, command_id, correlation_id)
        SELECT f.stream, f.version, f.tag, f.state, f.position, now_at, f.command_id, f.correlation_id FROM fresh f
    ), remembered AS (
        INSERT INTO ledger.commands (command_id, input_hash, submission, first_position, last_position)
        SELECT c.id, c.hash, c.submission, p.first, p.last
          FROM unnest(command_ids, input_hashes, submissions, command_stream, is_refusal)
               WITH ORDINALITY AS c(id, hash, submission, stream, is_refusal, idx)
          LEFT JOIN (SELECT f.command, min(f.position) AS first, max(f.position) AS last FROM fresh f GROUP BY f.command) p
            ON p.command = c.idx
         WHERE NOT c.is_refusal AND (all_good OR c.stream <> ALL (bad_streams))
    )
    SELECT count(*), sha256(string_agg(
               ledger.event_digest(f.position, f.stream, f.version, f.tag, f.state, now_at, f.command_id, f.correlation_id),
               ''::bytea ORDER BY f.position))
      INTO written, digest FROM fresh f;

    -- 6. the chain and the head
    IF written > 0 THEN
        new_chain := ledger.block_chain(head_chain, head_position + 1, head_position + written, digest);
        INSERT INTO ledger.blocks (first_position, last_position, digest, chain)
        VALUES (head_position + 1, head_position + written, digest, new_chain);
        UPDATE ledger.head SET position = head_position + written, chain = new_chain, recorded_at = now_at;
    END IF;

    IF cardinality(claim_kinds) > 0 THEN
        DELETE FROM ledger.claims x
         USING unnest(claim_command, claim_kinds, claim_hashes, claim_is_release) AS c(command, kind, hash, is_release)
         WHERE c.is_release AND x.kind = c.kind AND x.hash = c.hash AND x.stream = streams[command_stream[c.command]]
           AND command_stream[c.command] <> ALL (bad_streams);
        INSERT INTO ledger.claims (kind, hash, stream)
        SELECT c.kind, c.hash, streams[command_stream[c.command]]
          FROM unnest(claim_command, claim_kinds, claim_hashes, claim_is_release) AS c(command, kind, hash, is_release)
         WHERE NOT c.is_release AND command_stream[c.command] <> ALL (bad_streams)
        ON CONFLICT DO NOTHING;   -- held by this very stream already
    END IF;
    IF cardinality(answer_accounts) > 0 THEN
        INSERT INTO content.answers (command_id, account_id, sealed, expires_at)
        SELECT command_ids[a.command], a.account, a.sealed, a.expires
          FROM unnest(answer_command, answer_accounts, answer_sealed, answer_expires) AS a(command, account, sealed, expires)
         WHERE command_stream[a.command] <> ALL (bad_streams)
        ON CONFLICT DO NOTHING;
    END IF;

    -- 7. what became of it
    IF all_good THEN
        RETURN NEXT ROW('recorded', 0, head_position + 1, head_position + written, NULL, NULL, NULL)::ledger.append_outcome;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT CASE WHEN c.stream <> ALL (bad_streams) THEN 'recorded'
                    WHEN k.command_id IS NOT NULL THEN 'seen'
                    WHEN c.stream = ANY (busy_streams) THEN 'busy'
                    WHEN c.idx = ANY (taken) AND c.stream <> ALL (coalesce(seen_streams, '{}') || coalesce(stale_streams, '{}'))
                    THEN 'claimed' ELSE 'stale' END,
               c.idx::int, k.first_position, k.last_position,
               (SELECT l.kind FROM unnest(claim_command, claim_kinds, claim_hashes) AS l(command, kind, hash)
                  JOIN ledger.claims x ON x.kind = l.kind AND x.hash = l.hash
                 WHERE l.command = c.idx AND c.idx = ANY (taken) LIMIT 1),
               k.input_hash, k.submission
          FROM unnest(command_ids, command_stream) WITH ORDINALITY AS c(id, stream, idx)
          LEFT JOIN LATERAL (SELECT * FROM ledger.commands x WHERE x.command_id = c.id OFFSET 0) k ON true
         ORDER BY c.idx;
    RETURN QUERY
        SELECT 'missed', s.idx, e.originator_version, e.notification_id, e.topic, e.state, NULL::uuid
          FROM (SELECT DISTINCT unnest(stale_streams) AS idx) s
          JOIN LATERAL (SELECT * FROM ledger.stored_events x
                    WHERE x.originator_id = streams[s.idx] AND x.originator_version > expected[s.idx] OFFSET 0) e ON true
         ORDER BY s.idx, e.originator_version
         LIMIT 256;   -- MAX_MISSED in append_batch.py: a caller that stops receiving must not keep the head locked
END $$;
