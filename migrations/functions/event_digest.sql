-- The hash of one event: every column as bytes, variable parts length-prefixed, so that no two events share an encoding
-- (P4, P7). domain/proof/chain.py is the same rule in Python; tests/laws hold them against each other.
CREATE OR REPLACE FUNCTION ledger.event_digest(
    at_position bigint, stream text, version bigint, tag text, state bytea,
    recorded_at timestamptz, command_id uuid, correlation_id uuid
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(
        int8send(at_position) || int8send(version) || timestamptz_send(recorded_at) || uuid_send(command_id)
        || int4send(CASE WHEN correlation_id IS NULL THEN 0 ELSE 16 END) || coalesce(uuid_send(correlation_id), ''::bytea)
        || int4send(octet_length(stream)) || convert_to(stream, 'UTF8')
        || int4send(octet_length(tag)) || convert_to(tag, 'UTF8')
        || int4send(octet_length(state)) || state)
$$;
