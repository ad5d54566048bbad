-- The names of those whom crowd.sql adds, in the keys' database.
CREATE FUNCTION pg_temp.other(id uuid, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN md5(id::text || n::text)::uuid;

INSERT INTO people.people
SELECT pg_temp.other(handle, n), pg_temp.other(stream, n), from_position, to_position,
       effective_from, effective_to, name, sex, birth_date, id_type, id_number,
       birth_certificate_number, certificate_number, household_division, residence_division,
       address, phone
FROM people.people, generate_series(1, %(copies)s) n WHERE stream = ANY (%(records)s::uuid[]);
ANALYZE people.people;
