-- Registers and roll-ups as handed in. A later document of one kind replaces the earlier ones.

-- name: copy_register_reports
COPY register_reports (report, position, submitted_on, institution, division, school_year, edition,
                       shown_position, effective_on, due, late)
FROM STDIN

-- name: copy_roll_up_reports
COPY roll_up_reports (report, position, submitted_on, organisation, division, level, school_year,
                      entry_type, shown_position, effective_on, due, late, counts, doses)
FROM STDIN

-- name: register_report
SELECT * FROM views.register_reports WHERE report = %(report)s

-- name: register_reports
SELECT * FROM views.register_reports
WHERE institution = %(institution)s AND school_year = %(school_year)s
  AND position <= %(at)s AND submitted_on <= %(day)s
ORDER BY position

-- name: roll_up_report
SELECT * FROM views.roll_up_reports WHERE report = %(report)s

-- name: roll_up_reports
SELECT * FROM views.roll_up_reports
WHERE organisation = %(organisation)s AND school_year = %(school_year)s
  AND entry_type = %(entry_type)s
  AND position <= %(at)s AND submitted_on <= %(day)s
ORDER BY position

-- name: schools
SELECT o.organisation AS unit, o.name, o.division, o.institution_type,
       count(r.report) AS versions, min(r.submitted_on) AS first_on,
       coalesce((array_agg(r.late ORDER BY r.position))[1], false) AS late,
       (array_agg(r.report ORDER BY r.position DESC))[1] AS newest
FROM views.organisations o
LEFT JOIN views.register_reports r
    ON r.institution = o.organisation AND r.school_year = %(school_year)s
    AND r.edition = %(edition)s
    AND r.position <= %(at)s AND r.submitted_on <= %(day)s
WHERE o.kind = 'school' AND o.division >= %(prefix)s AND o.division < %(prefix_end)s
  AND o.registered_position <= %(at)s
GROUP BY o.organisation ORDER BY o.division, o.registered_position

-- name: reporters
SELECT o.organisation AS unit, o.name, o.division, o.institution_type,
       count(r.report) AS versions, min(r.submitted_on) AS first_on,
       coalesce((array_agg(r.late ORDER BY r.position))[1], false) AS late,
       (array_agg(r.report ORDER BY r.position DESC))[1] AS newest
FROM views.organisations o
LEFT JOIN views.roll_up_reports r
    ON r.organisation = o.organisation AND r.school_year = %(school_year)s
    AND r.entry_type = %(entry_type)s
    AND r.position <= %(at)s AND r.submitted_on <= %(day)s
WHERE o.kind = %(kind)s AND o.division >= %(prefix)s AND o.division < %(prefix_end)s
  AND o.registered_position <= %(at)s
GROUP BY o.organisation ORDER BY o.division, o.registered_position

-- name: copy_preparations
COPY preparations (preparation, position, organisation, division, school_year, task, done_on, due,
                   late, count)
FROM STDIN

-- name: preparations
SELECT o.organisation, o.name, o.division, wanted.task, p.done_on, p.late, p.count
FROM views.organisations o
JOIN (VALUES ('school', 'posters'), ('county-cdc', 'forms-distributed'),
             ('county-cdc', 'training-held')) AS wanted (kind, task) ON wanted.kind = o.kind
LEFT JOIN LATERAL (
    SELECT done_on, late, count FROM views.preparations
    WHERE organisation = o.organisation AND school_year = %(school_year)s AND task = wanted.task
      AND position <= %(at)s AND done_on <= %(day)s
    ORDER BY position LIMIT 1
) p ON true
WHERE o.division >= %(prefix)s AND o.division < %(prefix_end)s
  AND o.registered_position <= %(at)s
ORDER BY o.division, o.registered_position, wanted.task
