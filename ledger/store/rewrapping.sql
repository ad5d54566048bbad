-- name: lock
SELECT pg_try_advisory_lock(hashtextextended('vaxledger rewrap', 0));

-- name: register
INSERT INTO keys.keks (name, number) VALUES (%b, %b) ON CONFLICT DO NOTHING;

-- name: close_others
UPDATE keys.keks SET closed_at = now() WHERE name <> %b AND closed_at IS NULL;

-- name: count
SELECT count(*) FROM keys.people_keys WHERE kek = %b;

-- name: count_others
SELECT count(*) FROM keys.people_keys WHERE kek <> %b;

-- name: is_closed
SELECT closed_at IS NOT NULL FROM keys.keks WHERE name = %b;

-- name: next
SELECT handle, wrapped, kek FROM keys.people_keys WHERE kek = ANY(%b::text[])
ORDER BY kek, handle LIMIT %b;

-- name: rewrap
-- A person whose key was destroyed meanwhile has no row any more.
UPDATE keys.people_keys p SET wrapped = fresh.wrapped, kek = %b
FROM unnest(%b::uuid[], %b::bytea[], %b::text[]) fresh (handle, wrapped, old)
WHERE p.handle = fresh.handle AND p.kek = fresh.old;

-- name: retire
UPDATE keys.keks SET retired_at = now() WHERE name = %b AND retired_at IS NULL;

-- name: since
SELECT since FROM keys.keks WHERE name = %b;
