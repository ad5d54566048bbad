-- Duties of schools.

-- name: duties
WITH counted AS (
    SELECT e.enrolment, e.institution, e.joined_on, e.checked_on,
           EXISTS (SELECT FROM views.cells c
                   WHERE c.enrolment = e.enrolment AND NOT c.exempt
                     AND c.from_position <= %(at)s AND %(at)s < c.to_position) AS lacks,
           EXISTS (SELECT FROM views.cells c
                   WHERE c.enrolment = e.enrolment AND NOT c.exempt AND c.made_up_on IS NULL
                     AND c.from_position <= %(at)s AND %(at)s < c.to_position) AS waits
    FROM views.enrolments e -- piece of counted.sql: twice
    WHERE e.school_year = %(school_year)s
      AND e.division >= %(prefix)s AND e.division < %(prefix_end)s
      AND (%(institution)s::uuid IS NULL OR e.institution = %(institution)s)
      AND e.from_position <= %(at)s AND %(at)s < e.to_position
      AND -- piece of counted.sql: counts
), shown AS (
    SELECT institution, max(shown_position) AS position, array_agg(DISTINCT edition) AS editions
    FROM views.register_reports
    WHERE school_year = %(school_year)s AND position <= %(at)s AND submitted_on <= %(today)s
    GROUP BY institution
), children AS (
    SELECT c.institution,
           count(*) FILTER (WHERE c.checked_on IS NULL
                                  AND c.joined_on + %(days)s::integer < %(today)s) AS unchecked,
           count(*) FILTER (
               WHERE c.lacks
                 AND CASE WHEN c.checked_on <= %(september)s THEN %(september)s::date
                          WHEN c.checked_on <= %(november)s THEN %(november)s::date
                     END < %(today)s
                 AND coalesce(s.position, 0) < (
                     SELECT min(v.from_position) FROM views.enrolments v
                     WHERE v.enrolment = c.enrolment AND v.checked_on IS NOT NULL
                       AND v.from_position <= %(at)s)) AS unreported,
           count(*) FILTER (WHERE c.waits) AS waiting
    FROM counted c LEFT JOIN shown s USING (institution)
    GROUP BY c.institution
)
SELECT o.organisation AS institution, o.name, o.division, o.institution_type AS entry_type,
       coalesce(c.unchecked, 0) AS unchecked, coalesce(c.unreported, 0) AS unreported,
       coalesce(c.waiting, 0) AS waiting, coalesce(s.editions, '{}') AS editions,
       EXISTS (SELECT FROM views.preparations p
               WHERE p.organisation = o.organisation AND p.school_year = %(school_year)s
                 AND p.task = 'posters' AND p.position <= %(at)s
                 AND p.done_on <= %(today)s) AS has_posters
FROM views.organisations o
LEFT JOIN children c ON c.institution = o.organisation
LEFT JOIN shown s ON s.institution = o.organisation
WHERE o.kind = 'school' AND o.division >= %(prefix)s AND o.division < %(prefix_end)s
  AND o.registered_position <= %(at)s
  AND (%(institution)s::uuid IS NULL OR o.organisation = %(institution)s)
ORDER BY o.division, o.registered_position
