-- Who read whose record: written before the answer, closed minute by minute with a Merkle root in
-- the log, and never changed by anyone.

DO $$
BEGIN
    BEGIN
        CREATE ROLE vaxledger_journal NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of this server has it
    END;
    IF NOT pg_has_role(current_user, 'vaxledger_journal', 'SET') THEN
        GRANT vaxledger_journal TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

CREATE SCHEMA access;

CREATE TABLE access.reads (
    id uuid PRIMARY KEY,             -- random: also what keeps the leaf's hash from being guessed
    minute timestamptz NOT NULL,     -- with which it is closed
    at timestamptz NOT NULL,
    organisation uuid,               -- NULL for a citizen
    role text NOT NULL,
    reader bytea NOT NULL CHECK (length(reader) = 32),  -- keyed digest of the token's subject
    purpose text NOT NULL,
    what text NOT NULL,
    records uuid[] NOT NULL
);
CREATE INDEX reads_of_minute ON access.reads (minute, id);
CREATE INDEX reads_of_record ON access.reads USING gin (records);

-- Up to which minute nothing is added any more.
CREATE TABLE access.closed (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    through timestamptz NOT NULL
);
INSERT INTO access.closed (through) VALUES (timestamptz 'epoch');

-- Minutes whose root the log has: what need not be looked at again.
CREATE TABLE access.logged (
    minute timestamptz PRIMARY KEY
);

-- Add rows, to this minute or to the one after the last that was closed.
--
-- The shared lock is held until the commit: closing waits for every row under way, and no row
-- comes to a minute that is closed.
CREATE FUNCTION access.note(rows jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    open_minute timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('vaxledger access', 0));
    SELECT greatest(date_trunc('minute', clock_timestamp()), through + interval '1 minute')
    INTO open_minute FROM access.closed;
    INSERT INTO access.reads
        (id, minute, at, organisation, role, reader, purpose, what, records)
    SELECT id, open_minute, at, organisation, role, decode(reader, 'hex'), purpose, what, records
    FROM jsonb_to_recordset(rows) AS fresh (id uuid, at timestamptz, organisation uuid, role text,
                                            reader text, purpose text, what text, records uuid[])
    ON CONFLICT (id) DO NOTHING;  -- sent again after a lost connection
END
$$;

-- Close every minute before this one.
CREATE FUNCTION access.close_past() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('vaxledger access', 0));
    UPDATE access.closed
    SET through = greatest(through, date_trunc('minute', clock_timestamp()) - interval '1 minute');
END
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA access FROM PUBLIC;
GRANT USAGE ON SCHEMA access TO vaxledger_journal;
GRANT EXECUTE ON FUNCTION access.note, access.close_past TO vaxledger_journal;
GRANT SELECT ON access.reads, access.closed TO vaxledger_journal;
GRANT SELECT, INSERT ON access.logged TO vaxledger_journal;
