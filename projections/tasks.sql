-- What a school has still to do.

-- name: tasks
SELECT count(*) FILTER (WHERE e.checked_on IS NULL) AS unchecked,
       count(*) FILTER (WHERE e.checked_on IS NULL AND e.joined_on + %(days)s::integer < %(today)s)
           AS overdue,
       min(e.joined_on) FILTER (WHERE e.checked_on IS NULL) + %(days)s::integer AS next_due,
       count(*) FILTER (WHERE e.checked_on IS NOT NULL AND NOT e.has_certificate
                              AND e.reissued_on IS NULL) AS to_reissue,
       count(*) FILTER (WHERE e.complete = false AND e.completed IS NOT TRUE
                              AND EXISTS (
                                  SELECT FROM views.cells c
                                  WHERE c.enrolment = e.enrolment AND NOT c.exempt
                                    AND c.made_up_on IS NULL
                                    AND c.to_position = 9223372036854775807)) AS to_make_up
FROM views.enrolments e -- piece of counted.sql: twice
WHERE e.school_year = %(school_year)s AND e.division >= %(prefix)s AND e.division < %(prefix_end)s
  AND (%(institution)s::uuid IS NULL OR e.institution = %(institution)s)
  AND e.to_position = 9223372036854775807
  AND -- piece of counted.sql: counts_now
