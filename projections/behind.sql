-- What stands behind a number of annex 4, and what changed between two states.

-- name: children
SELECT e.enrolled_position, e.enrolment, e.record, e.institution, e.class_name, e.number,
       e.checked_on, NULL::integer AS dose_number, NULL::date AS made_up_on, r.recipient
FROM views.enrolments e -- piece of counted.sql: twice
LEFT JOIN views.records r ON r.record = e.record
WHERE e.school_year = %(school_year)s AND e.entry_type = %(entry_type)s
  AND e.division >= %(prefix)s AND e.division < %(prefix_end)s
  AND e.from_position <= %(at)s AND %(at)s < e.to_position
  AND e.enrolled_position > %(after)s
  AND (%(institution)s::uuid IS NULL OR e.institution = %(institution)s)
  AND CASE %(column)s
          WHEN 'enrolled' THEN true
          WHEN 'checked' THEN e.checked_on IS NOT NULL
          WHEN 'unchecked' THEN e.checked_on IS NULL
          WHEN 'with_certificate' THEN e.has_certificate
          WHEN 'without_certificate' THEN e.checked_on IS NOT NULL AND NOT e.has_certificate
          WHEN 'certificates_reissued' THEN NOT e.has_certificate AND e.reissued_on IS NOT NULL
          WHEN 'fully_vaccinated' THEN e.complete
          WHEN 'not_fully_vaccinated' THEN e.checked_on IS NOT NULL AND e.complete IS NOT TRUE
          WHEN 'makeup_completed' THEN e.completed AND e.complete IS NOT TRUE
      END
  AND -- piece of counted.sql: counts
ORDER BY e.enrolled_position
LIMIT %(limit)s

-- name: doses
SELECT e.enrolled_position, e.enrolment, e.record, e.institution, e.class_name, e.number,
       e.checked_on, c.dose_number, c.made_up_on, r.recipient
FROM views.enrolments e -- piece of counted.sql: twice
LEFT JOIN views.records r ON r.record = e.record
JOIN views.cells c ON c.enrolment = e.enrolment
    AND c.from_position <= %(at)s AND %(at)s < c.to_position AND NOT c.exempt
    AND c.vaccine_group = %(vaccine_group)s
    AND (%(column)s = 'due' OR c.made_up_on IS NOT NULL)
WHERE e.school_year = %(school_year)s AND e.entry_type = %(entry_type)s
  AND e.division >= %(prefix)s AND e.division < %(prefix_end)s
  AND e.from_position <= %(at)s AND %(at)s < e.to_position
  AND e.enrolled_position > %(after)s
  AND (%(institution)s::uuid IS NULL OR e.institution = %(institution)s)
  AND -- piece of counted.sql: counts
ORDER BY e.enrolled_position, c.dose_number
FETCH FIRST %(limit)s ROWS WITH TIES

-- name: changed
WITH moved AS (
    SELECT DISTINCT record FROM views.enrolments
    WHERE school_year = %(school_year)s AND entry_type = %(entry_type)s
      AND from_position > %(since)s AND from_position <= %(until)s
    UNION
    SELECT record FROM views.merges
    WHERE (from_position > %(since)s AND from_position <= %(until)s)
       OR (to_position > %(since)s AND to_position <= %(until)s)
), children AS (
    SELECT record FROM moved
    UNION
    SELECT unnest(ARRAY[m.survivor, g.record])
    FROM moved JOIN views.merges m ON moved.record IN (m.record, m.survivor)
    JOIN views.merges g ON g.survivor = m.survivor
)
SELECT DISTINCT e.enrolment, e.record
FROM views.enrolments e JOIN children USING (record)
WHERE e.school_year = %(school_year)s AND e.entry_type = %(entry_type)s
  AND e.division >= %(prefix)s AND e.division < %(prefix_end)s
ORDER BY e.enrolment
LIMIT %(limit)s

-- name: states
SELECT e.enrolment, e.institution, e.class_name, e.number, -- piece of counted.sql: counts
       AS counts, e.checked_on, e.has_certificate, e.reissued_on, e.complete, e.completed,
       coalesce(doses.due, 0), coalesce(doses.done, 0)
FROM views.enrolments e -- piece of counted.sql: twice
LEFT JOIN (
    SELECT enrolment, count(*) AS due, count(made_up_on) AS done
    FROM views.cells
    WHERE enrolment = ANY(%(enrolments)s) AND from_position <= %(at)s AND %(at)s < to_position
      AND NOT exempt
    GROUP BY enrolment
) doses USING (enrolment)
WHERE e.enrolment = ANY(%(enrolments)s) AND e.from_position <= %(at)s AND %(at)s < e.to_position

-- name: causes
SELECT record, stream, position, topic, recorded_at FROM views.timeline
WHERE record = ANY(%(records)s) AND position > %(since)s AND position <= %(until)s
  AND (stream = ANY(%(enrolments)s) OR topic = ANY(%(topics)s))
ORDER BY position
