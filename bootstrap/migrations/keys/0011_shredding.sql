-- Destroying a person's key and everything by which the person is found.

DO $$
BEGIN
    BEGIN
        CREATE ROLE vaxledger_shred NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this server has it
    END;
    IF NOT pg_has_role(current_user, 'vaxledger_shred', 'SET') THEN
        GRANT vaxledger_shred TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA keys TO vaxledger_shred;
GRANT SELECT, DELETE ON keys.people_keys, keys.blind_index TO vaxledger_shred;

CREATE INDEX blind_index_of_record ON keys.blind_index (record);
