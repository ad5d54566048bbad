-- Versions of the key-encryption key. The keys themselves lie outside every database; here stands
-- only which version may still wrap, so that none is destroyed while somebody uses it.

DO $$
BEGIN
    BEGIN
        CREATE ROLE vaxledger_rewrap NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this server has it
    END;
    IF NOT pg_has_role(current_user, 'vaxledger_rewrap', 'SET') THEN
        GRANT vaxledger_rewrap TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

CREATE TABLE keys.keks (
    name text PRIMARY KEY,              -- what people_keys.kek holds
    number integer NOT NULL,
    closed_at timestamptz,              -- from then on it wraps nothing new
    retired_at timestamptz              -- its file was destroyed before then
);

CREATE INDEX people_keys_kek ON keys.people_keys (kek, handle);

-- Store wrapped keys, unless their version was closed: then false, and nothing is stored.
--
-- The row lock makes closing wait for every insert under way; an insert after it sees that the
-- version is closed. So a version without rows that is closed stays without rows.
CREATE FUNCTION keys.insert_keys(kek_name text, kek_number integer, handles uuid[], wrapped bytea[])
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO keys.keks (name, number) VALUES (kek_name, kek_number) ON CONFLICT DO NOTHING;
    PERFORM FROM keys.keks k WHERE k.name = kek_name AND k.closed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO keys.people_keys (handle, wrapped, kek)
    SELECT fresh.handle, fresh.wrapped, kek_name
    FROM unnest(handles, wrapped) fresh (handle, wrapped)
    ON CONFLICT (handle) DO NOTHING;
    RETURN true;
END
$$;

REVOKE EXECUTE ON FUNCTION keys.insert_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keys.insert_keys TO vaxledger_vault;
REVOKE INSERT ON keys.people_keys FROM vaxledger_vault;

GRANT USAGE ON SCHEMA keys TO vaxledger_rewrap;
GRANT SELECT, UPDATE (wrapped, kek) ON keys.people_keys TO vaxledger_rewrap;
GRANT SELECT, INSERT, UPDATE (closed_at, retired_at) ON keys.keks TO vaxledger_rewrap;
