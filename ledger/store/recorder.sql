-- name: select_events
SELECT stream, version, topic, entry FROM ledger.entries
WHERE stream = %b AND version > %b::bigint AND version <= %b::bigint
ORDER BY version LIMIT %b::bigint;

-- name: select_events_backwards
SELECT stream, version, topic, entry FROM ledger.entries
WHERE stream = %b AND version > %b::bigint AND version <= %b::bigint
ORDER BY version DESC LIMIT %b::bigint;

-- name: select_notifications
SELECT stream, version, topic, entry, position FROM ledger.entries
WHERE position >= %b::bigint AND position <= %b::bigint
ORDER BY position LIMIT %b::bigint;

-- name: select_notifications_of_topics
SELECT stream, version, topic, entry, position FROM ledger.entries
WHERE position >= %b::bigint AND position <= %b::bigint AND topic = ANY(%b::text[])
ORDER BY position LIMIT %b::bigint;

-- name: newest_position
SELECT nullif(size, 0) FROM ledger.head;
