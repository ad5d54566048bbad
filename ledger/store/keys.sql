-- name: select_keys
SELECT handle, wrapped, kek FROM keys.people_keys WHERE handle = ANY(%b::uuid[]);

-- name: select_keyless
SELECT handle FROM unnest(%b::uuid[]) AS asked (handle)
WHERE NOT EXISTS (SELECT FROM keys.people_keys held WHERE held.handle = asked.handle);

-- name: insert_keys
-- With the numbers of their people, in one transaction.
WITH numbers AS (
    INSERT INTO keys.blind_index (kind, digest, handle, record)
    SELECT * FROM unnest(%b::text[], %b::bytea[], %b::uuid[], %b::uuid[])
    ON CONFLICT DO NOTHING
)
SELECT keys.insert_keys(%b, %b::integer, %b::uuid[], %b::bytea[]);

-- name: insert_index
INSERT INTO keys.blind_index (kind, digest, handle, record)
SELECT * FROM unnest(%b::text[], %b::bytea[], %b::uuid[], %b::uuid[])
ON CONFLICT DO NOTHING;

-- name: select_index
SELECT handle, record FROM keys.blind_index WHERE kind = %b AND digest = %b
ORDER BY handle, record;

-- name: select_indexes
SELECT asked.who, i.kind, i.handle, i.record
FROM unnest(%b::integer[], %b::text[], %b::bytea[]) WITH ORDINALITY asked (who, kind, digest, n)
JOIN keys.blind_index i USING (kind, digest)
ORDER BY asked.n, i.handle, i.record;

-- name: select_records
SELECT DISTINCT record FROM keys.blind_index WHERE handle = %b ORDER BY record;

-- name: select_sharing
SELECT asked.kind, asked.digest, i.record
FROM unnest(%b::text[], %b::bytea[]) AS asked (kind, digest)
CROSS JOIN LATERAL (
    SELECT DISTINCT record FROM keys.blind_index
    WHERE kind = asked.kind AND digest = asked.digest LIMIT %b::integer
) i;

-- name: select_pairs
-- A digest that very many records share says nothing, and its pairs would be without number.
WITH shared AS (
    SELECT kind, digest FROM keys.blind_index WHERE kind = ANY(%b::text[])
    GROUP BY kind, digest HAVING count(DISTINCT record) BETWEEN 2 AND %b::integer
)
SELECT a.record, b.record, array_agg(DISTINCT kind)
FROM shared
JOIN keys.blind_index a USING (kind, digest)
JOIN keys.blind_index b USING (kind, digest)
WHERE a.record < b.record AND (a.record, b.record) > (%b::uuid, %b::uuid)
GROUP BY a.record, b.record ORDER BY a.record, b.record LIMIT %b::integer;
