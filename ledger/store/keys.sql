-- name: select_keys
SELECT handle, wrapped, kek FROM keys.people_keys WHERE handle = ANY(%b::uuid[]);

-- name: insert_keys
SELECT keys.insert_keys(%b, %b::integer, %b::uuid[], %b::bytea[]);

-- name: insert_index
INSERT INTO keys.blind_index (kind, digest, handle, record) VALUES (%b, %b, %b, %b)
ON CONFLICT DO NOTHING;

-- name: select_index
SELECT handle, record FROM keys.blind_index WHERE kind = %b AND digest = %b
ORDER BY handle, record;

-- name: select_records
SELECT DISTINCT record FROM keys.blind_index WHERE handle = %b ORDER BY record;
