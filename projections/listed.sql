-- Children as class lists name them.

-- name: people_listed
SELECT handle, name, birth_date, sex, upper(id_number)
FROM people.people
WHERE to_position = 9223372036854775807
  AND effective_from <= %(day)s AND %(day)s < effective_to
  AND (birth_date, name) IN (SELECT * FROM unnest(%(birth_dates)s::date[], %(names)s::text[]))

-- name: records_listed
SELECT r.recipient, r.record, r.division,
       EXISTS (
           SELECT FROM views.enrolments e
           WHERE e.record = r.record AND e.school_year = %(school_year)s
             AND e.institution = %(institution)s AND e.to_position = 9223372036854775807)
FROM views.records r
WHERE r.recipient = ANY(%(recipients)s) AND r.kind = 'child'
