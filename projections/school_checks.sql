-- School checks: applying, the class register (annex 3) and the roll-up (annex 4).

-- name: copy_enrolments
COPY enrolments (enrolment, from_position, to_position, enrolled_position, record, institution,
                 division, school_year, class_name, entry_type, admission, number, joined_on,
                 checked_on, has_certificate, age_years, annex1_row, complete, requirement,
                 requirement_version, record_version, reissued_on, rechecked_on, completed)
FROM STDIN

-- name: copy_cells
COPY cells (enrolment, vaccine_group, dose_number, from_position, to_position, exempt, made_up_on)
FROM STDIN

-- name: copy_restated_checks
COPY restated_checks (enrolment, correction, position) FROM STDIN

-- name: copy_notices_given
COPY notices_given (enrolment, position, given_on, channel, requirement, requirement_version)
FROM STDIN

-- name: note_twice_enrolled
INSERT INTO twice_enrolled (record, school_year, entry_type)
SELECT record, school_year, entry_type FROM enrolments WHERE record = ANY(%(records)s::uuid[])
GROUP BY record, school_year, entry_type HAVING count(DISTINCT enrolment) > 1
ON CONFLICT DO NOTHING

-- name: note_merged_children
INSERT INTO twice_enrolled (record, school_year, entry_type)
SELECT one.record, e.school_year, e.entry_type
FROM unnest(%(records)s::uuid[], %(survivors)s::uuid[], %(positions)s::bigint[])
    AS merge (record, survivor, position)
JOIN enrolments e ON e.record = merge.record AND e.enrolled_position < merge.position
CROSS JOIN LATERAL (VALUES (merge.record), (merge.survivor)) AS one (record)
ON CONFLICT DO NOTHING

-- name: open_enrolments
SELECT enrolment::text, from_position, enrolled_position, record, institution, division,
       school_year, class_name, entry_type, admission, number, joined_on, checked_on,
       has_certificate, age_years, annex1_row, complete, requirement, requirement_version,
       record_version, reissued_on, rechecked_on, completed
FROM enrolments
WHERE enrolment = ANY(%(enrolments)s::uuid[]) AND to_position = 9223372036854775807

-- name: open_cells
SELECT enrolment::text, vaccine_group, dose_number, from_position, exempt, made_up_on
FROM cells
WHERE enrolment = ANY(%(enrolments)s::uuid[]) AND to_position = 9223372036854775807

-- name: close_enrolments
UPDATE enrolments e SET to_position = closed.known_to
FROM unnest(%(enrolments)s::uuid[], %(known)s::bigint[], %(until)s::bigint[])
    AS closed (enrolment, from_position, known_to)
WHERE e.enrolment = closed.enrolment AND e.from_position = closed.from_position

-- name: close_cells
UPDATE cells c SET to_position = closed.known_to
FROM unnest(%(enrolments)s::uuid[], %(groups)s::text[], %(numbers)s::integer[],
            %(known)s::bigint[], %(until)s::bigint[])
    AS closed (enrolment, vaccine_group, dose_number, from_position, known_to)
WHERE c.enrolment = closed.enrolment AND c.vaccine_group = closed.vaccine_group
  AND c.dose_number = closed.dose_number AND c.from_position = closed.from_position

-- name: position
SELECT position FROM views.positions WHERE name = 'school_checks'

-- name: class_register
-- A row for each child of a class, under the name and division of its school; without children one
-- row with nothing of a child. Claims of the log are read as they are held now. What the piece calls
-- at is known.at here.
WITH class AS MATERIALIZED (  -- else it is found by its year, among those of all schools
    SELECT * FROM views.enrolments
    WHERE institution = %(institution)s AND school_year = %(school_year)s
      AND class_name = %(class_name)s
)
SELECT known.at, school.name, school.division,
       child.enrolment, child.record, child.number, child.admission, child.joined_on,
       child.checked_on, child.has_certificate, child.complete, child.completed,
       child.reissued_on, child.rechecked_on,
       (SELECT json_agg(json_build_array(c.vaccine_group, c.dose_number, c.exempt, c.made_up_on))
        FROM views.cells c
        WHERE c.enrolment = child.enrolment
          AND c.from_position <= known.at AND known.at < c.to_position)::text,
       r.recipient, r.registered_position,
       ARRAY(SELECT g.person FROM views.guardians g WHERE g.record = child.record
             ORDER BY g.ordinal),
       ARRAY(SELECT c.correction FROM views.corrections c
             WHERE c.record = child.record AND c.state = 'applied'
               AND c.from_position <= %(corrected_at)s AND %(corrected_at)s < c.to_position
               AND c.effective_on <= %(day)s
             ORDER BY c.from_position),
       ARRAY(SELECT c.kind FROM ledger.claims c
             WHERE c.kind = ANY (%(states)s::text[]) AND c.key = uuid_send(child.record))
FROM (SELECT coalesce(%(asked_at)s::bigint, (SELECT position FROM views.positions
                                             WHERE name = 'school_checks'), 0) AS at
      OFFSET 0) known
LEFT JOIN views.organisations school ON school.organisation = %(institution)s
LEFT JOIN LATERAL (
    SELECT e.*
    FROM class e -- piece of counted.sql: twice
    WHERE e.from_position <= known.at AND known.at < e.to_position
      AND -- piece of counted.sql: counts
) child ON true
LEFT JOIN views.records r ON r.record = child.record
ORDER BY child.number, child.enrolled_position

