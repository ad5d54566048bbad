-- Claims as they are held now, whether a checkpoint covers them or not.

-- name: owners
SELECT c.stream
FROM unnest(%b::text[], %b::bytea[]) WITH ORDINALITY asked (kind, key, n)
LEFT JOIN LATERAL (
    SELECT stream FROM ledger.claims WHERE kind = asked.kind AND key = asked.key LIMIT 1
) c ON true
ORDER BY asked.n;

-- name: holders
SELECT kind, stream FROM ledger.claims WHERE kind = ANY(%b::text[]) AND key = ANY(%b::bytea[]);

-- name: held_within
SELECT asked.n, c.key
FROM unnest(%b::text[], %b::bytea[], %b::bytea[]) WITH ORDINALITY asked (kind, first, last, n)
CROSS JOIN LATERAL (
    SELECT key FROM ledger.claims
    WHERE kind = asked.kind AND key >= asked.first AND key <= asked.last ORDER BY key
) c;

-- name: claimed
SELECT stream, position FROM ledger.claims WHERE kind = %b ORDER BY position;
