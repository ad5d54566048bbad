-- Positions and parked streams; unqualified, for the schema that the connection works in.

-- name: positions
SELECT name, position FROM positions WHERE name = ANY(%(names)s)

-- name: lock_positions
SELECT name, position FROM positions WHERE name = ANY(%(names)s) ORDER BY name FOR UPDATE

-- name: advance_positions
UPDATE positions SET position = %(position)s WHERE name = ANY(%(names)s)

-- name: begin_position
INSERT INTO positions (name, position) VALUES (%(name)s, 0)
ON CONFLICT (name) DO UPDATE SET position = 0

-- name: end_position
DELETE FROM positions WHERE name = %(name)s

-- name: parked_streams
SELECT DISTINCT name, stream FROM parked WHERE name = ANY(%(names)s)

-- name: parked_positions
SELECT position FROM parked WHERE name = %(name)s AND stream = %(stream)s ORDER BY position

-- name: parked
SELECT name, stream, position, error FROM parked
WHERE name = ANY(%(names)s) AND error IS NOT NULL ORDER BY name, position

-- name: park
INSERT INTO parked (name, stream, position, error)
VALUES (%(name)s, %(stream)s, %(position)s, %(error)s)

-- name: unpark
DELETE FROM parked WHERE name = %(name)s AND stream = %(stream)s

-- name: unpark_all
DELETE FROM parked WHERE name = %(name)s

-- name: notify
SELECT pg_notify('vaxledger_projected', name || ' ' || %(position)s)
FROM unnest(%(names)s::text[]) AS advanced (name)

-- name: try_lock_rebuild
SELECT pg_try_advisory_lock(hashtextextended('vaxledger rebuild ' || %(name)s, 0))

-- name: indexes_of_readers
-- Those of a table that enforce nothing, and begin with a column by which no entry seeks rows.
SELECT n.nspname, c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = %(table)s::regclass AND NOT i.indisunique
  AND a.attname <> ALL (%(sought)s::text[])
ORDER BY c.relname
