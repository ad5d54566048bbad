-- name: delete_keys
DELETE FROM keys.people_keys WHERE handle = ANY(%b::uuid[]);

-- name: delete_index
-- A person who is kept is found by the other records still.
DELETE FROM keys.blind_index WHERE handle = ANY(%b::uuid[]) OR record = ANY(%b::uuid[]);

-- name: delete_blobs
DELETE FROM ledger.blobs WHERE subject = ANY(%b::uuid[]) OR sha256 = ANY(%b::bytea[]);
