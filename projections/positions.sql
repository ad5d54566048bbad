-- Up to where projections are applied.

-- name: position_in_log
SELECT position FROM views.positions WHERE name = %(name)s

-- name: position_in_keys
SELECT position FROM people.positions WHERE name = %(name)s

-- name: lowest_in_log
SELECT min(position) FROM views.positions

-- name: lowest_in_keys
SELECT min(position) FROM people.positions
