-- Checks that are to be looked at again since a correction counts.

-- name: due_restatements
-- A correction of a record that was merged, or that others were merged into, is the child's too.
SELECT e.enrolment, c.correction
FROM views.corrections c
LEFT JOIN views.merges m ON m.record = c.record AND m.to_position = 9223372036854775807
CROSS JOIN LATERAL (
    SELECT coalesce(m.survivor, c.record) UNION ALL
    SELECT g.record FROM views.merges g
    WHERE g.survivor = coalesce(m.survivor, c.record) AND g.to_position = 9223372036854775807
) child (record)
JOIN views.enrolments e ON e.record = child.record AND e.to_position = 9223372036854775807
WHERE c.state = 'applied' AND c.to_position = 9223372036854775807
  AND c.effective_on BETWEEN e.checked_on AND %(day)s
  AND c.from_position > %(since)s
  AND (e.enrolment, c.correction) > (%(enrolment)s, %(correction)s)
  AND NOT EXISTS (SELECT FROM views.restated_checks r
                  WHERE r.enrolment = e.enrolment AND r.correction = c.correction)
ORDER BY e.enrolment, c.correction
LIMIT %(limit)s

-- name: reached
SELECT position FROM views.positions WHERE name = 'corrections'
