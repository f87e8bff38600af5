-- The trigger of every append-only table: a change is refused, also the owner's.
CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING HINT = 'correct a mistake with a new event', ERRCODE = 'restrict_violation';
END $$;
