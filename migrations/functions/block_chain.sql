-- The chain's next link: the previous link, the block's bounds and the digest of its events (P7). The same rule in Python:
-- domain/proof/chain.py.
CREATE OR REPLACE FUNCTION ledger.block_chain(previous bytea, first_position bigint, last_position bigint, digest bytea)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(previous || int8send(first_position) || int8send(last_position) || digest)
$$;
