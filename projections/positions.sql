-- Up to where projections are applied.

-- name: position_in_log
SELECT position FROM views.positions WHERE name = %(name)s

-- name: position_in_keys
SELECT position FROM people.positions WHERE name = %(name)s

-- name: all_in_log
SELECT name, position FROM views.positions ORDER BY name

-- name: all_in_keys
SELECT name, position FROM people.positions ORDER BY name

-- name: lowest_in_log
SELECT min(position) FROM views.positions

-- name: lowest_in_keys
SELECT min(position) FROM people.positions

-- name: parked_in_log
SELECT name, count(DISTINCT stream) FROM views.parked GROUP BY name ORDER BY name

-- name: parked_in_keys
SELECT name, count(DISTINCT stream) FROM people.parked GROUP BY name ORDER BY name
