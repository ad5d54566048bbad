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
ORDER BY position

-- name: roll_up_report
SELECT * FROM views.roll_up_reports WHERE report = %(report)s

-- name: roll_up_reports
SELECT * FROM views.roll_up_reports
WHERE organisation = %(organisation)s AND school_year = %(school_year)s
  AND entry_type = %(entry_type)s
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
WHERE o.kind = 'school' AND o.division >= %(prefix)s AND o.division < %(prefix_end)s
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
WHERE o.kind = %(kind)s AND o.division >= %(prefix)s AND o.division < %(prefix_end)s
GROUP BY o.organisation ORDER BY o.division, o.registered_position
