-- name: standing
SELECT h.size, h.recorded_at, c.size, c.note, c.published, c.published_note
FROM ledger.head h, ledger.checkpoint c;

-- name: entries
SELECT position, stream, version, known_at, topic, division, leaf, entry
FROM ledger.entries ORDER BY position;

-- name: first_succession
SELECT entry FROM ledger.entries WHERE topic = 'log.succeeded.v1' ORDER BY position LIMIT 1;

-- name: envelopes
SELECT sha256, envelope FROM ledger.envelopes WHERE sha256 = ANY(%b::bytea[]);

-- name: blobs
SELECT position, sha256, subject, sha256(blob) = sha256 FROM ledger.blobs ORDER BY position, sha256;

-- name: writes
SELECT first_position, author, key, request, count FROM ledger.idempotency
ORDER BY first_position, author, key;

-- name: claims
SELECT position, kind, key, stream FROM ledger.claims ORDER BY position, kind, key;

-- name: holders
SELECT kind, key, position FROM ledger.claims
WHERE (kind, key) IN (SELECT * FROM unnest(%b::text[], %b::bytea[]));

-- name: checkpoints
SELECT size, note FROM ledger.checkpoints ORDER BY size;

-- name: tile
SELECT hashes FROM ledger.tiles WHERE level = %b::integer AND index = %b::bigint;

-- name: tiles_beyond
-- Tiles that no tree of so many leaves has.
SELECT level, index FROM ledger.tiles
WHERE index * 256 >= %b::bigint >> 8 * level ORDER BY level, index;

-- name: envelopes_unnamed
-- Each entry names its envelope at the same place: after {"author":{"envelope":".
SELECT v.sha256 FROM ledger.envelopes v
WHERE NOT EXISTS (
    SELECT FROM ledger.entries e
    WHERE substring(e.entry FROM 24 FOR 64) = convert_to(encode(v.sha256, 'hex'), 'UTF8')
)
ORDER BY v.sha256;
