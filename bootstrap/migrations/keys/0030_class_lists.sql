-- Class lists find children by birth date and name (projections/listed.sql).

SET LOCAL ROLE vaxledger_people;
CREATE INDEX people_birth_date_name ON people.people (birth_date, name);
RESET ROLE;
