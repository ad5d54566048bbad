-- name: begin_append
SELECT size, recorded_at, published, halted, versions,
       requests, first_positions, counts, leaves, owners
FROM ledger.begin_append(%b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::bytea[]);

-- name: finish_append
SELECT ledger.finish_append(
    %b::bigint, %b::timestamptz,
    %b::uuid[], %b::bigint[], %b::timestamptz[], %b::text[], %b::text[], %b::bytea[], %b::bytea[],
    %b::uuid[], %b::uuid[], %b::bytea[], %b::bigint[], %b::integer[],
    %b::text[], %b::bytea[],
    %b::text[], %b::bytea[], %b::uuid[], %b::bigint[],
    %b::bytea[], %b::bytea[],
    %b::bytea[], %b::uuid[], %b::bigint[], %b::bytea[]
);

-- name: time
SELECT clock_timestamp();

-- name: newest
SELECT recorded_at FROM ledger.head;
