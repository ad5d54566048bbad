-- The signed log: entries in one dense order, what belongs to them, and the tree over them.

-- Roles are shared by all databases of a server, so two migrations of two databases may meet here.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[
        'vaxledger_append', 'vaxledger_integrate', 'vaxledger_read', 'vaxledger_erase'
    ] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- the other one made it
        END;
        -- Not inherited: a connection has exactly the rights of the role that it takes.
        IF NOT pg_has_role(current_user, wanted, 'SET') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER WITH INHERIT FALSE, SET TRUE', wanted);
        END IF;
    END LOOP;
END
$$;

CREATE SCHEMA ledger;

-- One row. Whoever appends holds its lock: that lock is the order of the log.
CREATE TABLE ledger.head (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    size bigint NOT NULL CHECK (size >= 0),
    recorded_at timestamptz NOT NULL  -- of the newest entry; the clock may not run behind it
);
INSERT INTO ledger.head (size, recorded_at) VALUES (0, timestamptz 'epoch');

CREATE TABLE ledger.entries (
    position bigint PRIMARY KEY CHECK (position > 0),
    stream uuid NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    known_at timestamptz NOT NULL,  -- running maximum of recorded_at
    topic text NOT NULL,
    division text NOT NULL,
    leaf bytea NOT NULL CHECK (length(leaf) = 32),
    entry bytea NOT NULL,
    UNIQUE (stream, version)
);
-- The last entry before this one of the same province, city and county, for the feed's readers.
CREATE INDEX entries_of_province ON ledger.entries (left(division, 2), position);
CREATE INDEX entries_of_city ON ledger.entries (left(division, 4), position);
CREATE INDEX entries_of_county ON ledger.entries (left(division, 6), position);

CREATE TABLE ledger.envelopes (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    envelope bytea NOT NULL
);

CREATE TABLE ledger.idempotency (
    author uuid NOT NULL,
    key uuid NOT NULL,
    request bytea NOT NULL CHECK (length(request) = 32),
    first_position bigint NOT NULL,
    count integer NOT NULL CHECK (count > 0),
    PRIMARY KEY (author, key)
);

CREATE TABLE ledger.claims (
    kind text NOT NULL,
    key bytea NOT NULL,
    stream uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE ledger.blobs (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    subject uuid NOT NULL,
    position bigint NOT NULL,
    blob bytea STORAGE EXTERNAL NOT NULL  -- ciphertext does not compress
);
CREATE INDEX blobs_of_subject ON ledger.blobs (subject);

-- A partial tile is a prefix of every wider one, so one row serves all widths.
CREATE TABLE ledger.tiles (
    level integer NOT NULL,
    index bigint NOT NULL,
    hashes bytea STORAGE EXTERNAL NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, index)
) WITH (fillfactor = 70);

-- The newest checkpoint, and the newest that is safe outside this database as well: only the
-- latter is shown to anyone.
CREATE TABLE ledger.checkpoint (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    size bigint NOT NULL,
    note bytea,  -- NULL until the first integrator starts
    published bigint NOT NULL CHECK (published <= size),
    published_note bytea
);
INSERT INTO ledger.checkpoint (size, published) VALUES (0, 0);

-- While it has a row nothing is appended, by whichever process.
CREATE TABLE ledger.halt (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    kind text NOT NULL,  -- what was found
    halted_at timestamptz NOT NULL DEFAULT now()
);

