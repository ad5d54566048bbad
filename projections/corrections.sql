-- Corrections by state.

-- name: copy_corrections
COPY corrections (correction, from_position, to_position, requested_position, version, record, dose,
                  division, kind, urgency, reason, requested_by, clinic, list, state, decision,
                  effective_on)
FROM STDIN

-- name: open_corrections
SELECT correction::text, from_position, requested_position, version, record, dose, division, kind,
       urgency, reason, requested_by, clinic, list, state, decision, effective_on
FROM corrections
WHERE correction = ANY(%(corrections)s::uuid[]) AND to_position = 9223372036854775807

-- name: close_corrections
UPDATE corrections c SET to_position = closed.known_to
FROM unnest(%(corrections)s::uuid[], %(known)s::bigint[], %(until)s::bigint[])
    AS closed (correction, from_position, known_to)
WHERE c.correction = closed.correction AND c.from_position = closed.from_position

-- name: applied
-- Those that count on a day, in the order in which they were applied.
SELECT correction, record, dose, kind, effective_on, from_position AS applied_position
FROM views.corrections
WHERE record = ANY(%(records)s::uuid[]) AND state = 'applied'
  AND from_position <= %(at)s AND %(at)s < to_position AND effective_on <= %(day)s
ORDER BY from_position

-- name: corrections
SELECT correction, requested_position, version, record, dose, division, kind, urgency, reason,
       requested_by, clinic, list, state, decision, effective_on
FROM views.corrections
WHERE from_position <= %(at)s AND %(at)s < to_position
  AND requested_position > %(after)s
  AND starts_with(division, %(division)s)
  AND (%(record)s::uuid IS NULL OR record = %(record)s)
  AND (%(clinic)s::uuid IS NULL OR clinic = %(clinic)s)
  AND (%(list)s::text IS NULL OR list = %(list)s)
  AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
ORDER BY requested_position LIMIT %(limit)s
