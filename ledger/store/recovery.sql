-- name: standing
SELECT h.size, c.size, c.note FROM ledger.head h, ledger.checkpoint c;

-- name: appending
-- Sessions that may append, ours left out. Other accounts hide their name here, but they may not.
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'vaxledger-writer'
  AND pid <> pg_backend_pid();

-- name: locked_head
SELECT size, recorded_at FROM ledger.head FOR UPDATE;

-- name: entries_between
SELECT position, entry FROM ledger.entries
WHERE position > %b::bigint AND position <= %b::bigint ORDER BY position;

-- name: take_claim
-- In the order of the log, and again after a crash: who holds it already keeps it.
INSERT INTO ledger.claims (kind, key, stream, position)
VALUES (%b::text, %b::bytea, %b::uuid, %b::bigint)
ON CONFLICT (kind, key) DO NOTHING;

-- name: leave_to_earlier
-- A later entry took it, since an earlier one came from a release that did not.
DELETE FROM ledger.claims WHERE kind = %b::text AND key = %b::bytea AND position > %b::bigint;

-- name: release_claim
DELETE FROM ledger.claims WHERE kind = %b::text AND key = %b::bytea AND stream = %b::uuid;

-- name: release_claims
DELETE FROM ledger.claims WHERE kind = %b::text AND stream = %b::uuid;

-- name: newest_entry
SELECT e.position, h.recorded_at, e.entry
FROM ledger.head h JOIN ledger.entries e ON e.position = h.size;

-- name: put_aside
SELECT ledger.put_aside(%b::text);