-- One a minute, for ever.
CREATE TABLE ledger.checkpoints (
    size bigint PRIMARY KEY,
    note bytea NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX checkpoints_by_time ON ledger.checkpoints (made_at);


-- Take the head lock, then tell what a decision about a batch needs to know.
--
-- plpgsql and not SQL: under READ COMMITTED each of its statements sees what was committed when
-- that statement began, so the facts are read after the lock was had. One SQL statement would
-- wait for the lock and then answer from a snapshot taken before it.
--
-- Each look-up is LATERAL ... LIMIT 1, which only an index can serve: a plan made while the
-- tables were small stays right when they are not.
CREATE FUNCTION ledger.begin_append(
    asked_streams uuid[],
    asked_authors uuid[], asked_keys uuid[],
    asked_kinds text[], asked_claims bytea[],
    OUT size bigint, OUT recorded_at timestamptz, OUT published bigint,
    OUT halted text,        -- what was found, where a log is halted
    OUT versions bigint[],  -- of asked_streams; 0 for one that does not exist
    OUT requests bytea[], OUT first_positions bigint[], OUT counts integer[],
    OUT leaves bytea[],     -- of an earlier submission under the same key, one after the other
    OUT owners uuid[]       -- of asked_claims; NULL where nobody holds it
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    SELECT h.size, h.recorded_at INTO STRICT begin_append.size, begin_append.recorded_at
    FROM ledger.head h FOR UPDATE;

    SELECT c.published INTO STRICT begin_append.published FROM ledger.checkpoint c;
    SELECT h.kind INTO begin_append.halted FROM ledger.halt h;

    SELECT array_agg(coalesce(found.version, 0) ORDER BY asked.n) INTO begin_append.versions
    FROM unnest(asked_streams) WITH ORDINALITY asked (stream, n)
    LEFT JOIN LATERAL (
        SELECT e.version FROM ledger.entries e
        WHERE e.stream = asked.stream ORDER BY e.version DESC LIMIT 1
    ) found ON true;

    SELECT array_agg(found.request ORDER BY asked.n), array_agg(found.first_position ORDER BY asked.n),
           array_agg(found.count ORDER BY asked.n), array_agg(found.leaves ORDER BY asked.n)
    INTO begin_append.requests, begin_append.first_positions, begin_append.counts,
         begin_append.leaves
    FROM unnest(asked_authors, asked_keys) WITH ORDINALITY asked (author, key, n)
    LEFT JOIN LATERAL (
        SELECT i.request, i.first_position, i.count, (
            SELECT string_agg(e.leaf, ''::bytea ORDER BY e.position) FROM ledger.entries e
            WHERE e.position >= i.first_position AND e.position < i.first_position + i.count
        ) AS leaves
        FROM ledger.idempotency i
        WHERE i.author = asked.author AND i.key = asked.key LIMIT 1
    ) found ON true;

    SELECT array_agg(found.stream ORDER BY asked.n) INTO begin_append.owners
    FROM unnest(asked_kinds, asked_claims) WITH ORDINALITY asked (kind, key, n)
    LEFT JOIN LATERAL (
        SELECT c.stream FROM ledger.claims c
        WHERE c.kind = asked.kind AND c.key = asked.key LIMIT 1
    ) found ON true;
END
$$;

-- Write the winners of a batch: entries from head.size + 1 on, and all that belongs to them.
CREATE FUNCTION ledger.finish_append(
    old_size bigint, new_recorded_at timestamptz,
    streams uuid[], versions bigint[], known timestamptz[], topics text[], divisions text[],
    leaves bytea[], entries bytea[],
    authors uuid[], keys uuid[], requests bytea[], offsets bigint[], counts integer[],
    released_kinds text[], released_keys bytea[],
    taken_kinds text[], taken_keys bytea[], taken_streams uuid[], taken_offsets bigint[],
    envelope_digests bytea[], envelopes bytea[],
    blob_digests bytea[], blob_subjects uuid[], blob_offsets bigint[], blobs bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger.head h SET size = h.size + cardinality(streams), recorded_at = new_recorded_at
    WHERE h.size = old_size;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head moved although it was locked';
    END IF;

    INSERT INTO ledger.entries
        (position, stream, version, known_at, topic, division, leaf, entry)
    SELECT old_size + n, stream, version, known_at, topic, division, leaf, entry
    FROM unnest(streams, versions, known, topics, divisions, leaves, entries)
        WITH ORDINALITY won (stream, version, known_at, topic, division, leaf, entry, n);

    INSERT INTO ledger.idempotency (author, key, request, first_position, count)
    SELECT author, key, request, old_size + first_offset, count
    FROM unnest(authors, keys, requests, offsets, counts)
        won (author, key, request, first_offset, count);

    DELETE FROM ledger.claims c
    USING unnest(released_kinds, released_keys) gone (kind, key)
    WHERE c.kind = gone.kind AND c.key = gone.key;

    INSERT INTO ledger.claims (kind, key, stream, position)
    SELECT kind, key, stream, old_size + taken_offset
    FROM unnest(taken_kinds, taken_keys, taken_streams, taken_offsets)
        won (kind, key, stream, taken_offset);

    -- The same envelope may sign several submissions; its digest names its bytes.
    INSERT INTO ledger.envelopes (sha256, envelope)
    SELECT DISTINCT ON (digest) digest, envelope
    FROM unnest(envelope_digests, envelopes) won (digest, envelope)
    ON CONFLICT (sha256) DO NOTHING;

    INSERT INTO ledger.blobs (sha256, subject, position, blob)
    SELECT digest, subject, old_size + blob_offset, blob
    FROM unnest(blob_digests, blob_subjects, blob_offsets, blobs)
        won (digest, subject, blob_offset, blob);

    PERFORM pg_notify('vaxledger_appended', (old_size + cardinality(streams))::text);
END
$$;

-- The last position whose running maximum of recorded_at is not after a moment; 0 before the first.
-- A binary search over the primary key: known_at never falls, and needs no index of its own.
CREATE FUNCTION ledger.position_known_at(moment timestamptz, newest bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 0;
    high bigint := newest;
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.known_at <= moment FROM ledger.entries e WHERE e.position = middle) THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;


-- Nobody changes or deletes what was logged; each part of the system has only what it needs.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger
    TO vaxledger_append, vaxledger_integrate, vaxledger_read, vaxledger_erase;

GRANT EXECUTE ON FUNCTION ledger.begin_append, ledger.finish_append TO vaxledger_append;
GRANT SELECT, INSERT ON ledger.entries, ledger.envelopes, ledger.idempotency, ledger.blobs
    TO vaxledger_append;
GRANT SELECT, INSERT, DELETE ON ledger.claims TO vaxledger_append;
GRANT SELECT, UPDATE ON ledger.head TO vaxledger_append;
GRANT SELECT ON ledger.checkpoint, ledger.halt TO vaxledger_append;

GRANT SELECT ON ledger.head, ledger.entries TO vaxledger_integrate;
GRANT SELECT, INSERT, UPDATE ON ledger.tiles TO vaxledger_integrate;
GRANT SELECT, UPDATE ON ledger.checkpoint TO vaxledger_integrate;
GRANT SELECT, INSERT ON ledger.checkpoints TO vaxledger_integrate;
GRANT SELECT, INSERT, DELETE ON ledger.halt TO vaxledger_integrate;

GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO vaxledger_read;
GRANT EXECUTE ON FUNCTION ledger.position_known_at TO vaxledger_read;

GRANT SELECT, DELETE ON ledger.blobs TO vaxledger_erase;
