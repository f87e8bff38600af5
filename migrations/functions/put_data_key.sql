-- Store an account's wrapped data key; the first one stays.
CREATE OR REPLACE FUNCTION ledger.put_data_key(account text, wrapped_key bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.data_keys (account_id, wrapped) VALUES (account, wrapped_key) ON CONFLICT DO NOTHING
$$;
