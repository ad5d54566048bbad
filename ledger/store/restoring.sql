-- name: has_table
SELECT to_regclass(%s) IS NOT NULL;

-- name: entries
SELECT coalesce(max(position), 0) FROM ledger.entries;

-- name: people_keys
SELECT count(*) FROM keys.people_keys;

-- name: tables
SELECT schemaname::text, tablename::text FROM pg_tables WHERE schemaname = ANY(%s::text[])
ORDER BY schemaname, tablename;
