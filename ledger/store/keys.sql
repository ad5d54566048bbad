-- name: select_keys
SELECT handle, wrapped, kek FROM keys.people_keys WHERE handle = ANY(%b::uuid[]);

-- name: insert_keys
INSERT INTO keys.people_keys (handle, wrapped, kek)
SELECT handle, wrapped, %b::text FROM unnest(%b::uuid[], %b::bytea[]) fresh (handle, wrapped)
ON CONFLICT (handle) DO NOTHING;

-- name: insert_index
INSERT INTO keys.blind_index (kind, digest, handle, record) VALUES (%b, %b, %b, %b)
ON CONFLICT DO NOTHING;

-- name: select_index
SELECT handle, record FROM keys.blind_index WHERE kind = %b AND digest = %b
ORDER BY handle, record;
