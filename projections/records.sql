-- Records and their timeline.

-- name: copy_records
COPY records (record, recipient, kind, birth_year, managing_organisation, division, roll,
              registered_on, registered_position)
FROM STDIN

-- name: copy_guardians
COPY guardians (record, ordinal, person, relation) FROM STDIN

-- name: copy_rolls
COPY rolls (record, position, status, moved_on, effective_on, managing_organisation, division)
FROM STDIN

-- name: copy_timeline
COPY timeline (position, record, stream, version, topic, recorded_at, organisation, keyid,
               occurred_on, effective_on, dose)
FROM STDIN

-- name: follow_rolls
-- The newest state of the roll; a move within the same clinic names no organisation.
UPDATE records r
SET roll = newest.status,
    managing_organisation = newest.managing_organisation,
    division = newest.division
FROM (
    SELECT l.record,
           (array_agg(l.status ORDER BY l.position DESC))[1] AS status,
           (array_agg(l.managing_organisation ORDER BY l.position DESC)
                FILTER (WHERE l.managing_organisation IS NOT NULL))[1] AS managing_organisation,
           (array_agg(l.division ORDER BY l.position DESC)
                FILTER (WHERE l.division IS NOT NULL))[1] AS division
    FROM rolls l WHERE l.record = ANY(%(records)s) GROUP BY l.record
) newest
WHERE r.record = newest.record

-- name: add_guardian
INSERT INTO guardians (record, ordinal, person, relation)
SELECT %(record)s, coalesce(max(ordinal) + 1, 0), %(person)s, %(relation)s
FROM guardians WHERE record = %(record)s

-- name: remove_guardian
DELETE FROM guardians WHERE record = %(record)s AND person = %(person)s

-- name: merge
INSERT INTO merges (record, survivor, from_position, to_position)
VALUES (%(record)s, %(survivor)s, %(position)s, 9223372036854775807)

-- name: separate
UPDATE merges SET to_position = %(position)s
WHERE record = %(record)s AND survivor = %(survivor)s AND to_position = 9223372036854775807

-- name: amend_birth_years
UPDATE records r SET birth_year = amended.birth_year
FROM unnest(%(records)s::uuid[], %(years)s::integer[]) AS amended (record, birth_year)
WHERE r.record = amended.record

-- name: records_of_streams
SELECT stream::text, record::text FROM timeline
WHERE stream = ANY(%(streams)s::uuid[]) AND version = 1 AND stream <> record

-- name: record
SELECT r.record, r.recipient, r.kind, r.birth_year, r.managing_organisation, r.division, r.roll,
       r.registered_on, r.registered_position,
       (SELECT max(t.version) FROM views.timeline t
        WHERE t.record = r.record AND t.stream = r.record) AS version,
       (SELECT m.survivor FROM views.merges m
        WHERE m.record = r.record AND m.to_position = 9223372036854775807) AS merged_into
FROM views.records r WHERE r.record = %(record)s

-- name: guardians
SELECT person, relation FROM views.guardians WHERE record = %(record)s ORDER BY ordinal

-- name: rolls
SELECT position, status, moved_on, effective_on, managing_organisation, division
FROM views.rolls WHERE record = %(record)s ORDER BY position

-- name: merged
SELECT record FROM views.merges
WHERE survivor = %(record)s AND to_position = 9223372036854775807 ORDER BY from_position

-- name: records_of_person
SELECT record FROM views.records
WHERE recipient = %(handle)s
   OR record IN (SELECT record FROM views.guardians WHERE person = %(handle)s)
ORDER BY registered_position

-- name: records_managed_by
SELECT r.record FROM views.records r
WHERE r.managing_organisation = %(organisation)s AND r.registered_position > %(after)s
  AND NOT EXISTS (SELECT FROM views.merges m
                  WHERE m.record = r.record AND m.to_position = 9223372036854775807)
ORDER BY registered_position LIMIT %(limit)s

-- name: timelines
-- A page of each question: the lines of each of its records, as many as the page may have in all.
SELECT asked.number, t.position, t.record, t.stream, t.version, t.topic, t.recorded_at,
       t.organisation, t.keyid, t.occurred_on, t.effective_on, t.dose
FROM unnest(%(numbers)s::integer[], %(records)s::uuid[], %(afters)s::bigint[],
            %(up_to)s::bigint[], %(limits)s::integer[]) AS asked (number, record, after, up_to, most)
CROSS JOIN LATERAL (
    SELECT * FROM views.timeline
    WHERE record = asked.record AND position > asked.after AND position <= asked.up_to
    ORDER BY position LIMIT asked.most
) AS t
ORDER BY asked.number, t.position

-- name: streams_of_record
SELECT DISTINCT stream FROM views.timeline WHERE record = %(record)s

-- name: records_of_positions
SELECT position, record FROM views.timeline WHERE position = ANY(%(positions)s::bigint[])
ORDER BY position

-- name: positions_of_records
SELECT position, record FROM views.timeline WHERE record = ANY(%(records)s::uuid[])
ORDER BY position

-- name: newest_statements
-- Of a child's records, those that were merged are one.
SELECT asked.record, newest.stream
FROM unnest(%(records)s::uuid[]) AS asked (record)
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT m.survivor FROM views.merges m WHERE m.record = asked.record
                       AND m.from_position <= %(at)s AND %(at)s < m.to_position), asked.record)
) AS child (survivor)
CROSS JOIN LATERAL (
    SELECT t.stream FROM views.timeline t
    WHERE t.record = ANY (ARRAY(
            SELECT child.survivor UNION ALL
            SELECT m.record FROM views.merges m WHERE m.survivor = child.survivor
               AND m.from_position <= %(at)s AND %(at)s < m.to_position))
      AND t.position <= %(at)s AND t.topic = 'check-statement.issued.v1'
    ORDER BY t.position DESC LIMIT 1
) AS newest
