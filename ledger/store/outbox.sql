-- Messages to people outside.

-- name: position
SELECT position FROM outbox.position;

-- name: advance
UPDATE outbox.position SET position = %b::bigint WHERE position = %b::bigint;

-- name: put
INSERT INTO outbox.messages (id, kind, stream, about, put_at, due_at)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::uuid[], %b::text[], %b::timestamptz[],
                     %b::timestamptz[])
ON CONFLICT (id) DO NOTHING;

-- name: take
-- Until the lease is over nobody else takes them.
UPDATE outbox.messages m
SET due_at = %(lease)b::timestamptz, attempts = m.attempts + 1
FROM (
    SELECT id, due_at FROM outbox.messages
    WHERE state = 'waiting' AND due_at <= %(now)b::timestamptz
    ORDER BY due_at LIMIT %(limit)b::bigint FOR UPDATE SKIP LOCKED
) due
WHERE m.id = due.id
RETURNING m.id, m.kind, m.stream, m.about, m.put_at, due.due_at, m.attempts;

-- name: settle
UPDATE outbox.messages
SET state = %(state)b::text, problem = %(problem)b::text, settled_at = %(at)b::timestamptz
WHERE id = %(id)b::uuid AND state = 'waiting';

-- name: postpone
UPDATE outbox.messages SET due_at = %(due_at)b::timestamptz, problem = %(problem)b::text
WHERE id = %(id)b::uuid AND state = 'waiting';

-- name: standing
SELECT min(due_at) FILTER (WHERE state = 'waiting'),
       count(*) FILTER (WHERE state = 'waiting'),
       count(*) FILTER (WHERE state = 'failed'),
       count(*) FILTER (WHERE state = 'unreachable'),
       max(settled_at) FILTER (WHERE state = 'failed')
FROM outbox.messages WHERE state <> 'sent';

-- name: counts
SELECT state, count(*) FROM outbox.messages WHERE state <> 'sent' GROUP BY state;
