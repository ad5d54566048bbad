-- Doses and contraindications.

-- name: copy_doses
COPY doses (dose, from_position, to_position, effective_from, effective_to, record, vaccine,
            national_code, dose_number, product, maker, lot, expires_on, occurred_on, site, route,
            quantity, clinic, source_system, province, provenance, evidence_kind)
FROM STDIN

-- name: open_doses
SELECT dose::text, from_position, effective_from, effective_to, record, vaccine, national_code,
       dose_number, product, maker, lot, expires_on, occurred_on, site, route, quantity, clinic,
       source_system, province, provenance, evidence_kind
FROM doses
WHERE dose = ANY(%(doses)s::uuid[]) AND to_position = 9223372036854775807

-- name: last_closed_doses
-- What the last change of each dose closed.
SELECT dose::text, from_position, to_position, effective_from, effective_to, record, vaccine,
       national_code, dose_number, product, maker, lot, expires_on, occurred_on, site, route,
       quantity, clinic, source_system, province, provenance, evidence_kind
FROM doses d
WHERE dose = ANY(%(doses)s::uuid[])
  AND to_position = (SELECT max(e.to_position) FROM doses e
                     WHERE e.dose = d.dose AND e.to_position < 9223372036854775807)

-- name: close_doses
UPDATE doses d SET to_position = closed.known_to
FROM unnest(%(keys)s::uuid[], %(known)s::bigint[], %(days)s::date[], %(until)s::bigint[])
    AS closed (dose, from_position, effective_from, known_to)
WHERE d.dose = closed.dose AND d.from_position = closed.from_position
  AND d.effective_from = closed.effective_from

-- name: copy_contraindications
COPY contraindications (contraindication, from_position, to_position, record, vaccine_groups,
                        lasting, valid_from, valid_to, lifted_on, clinic)
FROM STDIN

-- name: open_contraindications
SELECT contraindication::text, from_position, record, vaccine_groups, lasting, valid_from,
       valid_to, lifted_on, clinic
FROM contraindications
WHERE contraindication = ANY(%(contraindications)s::uuid[])
  AND to_position = 9223372036854775807

-- name: close_contraindications
UPDATE contraindications c SET to_position = closed.known_to
FROM unnest(%(keys)s::uuid[], %(known)s::bigint[], %(days)s::date[], %(until)s::bigint[])
    AS closed (contraindication, from_position, day, known_to)
WHERE c.contraindication = closed.contraindication AND c.from_position = closed.from_position

-- name: report
INSERT INTO adverse_events (adverse_event, from_position, to_position, record, dose, onset_on,
                            is_serious, organisation)
VALUES (%(adverse_event)s, %(position)s, 9223372036854775807, %(record)s, %(dose)s, %(onset_on)s,
        %(is_serious)s, %(organisation)s)

-- name: classify
WITH earlier AS (
    UPDATE adverse_events SET to_position = %(position)s
    WHERE adverse_event = %(adverse_event)s AND record = %(record)s
      AND to_position = 9223372036854775807
    RETURNING *
)
INSERT INTO adverse_events (adverse_event, from_position, to_position, record, dose, onset_on,
                            is_serious, organisation, classification)
SELECT adverse_event, %(position)s, 9223372036854775807, record, dose, onset_on, is_serious,
       organisation, %(classification)s
FROM earlier

-- name: adverse_events_of_doses
SELECT adverse_event, record, dose, from_position, onset_on, is_serious, organisation,
       classification
FROM views.adverse_events
WHERE dose = ANY(%(doses)s::uuid[]) AND from_position <= %(at)s AND %(at)s < to_position
ORDER BY onset_on, adverse_event

-- name: doses_of_record
-- Those of records that were merged into it count with it.
SELECT dose, record, from_position, effective_from, vaccine, national_code, dose_number, product,
       maker, lot, expires_on, occurred_on, site, route, quantity, clinic, source_system,
       provenance, evidence_kind, province
FROM views.doses
WHERE record = ANY (ARRAY(
        SELECT %(record)s::uuid UNION ALL
        SELECT m.record FROM views.merges m
        WHERE m.survivor = %(record)s AND m.from_position <= %(at)s AND %(at)s < m.to_position))
  AND from_position <= %(at)s AND %(at)s < to_position
  AND effective_from <= %(day)s AND %(day)s < effective_to
ORDER BY occurred_on, dose

-- name: doses_of_ids
SELECT dose, record, from_position, effective_from, vaccine, national_code, dose_number, product,
       maker, lot, expires_on, occurred_on, site, route, quantity, clinic, source_system,
       provenance, evidence_kind, province
FROM views.doses
WHERE dose = ANY(%(doses)s::uuid[])
  AND from_position <= %(at)s AND %(at)s < to_position
  AND effective_from <= %(day)s AND %(day)s < effective_to
ORDER BY occurred_on, dose

-- name: contraindications_of_record
SELECT contraindication, record, from_position, vaccine_groups, lasting, valid_from, valid_to,
       lifted_on, clinic
FROM views.contraindications
WHERE record = ANY (ARRAY(
        SELECT %(record)s::uuid UNION ALL
        SELECT m.record FROM views.merges m
        WHERE m.survivor = %(record)s AND m.from_position <= %(at)s AND %(at)s < m.to_position))
  AND from_position <= %(at)s AND %(at)s < to_position
  AND (%(day)s::date IS NULL
       OR valid_from <= %(day)s AND (valid_to IS NULL OR %(day)s <= valid_to)
          AND (lifted_on IS NULL OR %(day)s < lifted_on))
ORDER BY valid_from, contraindication
