-- name: lead
SELECT pg_try_advisory_lock(%b::bigint);

-- name: state
SELECT h.size, c.size, c.note, c.published FROM ledger.head h, ledger.checkpoint c;

-- name: locked_state
SELECT size, note FROM ledger.checkpoint FOR UPDATE;

-- name: following
SELECT position, leaf, entry FROM ledger.entries
WHERE position > %b::bigint AND position <= %b::bigint
ORDER BY position;

-- name: tile
SELECT hashes FROM ledger.tiles WHERE level = %b::integer AND index = %b::bigint;

-- name: tiles
SELECT level, index, hashes FROM ledger.tiles t
JOIN unnest(%b::integer[], %b::bigint[]) wanted (level, index) USING (level, index);

-- name: write_tiles
INSERT INTO ledger.tiles (level, index, hashes)
SELECT level, index, hashes FROM unnest(%b::integer[], %b::bigint[], %b::bytea[])
    grown (level, index, hashes)
ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes;

-- name: swap
-- Compare and swap: whoever lost the lead in the meantime changes nothing.
UPDATE ledger.checkpoint SET size = %(size)b::bigint, note = %(note)b
WHERE size = %(old_size)b::bigint AND note IS NOT DISTINCT FROM %(old_note)b::bytea;

-- name: keep_one_a_minute
INSERT INTO ledger.checkpoints (size, note, made_at)
SELECT %(size)b::bigint, %(note)b::bytea, %(made_at)b::timestamptz
WHERE NOT EXISTS (
    SELECT FROM ledger.checkpoints
    WHERE made_at > %(made_at)b::timestamptz - interval '1 minute'
)
ON CONFLICT (size) DO NOTHING;

-- name: publish
WITH published AS (
    UPDATE ledger.checkpoint SET published = %(size)b::bigint, published_note = %(note)b
    WHERE size >= %(size)b::bigint
      AND (published < %(size)b::bigint OR published_note IS NULL)
    RETURNING published
)
SELECT pg_notify('vaxledger_published', published::text) FROM published;

-- name: log_keys
-- A handful of entries in the life of a log; a partial index holds just these.
SELECT position, entry FROM ledger.entries
WHERE topic LIKE 'log.key-%%' AND position > %b::bigint AND position <= %b::bigint
ORDER BY position;
