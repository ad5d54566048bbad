-- The only read model with personal data in clear: in the key database, joined at read by handle.
-- Conventions as in the log database's 0002_views.sql.

DO $$
BEGIN
    CREATE ROLE vaxledger_people NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server has it
END
$$;

DO $$
BEGIN
    CREATE ROLE vaxledger_people_read NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'vaxledger_people', 'SET') THEN
        GRANT vaxledger_people TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
    IF NOT pg_has_role(CURRENT_USER, 'vaxledger_people_read', 'SET') THEN
        GRANT vaxledger_people_read TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

CREATE SCHEMA people;
CREATE SCHEMA people_rebuild;
GRANT USAGE, CREATE ON SCHEMA people, people_rebuild TO vaxledger_people;
GRANT USAGE ON SCHEMA people TO vaxledger_people_read;

SET LOCAL ROLE vaxledger_people;

ALTER DEFAULT PRIVILEGES IN SCHEMA people GRANT SELECT ON TABLES TO vaxledger_people_read;
ALTER DEFAULT PRIVILEGES IN SCHEMA people_rebuild GRANT SELECT ON TABLES TO vaxledger_people_read;

CREATE TABLE people.positions (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE people.parked (
    name text COLLATE "C" NOT NULL,
    stream uuid NOT NULL,
    position bigint NOT NULL,
    error text,
    PRIMARY KEY (name, stream, position)
);

CREATE TABLE people_rebuild.positions (LIKE people.positions INCLUDING ALL);
CREATE TABLE people_rebuild.parked (LIKE people.parked INCLUDING ALL);

INSERT INTO people.positions (name, position) VALUES ('people', 0);

-- What one stream says of one person: a guardian of two children stands in two records.
CREATE TABLE people.people (
    handle uuid NOT NULL,
    stream uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    effective_from date NOT NULL,
    effective_to date NOT NULL,
    name text,
    sex text,
    birth_date date,
    id_type text,
    id_number text,
    birth_certificate_number text,
    certificate_number text,
    household_division text,
    residence_division text,
    address text,
    phone text,
    PRIMARY KEY (handle, stream, from_position, effective_from)
);
CREATE INDEX people_stream ON people.people (stream);

RESET ROLE;
