-- The roll of a clinic (在册) on a civil day, as known at a position.
--
-- A state of the roll that names no organisation leaves the record where it was. A record that was
-- merged into another stands on the roll as that one.

-- name: stood
-- What the other queries begin with.
WITH stood AS (
    SELECT c.record, s.status, s.moved_on, s.position
    FROM (
        SELECT DISTINCT record FROM views.rolls
        WHERE managing_organisation = %(clinic)s AND record > %(after)s
    ) c
    CROSS JOIN LATERAL (
        SELECT status, moved_on, position FROM views.rolls l
        WHERE l.record = c.record AND l.effective_on <= %(day)s AND l.position <= %(at)s
        ORDER BY l.position DESC LIMIT 1
    ) s
    CROSS JOIN LATERAL (
        SELECT managing_organisation FROM views.rolls l
        WHERE l.record = c.record AND l.effective_on <= %(day)s AND l.position <= %(at)s
          AND l.managing_organisation IS NOT NULL
        ORDER BY l.position DESC LIMIT 1
    ) m
    WHERE m.managing_organisation = %(clinic)s
      AND NOT EXISTS (SELECT FROM views.merges g WHERE g.record = c.record
                      AND g.from_position <= %(at)s AND %(at)s < g.to_position)
)

-- name: counts
SELECT status, count(*) FROM stood GROUP BY status ORDER BY status

-- name: lines
SELECT r.record, r.recipient, r.kind, r.birth_year, r.registered_on, s.status, s.moved_on,
       s.position
FROM stood s JOIN views.records r USING (record)
WHERE %(status)s::text IS NULL OR s.status = %(status)s
ORDER BY r.record LIMIT %(limit)s
