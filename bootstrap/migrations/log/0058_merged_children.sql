-- Records that were merged are one child, who may have joined a school under each.

SET LOCAL ROLE vaxledger_project;

INSERT INTO views.twice_enrolled (record, school_year, entry_type)
SELECT one.record, e.school_year, e.entry_type
FROM views.merges m
JOIN views.enrolments e ON e.record = m.record AND e.enrolled_position < m.from_position
CROSS JOIN LATERAL (VALUES (m.record), (m.survivor)) AS one (record)
ON CONFLICT DO NOTHING;

RESET ROLE;
