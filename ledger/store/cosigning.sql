-- name: newest
SELECT published, published_note FROM ledger.checkpoint WHERE published_note IS NOT NULL;

-- name: claim
-- Whoever gets a row may ask, until `until`; nobody else does meanwhile, in whatever process.
INSERT INTO ledger.witnesses AS w (name, ask_after)
VALUES (%(name)b::text, %(until)b::timestamptz)
ON CONFLICT (name) DO UPDATE SET ask_after = excluded.ask_after
WHERE w.ask_after <= %(now)b::timestamptz
  AND (w.cosigned IS DISTINCT FROM %(size)b::bigint OR w.problem IS NOT NULL
       OR w.cosigned_at <= %(stale)b::timestamptz)
RETURNING holds, failures;

-- name: lock_cosigned
SELECT pg_advisory_xact_lock(%b::bigint);

-- name: kept
SELECT note, lines FROM ledger.cosigned WHERE size = %b::bigint;

-- name: keep
INSERT INTO ledger.cosigned (size, note, lines, quorum, made_at)
VALUES (%(size)b::bigint, %(note)b, %(lines)b, %(quorum)b::boolean, %(now)b::timestamptz)
ON CONFLICT (size) DO UPDATE SET note = excluded.note, lines = excluded.lines,
    quorum = excluded.quorum;

-- name: thin_out
-- What stays: whatever is less than a minute old, the newest, the newest with a quorum, and the
-- first with a quorum in each minute.
DELETE FROM ledger.cosigned c
WHERE c.made_at <= %(now)b::timestamptz - interval '1 minute'
  AND c.made_at > %(now)b::timestamptz - interval '1 hour'
  AND c.size < (SELECT max(size) FROM ledger.cosigned)
  AND c.size IS DISTINCT FROM (SELECT max(size) FROM ledger.cosigned WHERE quorum)
  AND (NOT c.quorum OR EXISTS (
      SELECT FROM ledger.cosigned earlier
      WHERE earlier.quorum AND earlier.made_at < c.made_at
        AND earlier.made_at >= date_trunc('minute', c.made_at)
  ));

-- name: succeeded
UPDATE ledger.witnesses
SET ask_after = %(ask_after)b::timestamptz, holds = %(size)b::bigint, cosigned = %(size)b::bigint,
    cosigned_at = %(now)b::timestamptz, failures = 0, failing_since = NULL, problem = NULL,
    alarm = NULL
WHERE name = %(name)b::text;

-- name: failed
UPDATE ledger.witnesses
SET ask_after = %(ask_after)b::timestamptz, failures = failures + 1,
    holds = coalesce(%(holds)b::bigint, holds),
    failing_since = coalesce(failing_since, %(now)b::timestamptz),
    problem = %(problem)b::text,
    alarm = coalesce(%(alarm)b::text, alarm),
    refusals = refusals + %(refused)b::integer,
    alarms = alarms + %(alarming)b::integer
WHERE name = %(name)b::text;

-- name: distrust
-- Under a stricter policy what sufficed before may not any more.
UPDATE ledger.cosigned SET quorum = false WHERE quorum;

-- name: newest_with_quorum
SELECT note || lines FROM ledger.cosigned WHERE quorum ORDER BY size DESC LIMIT 1;
