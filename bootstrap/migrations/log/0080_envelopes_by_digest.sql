-- Digests lie anywhere, so each append falls on a page of its own in every index of them, and each
-- page goes whole into the write-ahead log once after a checkpoint. A hash index keeps four bytes
-- of a digest where the primary key kept all 32: half the pages, and less of each to log.
--
-- Whether an envelope is there is asked under the head lock; its digest names its bytes.

-- Taken first: whoever is appending ends before, whoever follows finds the new function.
SELECT FROM ledger.head FOR UPDATE;
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'transaction_timeout');  -- the latter since PostgreSQL 17

CREATE INDEX envelopes_by_digest ON ledger.envelopes USING hash (sha256);
ALTER TABLE ledger.envelopes DROP CONSTRAINT envelopes_pkey;

-- Write the winners of a batch: entries from head.size + 1 on, and all that belongs to them.
CREATE OR REPLACE FUNCTION ledger.finish_append(
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
    LEFT JOIN LATERAL (
        SELECT true AS is_known FROM ledger.envelopes e WHERE e.sha256 = won.digest LIMIT 1
    ) found ON true
    WHERE found.is_known IS NULL;

    INSERT INTO ledger.blobs (sha256, subject, position, blob)
    SELECT digest, subject, old_size + blob_offset, blob
    FROM unnest(blob_digests, blob_subjects, blob_offsets, blobs)
        won (digest, subject, blob_offset, blob);

    PERFORM pg_notify('vaxledger_appended', (old_size + cardinality(streams))::text);
END
$$;
