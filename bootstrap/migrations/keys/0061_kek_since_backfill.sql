-- Backfill: a version wraps since the one before it was closed; the first since the oldest key.

UPDATE keys.keks k SET since = coalesce(
    (SELECT max(older.closed_at) FROM keys.keks older WHERE older.number < k.number),
    (SELECT min(made_at) FROM keys.people_keys),
    now()
)
WHERE since IS NULL;
