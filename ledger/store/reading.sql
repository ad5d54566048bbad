-- name: published
SELECT published FROM ledger.checkpoint;

-- name: checkpoint
SELECT c.published, c.published_note, w.note, w.lines
FROM ledger.checkpoint c LEFT JOIN ledger.cosigned w ON w.size = c.published;

-- name: checkpoint_covering
-- The first that was kept at a size or beyond it: one a minute is.
SELECT size, note FROM ledger.checkpoints
WHERE size >= %b::bigint AND size <= (SELECT published FROM ledger.checkpoint)
ORDER BY size LIMIT 1;

-- name: checkpoint_made_at
SELECT max(made_at) FROM ledger.checkpoints;

-- name: witnessed
SELECT size, note || lines FROM ledger.cosigned
WHERE quorum AND size <= (SELECT published FROM ledger.checkpoint)
ORDER BY size DESC LIMIT 1;

-- name: witnesses
SELECT name, cosigned, cosigned_at, failing_since, problem, alarm, refusals, alarms
FROM ledger.witnesses ORDER BY name;

-- name: entries
SELECT position, entry, leaf FROM ledger.entries
WHERE position >= %b::bigint
  AND position <= least(%b::bigint, (SELECT published FROM ledger.checkpoint))
ORDER BY position;

-- name: entries_of_province
-- Found by the index of the same name, as in the next two; `starts_with` is for prefixes of a length
-- between the indexes'.
SELECT position, entry, leaf FROM ledger.entries
WHERE left(division, 2) = left(%(division)b, 2) AND starts_with(division, %(division)b)
  AND position >= %(first)b::bigint
  AND position <= least(%(last)b::bigint, (SELECT published FROM ledger.checkpoint))
ORDER BY position LIMIT %(limit)b::bigint;

-- name: entries_of_city
SELECT position, entry, leaf FROM ledger.entries
WHERE left(division, 4) = left(%(division)b, 4) AND starts_with(division, %(division)b)
  AND position >= %(first)b::bigint
  AND position <= least(%(last)b::bigint, (SELECT published FROM ledger.checkpoint))
ORDER BY position LIMIT %(limit)b::bigint;

-- name: entries_of_county
SELECT position, entry, leaf FROM ledger.entries
WHERE left(division, 6) = left(%(division)b, 6) AND starts_with(division, %(division)b)
  AND position >= %(first)b::bigint
  AND position <= least(%(last)b::bigint, (SELECT published FROM ledger.checkpoint))
ORDER BY position LIMIT %(limit)b::bigint;

-- name: entries_at
SELECT position, entry, leaf FROM ledger.entries
WHERE position = ANY(%b::bigint[]) AND position <= (SELECT published FROM ledger.checkpoint)
ORDER BY position;

-- name: streams
SELECT stream, position, entry, leaf FROM ledger.entries
WHERE stream = ANY(%b::uuid[])
ORDER BY stream, version;

-- name: envelope
SELECT envelope FROM ledger.envelopes WHERE sha256 = %b;

-- name: envelopes
SELECT sha256, envelope FROM ledger.envelopes WHERE sha256 = ANY(%b::bytea[]);

-- name: blobs
SELECT sha256, blob FROM ledger.blobs WHERE sha256 = ANY(%b::bytea[]);

-- name: tiles
SELECT level, index, hashes FROM ledger.tiles
WHERE (level, index) IN (SELECT * FROM unnest(%b::integer[], %b::bigint[]));

-- name: known_at
SELECT ledger.position_known_at(%b::timestamptz, published) FROM ledger.checkpoint;

-- name: signed_by
-- The first comparison is the index's, of half a digest; the second tells for certain.
SELECT position, entry, leaf FROM ledger.entries
WHERE substring(entry FROM 99 FOR 16) = substring(%(keyid)b::bytea FROM 1 FOR 16)
  AND substring(entry FROM 99 FOR 64) = %(keyid)b::bytea
  AND position > %(after)b::bigint AND position <= (SELECT published FROM ledger.checkpoint)
ORDER BY position LIMIT %(limit)b::bigint;

-- name: log_keys
SELECT position, entry FROM ledger.entries
WHERE topic LIKE 'log.key-%' AND position <= (SELECT published FROM ledger.checkpoint)
ORDER BY position;

-- name: previous
SELECT
    (SELECT max(position) FROM ledger.entries
     WHERE left(division, 2) = left(%(division)b, 2) AND position < %(position)b::bigint),
    (SELECT max(position) FROM ledger.entries
     WHERE left(division, 4) = left(%(division)b, 4) AND position < %(position)b::bigint),
    (SELECT max(position) FROM ledger.entries
     WHERE left(division, 6) = left(%(division)b, 6) AND position < %(position)b::bigint);

-- name: previous_many
-- Most predecessors lie within the range itself; only the first entry of each province, city and
-- county needs a look-up before it (coalesce evaluates that sub-query only where lag found none).
WITH ranged AS MATERIALIZED (
    SELECT position, division,
        lag(position) OVER (PARTITION BY left(division, 2) ORDER BY position) AS province,
        lag(position) OVER (PARTITION BY left(division, 4) ORDER BY position) AS city,
        lag(position) OVER (PARTITION BY left(division, 6) ORDER BY position) AS county
    FROM ledger.entries
    WHERE position BETWEEN %(first)b::bigint AND %(last)b::bigint
)
SELECT position,
    coalesce(province, (
        SELECT max(e.position) FROM ledger.entries e
        WHERE left(e.division, 2) = left(r.division, 2) AND e.position < %(first)b::bigint
    ), 0),
    coalesce(city, (
        SELECT max(e.position) FROM ledger.entries e
        WHERE left(e.division, 4) = left(r.division, 4) AND e.position < %(first)b::bigint
    ), 0),
    coalesce(county, (
        SELECT max(e.position) FROM ledger.entries e
        WHERE left(e.division, 6) = left(r.division, 6) AND e.position < %(first)b::bigint
    ), 0)
FROM ranged r ORDER BY position;

-- name: previous_of
SELECT r.position,
    coalesce((
        SELECT max(e.position) FROM ledger.entries e
        WHERE left(e.division, 2) = left(r.division, 2) AND e.position < r.position
    ), 0),
    coalesce((
        SELECT max(e.position) FROM ledger.entries e
        WHERE left(e.division, 4) = left(r.division, 4) AND e.position < r.position
    ), 0),
    coalesce((
        SELECT max(e.position) FROM ledger.entries e
        WHERE left(e.division, 6) = left(r.division, 6) AND e.position < r.position
    ), 0)
FROM ledger.entries r WHERE r.position = ANY(%b::bigint[]);

-- name: recorded
-- An entry, whether a checkpoint covers it or not.
SELECT entry FROM ledger.entries WHERE position = %b;

-- name: answered
-- What an idempotency key of an author stands for.
SELECT request, first_position, count FROM ledger.idempotency WHERE author = %b AND key = %b;

-- name: access_closings
-- The topic stands here and is no parameter: only so its partial index serves.
SELECT position, entry FROM ledger.entries
WHERE topic = 'access-journal.closed.v1' AND position > %b::bigint
ORDER BY position LIMIT %b;
