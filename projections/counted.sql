-- Where a child counts: once for each entry type and school year, at the school that it joined last
-- (X-17). Nearly every child has joined one, so only those of `twice_enrolled` are looked at again.

-- name: enrolments
views.enrolments e
LEFT JOIN views.twice_enrolled twice
    ON twice.record = e.record AND twice.school_year = e.school_year
    AND twice.entry_type = e.entry_type

-- name: counts
(twice.record IS NULL OR NOT EXISTS (
    SELECT FROM views.enrolments later
    WHERE later.record = e.record AND later.school_year = e.school_year
      AND later.entry_type = e.entry_type
      AND later.from_position <= %(at)s AND %(at)s < later.to_position
      AND (later.joined_on, later.enrolled_position) > (e.joined_on, e.enrolled_position)))

-- name: counts_now
(twice.record IS NULL OR NOT EXISTS (
    SELECT FROM views.enrolments later
    WHERE later.record = e.record AND later.school_year = e.school_year
      AND later.entry_type = e.entry_type AND later.to_position = 9223372036854775807
      AND (later.joined_on, later.enrolled_position) > (e.joined_on, e.enrolled_position)))
