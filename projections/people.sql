-- People, in the key database.

-- name: copy_people
COPY people (handle, stream, from_position, to_position, effective_from, effective_to, name, sex,
             birth_date, id_type, id_number, birth_certificate_number, certificate_number,
             household_division, residence_division, address, phone)
FROM STDIN

-- name: open_people
SELECT handle::text, stream::text, from_position, effective_from, effective_to, name, sex,
       birth_date, id_type, id_number, birth_certificate_number, certificate_number,
       household_division, residence_division, address, phone
FROM people
WHERE stream = ANY(%(streams)s::uuid[]) AND to_position = 9223372036854775807

-- name: close_people
UPDATE people p SET to_position = closed.known_to
FROM unnest(%(handles)s::uuid[], %(streams)s::uuid[], %(known)s::bigint[], %(days)s::date[],
            %(until)s::bigint[]) AS closed (handle, stream, from_position, day, known_to)
WHERE p.handle = closed.handle AND p.stream = closed.stream
  AND p.from_position = closed.from_position AND p.effective_from = closed.day

-- name: position
SELECT position FROM people.positions WHERE name = 'people'

-- name: people
SELECT asked.number, p.name, p.sex, p.birth_date, p.id_type, p.id_number,
       p.birth_certificate_number, p.certificate_number, p.household_division,
       p.residence_division, p.address, p.phone
FROM unnest(%(which)s::uuid[], %(days)s::date[], %(positions)s::bigint[])
    WITH ORDINALITY AS asked (handle, day, at, number)
JOIN people.people p ON p.handle = asked.handle
WHERE p.from_position <= asked.at AND asked.at < p.to_position
  AND p.effective_from <= asked.day AND asked.day < p.effective_to
ORDER BY asked.number, p.from_position

-- name: people_of_list
-- A row for each word on a person, oldest first, and how far words are applied; without any one row
-- that tells that alone.
SELECT applied.position, p.handle, p.name, p.sex, p.birth_date, p.phone
FROM (SELECT coalesce((SELECT position FROM people.positions WHERE name = 'people'), 0)
          AS position) applied
LEFT JOIN people.people p ON p.handle = ANY(%(handles)s::uuid[])
    AND p.from_position <= %(at)s AND %(at)s < p.to_position
    AND p.effective_from <= %(day)s AND %(day)s < p.effective_to
ORDER BY p.from_position

-- name: erase_people
DELETE FROM people.people WHERE handle = ANY(%(handles)s) OR stream = ANY(%(streams)s)
