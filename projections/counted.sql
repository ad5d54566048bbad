-- Where a child counts: once for each entry type and school year, at the school that it joined last
-- (X-17). Records that are merged are one child. Nearly every child has joined one school, so only
-- those of `twice_enrolled` are looked at again.

-- name: twice
LEFT JOIN views.twice_enrolled twice
    ON twice.record = e.record AND twice.school_year = e.school_year
    AND twice.entry_type = e.entry_type

-- name: counts
(twice.record IS NULL OR NOT EXISTS (
    SELECT FROM views.enrolments later
    WHERE later.record = ANY(ARRAY(
          SELECT unnest(ARRAY[child.survivor, m.record])
          FROM (SELECT coalesce(max(m.survivor::text)::uuid, e.record) AS survivor
                FROM views.merges m WHERE m.record = e.record
                  AND m.from_position <= %(at)s AND %(at)s < m.to_position) child
          LEFT JOIN views.merges m ON m.survivor = child.survivor
              AND m.from_position <= %(at)s AND %(at)s < m.to_position))
      AND later.school_year = e.school_year AND later.entry_type = e.entry_type
      AND later.from_position <= %(at)s AND %(at)s < later.to_position
      AND (later.joined_on, later.enrolled_position) > (e.joined_on, e.enrolled_position)))

-- name: counts_now
(twice.record IS NULL OR NOT EXISTS (
    SELECT FROM views.enrolments later
    WHERE later.record = ANY(ARRAY(
          SELECT unnest(ARRAY[child.survivor, m.record])
          FROM (SELECT coalesce(max(m.survivor::text)::uuid, e.record) AS survivor
                FROM views.merges m
                WHERE m.record = e.record AND m.to_position = 9223372036854775807) child
          LEFT JOIN views.merges m ON m.survivor = child.survivor
              AND m.to_position = 9223372036854775807))
      AND later.school_year = e.school_year AND later.entry_type = e.entry_type
      AND later.to_position = 9223372036854775807
      AND (later.joined_on, later.enrolled_position) > (e.joined_on, e.enrolled_position)))
