-- The keys of people, apart from the log: without them its sealed parts open for nobody.

-- Roles are shared by all databases of a server, so two migrations of two databases may meet here.
DO $$
BEGIN
    BEGIN
        CREATE ROLE vaxledger_vault NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- the other one made it
    END;
    IF NOT pg_has_role(current_user, 'vaxledger_vault', 'SET') THEN
        GRANT vaxledger_vault TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

CREATE SCHEMA keys;

CREATE TABLE keys.people_keys (
    handle uuid PRIMARY KEY,
    wrapped bytea NOT NULL CHECK (length(wrapped) = 40),  -- AES-KW of 32 bytes (RFC 3394)
    kek text NOT NULL,                                    -- which key-encryption key wraps it
    made_at timestamptz NOT NULL DEFAULT now()
);

-- Finding a person by a number without storing the number: HMAC under a pepper.
CREATE TABLE keys.blind_index (
    kind text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    handle uuid NOT NULL,
    record uuid NOT NULL,
    PRIMARY KEY (kind, digest, handle, record)
);
CREATE INDEX blind_index_of_person ON keys.blind_index (handle);

GRANT USAGE ON SCHEMA keys TO vaxledger_vault;
GRANT SELECT, INSERT ON keys.people_keys, keys.blind_index TO vaxledger_vault;
