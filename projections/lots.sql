-- Who got a lot, as its doses read on a day and were known at a position.

-- name: doses_of_lot
SELECT d.dose, d.record, d.vaccine, d.product, d.occurred_on, d.clinic, d.provenance,
       r.recipient, r.division, r.managing_organisation, r.roll,
       (SELECT m.survivor FROM views.merges m
        WHERE m.record = d.record AND m.from_position <= %(at)s AND %(at)s < m.to_position
       ) AS merged_into,
       ARRAY(SELECT g.person FROM views.guardians g
             WHERE g.record = d.record ORDER BY g.ordinal) AS guardians
FROM views.doses d
JOIN views.records r ON r.record = d.record
WHERE d.lot = %(lot)s AND d.maker = %(maker)s AND d.dose > %(after)s
  AND starts_with(r.division, %(division)s)
  AND d.from_position <= %(at)s AND %(at)s < d.to_position
  AND d.effective_from <= %(day)s AND %(day)s < d.effective_to
ORDER BY d.dose LIMIT %(limit)s
