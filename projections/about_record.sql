-- What is asked of one record beside its doses, and of which records.

-- name: asked_records
unnest(%(which)s::uuid[], %(days)s::date[], %(positions)s::bigint[])
    WITH ORDINALITY AS asked (record, day, at, number)

-- name: asked_certificates
(SELECT one.*, c.record
 FROM unnest(%(which)s::uuid[], %(days)s::date[], %(positions)s::bigint[])
     WITH ORDINALITY AS one (certificate, day, at, number)
 LEFT JOIN views.certificates c USING (certificate)) AS asked

-- name: corrections_of_record
-- Those that count on a day, in the order in which they were applied.
SELECT correction, record, dose, kind, effective_on, from_position AS applied_position
FROM views.corrections
WHERE record = ANY (ARRAY(
        SELECT %(record)s::uuid UNION ALL
        SELECT m.record FROM views.merges m
        WHERE m.survivor = %(record)s AND m.from_position <= %(at)s AND %(at)s < m.to_position))
  AND state = 'applied'
  AND from_position <= %(at)s AND %(at)s < to_position AND effective_on <= %(day)s
ORDER BY from_position

-- name: held_of_record
-- Claims of the log, as they are held now, whether a checkpoint covers them or not.
SELECT kind FROM ledger.claims
WHERE kind = ANY (%(kinds)s::text[]) AND key = uuid_send(%(record)s)