-- name: place_of_record
SELECT enrolment, class_name, school_year FROM views.enrolments
WHERE record = %(record)s AND institution = %(institution)s
  AND from_position <= %(at)s AND %(at)s < to_position
ORDER BY enrolled_position DESC LIMIT 1

-- name: notices
SELECT n.enrolment, n.given_on, n.channel, n.requirement, n.requirement_version, n.position
FROM views.notices_given n
WHERE n.enrolment = ANY(%(enrolments)s) AND n.position <= %(at)s
ORDER BY n.enrolment, n.position

-- name: classes
SELECT e.class_name, count(*), count(e.checked_on), count(*) FILTER (WHERE e.complete = false),
       count(*) FILTER (WHERE e.completed AND e.complete = false),
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM views.notices_given n
           WHERE n.enrolment = e.enrolment AND n.position <= %(at)s))
FROM views.enrolments e -- piece of counted.sql: twice
WHERE e.institution = %(institution)s AND e.school_year = %(school_year)s
  AND e.from_position <= %(at)s AND %(at)s < e.to_position
  AND -- piece of counted.sql: counts
GROUP BY e.class_name ORDER BY e.class_name

-- name: institution_names
SELECT organisation::text, name FROM views.organisations
WHERE organisation = ANY(%(units)s::uuid[]) AND registered_position <= %(at)s

-- name: unit_names
SELECT DISTINCT ON (division) division, name
FROM views.organisations
WHERE kind = ANY(%(kinds)s) AND starts_with(division, %(prefix)s)
  AND length(division) = %(digits)s AND registered_position <= %(at)s
ORDER BY division, registered_position

-- name: roll_up
WITH counted AS MATERIALIZED (
    SELECT e.enrolment, e.institution, e.checked_on, e.has_certificate, e.reissued_on, e.complete,
           e.completed,
           CASE WHEN %(digits)s = 0 THEN e.institution::text ELSE left(e.division, %(digits)s) END
               AS unit
    FROM views.enrolments e -- piece of counted.sql: twice
    WHERE e.school_year = %(school_year)s AND e.entry_type = %(entry_type)s
      AND e.division >= %(prefix)s AND e.division < %(prefix_end)s
      AND e.from_position <= %(at)s AND %(at)s < e.to_position
      AND -- piece of counted.sql: counts
), schools AS (
    SELECT institution, unit,
           count(*) AS enrolled,
           count(checked_on) AS checked,
           count(*) FILTER (WHERE has_certificate) AS with_certificate,
           count(*) FILTER (WHERE checked_on IS NOT NULL AND NOT has_certificate
                                  AND reissued_on IS NOT NULL) AS certificates_reissued,
           count(*) FILTER (WHERE complete) AS fully_vaccinated,
           count(*) FILTER (WHERE completed AND complete IS NOT TRUE) AS makeup_completed
    FROM counted GROUP BY institution, unit
), due AS (
    SELECT organisation AS institution,
           CASE WHEN %(digits)s = 0 THEN organisation::text ELSE left(division, %(digits)s) END
               AS unit
    FROM views.organisations
    WHERE kind = 'school' AND institution_type = %(entry_type)s
      AND division >= %(prefix)s AND division < %(prefix_end)s
      AND registered_position <= %(at)s
    UNION
    SELECT institution, unit FROM schools
), units AS (
    SELECT unit, count(*) AS institutions_due FROM due GROUP BY unit
), children AS (
    SELECT unit,
           count(*) FILTER (WHERE checked > 0) AS institutions_checked,
           sum(enrolled)::bigint AS enrolled,
           sum(checked)::bigint AS checked,
           sum(with_certificate)::bigint AS with_certificate,
           sum(certificates_reissued)::bigint AS certificates_reissued,
           sum(fully_vaccinated)::bigint AS fully_vaccinated,
           sum(makeup_completed)::bigint AS makeup_completed
    FROM schools GROUP BY unit
), doses AS (
    SELECT unit, vaccine_group, count(*) AS due, count(made_up_on) AS done
    FROM counted JOIN views.cells USING (enrolment)
    WHERE from_position <= %(at)s AND %(at)s < to_position AND NOT exempt
    GROUP BY unit, vaccine_group
)
SELECT unit, u.institutions_due, coalesce(c.institutions_checked, 0), coalesce(c.enrolled, 0),
       coalesce(c.checked, 0), coalesce(c.with_certificate, 0),
       coalesce(c.certificates_reissued, 0), coalesce(c.fully_vaccinated, 0),
       coalesce(c.makeup_completed, 0), coalesce(d.doses, '{}')
FROM units u
LEFT JOIN children c USING (unit)
LEFT JOIN (
    SELECT unit, jsonb_object_agg(vaccine_group, jsonb_build_array(due, done)) AS doses
    FROM doses GROUP BY unit
) d USING (unit)
ORDER BY unit COLLATE "C"

-- name: is_enrolled
-- Under any of the child's records: those that are merged are one.
SELECT EXISTS (
    SELECT FROM (
        SELECT coalesce((SELECT survivor FROM views.merges WHERE record = %(record)s
                           AND to_position = 9223372036854775807), %(record)s::uuid)
    ) AS child (survivor)
    JOIN views.enrolments e ON e.record = ANY (ARRAY(
        SELECT child.survivor UNION ALL
        SELECT m.record FROM views.merges m
        WHERE m.survivor = child.survivor AND m.to_position = 9223372036854775807))
    WHERE e.institution = %(institution)s AND e.to_position = 9223372036854775807)
