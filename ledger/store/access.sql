-- name: note
SELECT access.note(%b::jsonb);

-- name: close_past
SELECT access.close_past();

-- name: unlogged
SELECT DISTINCT r.minute FROM access.reads r, access.closed c
WHERE r.minute <= c.through
  AND r.minute > coalesce((SELECT max(minute) FROM access.logged), timestamptz 'epoch')
ORDER BY r.minute;

-- name: logged
INSERT INTO access.logged (minute) VALUES (%b) ON CONFLICT DO NOTHING;

-- name: minute
SELECT id, minute, at, organisation, role, reader, purpose, what, records
FROM access.reads WHERE minute = %b::timestamptz ORDER BY id;

-- name: closed_minutes
SELECT DISTINCT r.minute FROM access.reads r, access.closed c
WHERE r.minute <= c.through ORDER BY r.minute;

-- name: of_record
SELECT id, minute, at, organisation, role, reader, purpose, what, records
FROM access.reads WHERE records @> ARRAY[%b::uuid]
ORDER BY at DESC, id LIMIT %b;

-- name: counts
SELECT record, organisation, role, purpose, what, count(*), min(at), max(at)
FROM access.reads, unnest(records) record
WHERE at >= %b::timestamptz AND at < %b::timestamptz
GROUP BY record, organisation, role, purpose, what
ORDER BY record;
