-- Read models in the log database: everything here is derived and can be thrown away and rebuilt.
--
-- Tables of the schema `views` belong to the role that projects. A rebuild makes the same tables
-- in `views_rebuild` and moves them over in one transaction, so nothing here may refer to a table
-- by foreign key, view or function.
--
-- Two conventions. [from_position, to_position): at which positions of the log a row version is
-- what was known; 9223372036854775807 stands for "still". [effective_from, effective_to): on which
-- civil days (Asia/Shanghai) it counts; 9999-12-31 stands for "for ever".

DO $$
BEGIN
    CREATE ROLE vaxledger_project NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this server has it
END
$$;

DO $$
BEGIN
    IF NOT pg_has_role(CURRENT_USER, 'vaxledger_project', 'SET') THEN
        GRANT vaxledger_project TO CURRENT_USER WITH INHERIT FALSE, SET TRUE;
    END IF;
END
$$;

CREATE SCHEMA views;
CREATE SCHEMA views_rebuild;
GRANT USAGE, CREATE ON SCHEMA views, views_rebuild TO vaxledger_project;
GRANT USAGE ON SCHEMA views TO vaxledger_read;

SET LOCAL ROLE vaxledger_project;

-- A rebuilt table keeps the privileges that it was created with.
ALTER DEFAULT PRIVILEGES IN SCHEMA views GRANT SELECT ON TABLES TO vaxledger_read;
ALTER DEFAULT PRIVILEGES IN SCHEMA views_rebuild GRANT SELECT ON TABLES TO vaxledger_read;

CREATE TABLE views.positions (
    name text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL
);

-- Streams that a projection could not apply: their first such entry and all after it.
CREATE TABLE views.parked (
    name text COLLATE "C" NOT NULL,
    stream uuid NOT NULL,
    position bigint NOT NULL,
    error text,  -- class of the error; NULL for entries that only wait behind one
    PRIMARY KEY (name, stream, position)
);

CREATE TABLE views_rebuild.positions (LIKE views.positions INCLUDING ALL);
CREATE TABLE views_rebuild.parked (LIKE views.parked INCLUDING ALL);

INSERT INTO views.positions (name, position)
VALUES ('organisations', 0), ('records', 0), ('doses', 0), ('certificates', 0),
       ('school_checks', 0);

-- organisations ---------------------------------------------------------------------------------

CREATE TABLE views.organisations (
    organisation uuid PRIMARY KEY,
    name text NOT NULL,
    name_en text,
    kind text NOT NULL,
    division text COLLATE "C" NOT NULL,
    parent uuid,
    institution_type text,
    ownership text,
    registered_position bigint NOT NULL
);
CREATE INDEX organisations_division ON views.organisations (division, kind);

CREATE TABLE views.keys (
    keyid text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    organisation uuid NOT NULL,
    public_key text NOT NULL,
    revoked_position bigint,
    reason text,
    PRIMARY KEY (keyid, from_position)
);
CREATE INDEX keys_organisation ON views.keys (organisation);

-- records ---------------------------------------------------------------------------------------

CREATE TABLE views.records (
    record uuid PRIMARY KEY,
    recipient uuid NOT NULL,
    kind text NOT NULL,
    birth_year integer NOT NULL,
    managing_organisation uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    roll text NOT NULL,
    registered_on date NOT NULL,
    registered_position bigint NOT NULL
);
CREATE INDEX records_recipient ON views.records (recipient);
CREATE INDEX records_managing_organisation
    ON views.records (managing_organisation, registered_position);

CREATE TABLE views.guardians (
    record uuid NOT NULL,
    ordinal smallint NOT NULL,
    person uuid NOT NULL,
    relation text NOT NULL,
    PRIMARY KEY (record, ordinal)
);
CREATE INDEX guardians_person ON views.guardians (person);

CREATE TABLE views.rolls (
    record uuid NOT NULL,
    position bigint NOT NULL,
    status text NOT NULL,
    moved_on date NOT NULL,
    effective_on date NOT NULL,
    managing_organisation uuid,
    division text COLLATE "C",
    PRIMARY KEY (record, position)
);

-- The facts of a line (why, before, after) stand in the entry at its position.
CREATE TABLE views.timeline (
    position bigint PRIMARY KEY,
    record uuid NOT NULL,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    recorded_at timestamptz NOT NULL,
    organisation uuid NOT NULL,
    keyid text NOT NULL,
    occurred_on date,
    effective_on date,
    dose uuid
);
CREATE INDEX timeline_record ON views.timeline (record, position);
-- Whose record a correction, certificate or enrolment is about, by its first entry.
CREATE INDEX timeline_stream ON views.timeline (stream) WHERE version = 1 AND stream <> record;

-- doses -----------------------------------------------------------------------------------------

CREATE TABLE views.doses (
    dose uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    effective_from date NOT NULL,
    effective_to date NOT NULL,
    record uuid NOT NULL,
    vaccine text NOT NULL,
    national_code text,
    dose_number integer,
    product text,
    maker text,
    lot text,
    expires_on date,
    occurred_on date NOT NULL,
    site text,
    route text,
    quantity text,
    clinic uuid NOT NULL,
    source_system text NOT NULL,
    provenance text NOT NULL,  -- given, other-province, paper, other-system
    evidence_kind text,
    province text,
    PRIMARY KEY (dose, from_position, effective_from)
);
CREATE INDEX doses_record ON views.doses (record);
CREATE INDEX doses_lot ON views.doses (lot, maker);

CREATE TABLE views.contraindications (
    contraindication uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    record uuid NOT NULL,
    vaccine_groups text[] NOT NULL,
    lasting boolean NOT NULL,
    valid_from date NOT NULL,
    valid_to date,  -- last day
    lifted_on date,  -- first day on which it holds no longer
    clinic uuid NOT NULL,
    PRIMARY KEY (contraindication, from_position)
);
CREATE INDEX contraindications_record ON views.contraindications (record);

-- certificates ----------------------------------------------------------------------------------

CREATE TABLE views.certificates (
    certificate uuid PRIMARY KEY,
    record uuid NOT NULL,
    kind text NOT NULL,
    division text COLLATE "C" NOT NULL,
    holder uuid NOT NULL,
    identifier text NOT NULL,
    claimed_position bigint NOT NULL,
    released_position bigint,
    release_reason text
);
CREATE INDEX certificates_record ON views.certificates (record, claimed_position);
CREATE INDEX certificates_holder ON views.certificates (holder);
CREATE INDEX certificates_identifier ON views.certificates (identifier);

CREATE TABLE views.grants (
    grant_id uuid PRIMARY KEY,
    certificate uuid NOT NULL,
    grantee uuid NOT NULL,
    relation text NOT NULL,
    scope text[] NOT NULL,
    ends_on date,
    granted_position bigint NOT NULL,
    revoked_position bigint
);
CREATE INDEX grants_certificate ON views.grants (certificate);
CREATE INDEX grants_grantee ON views.grants (grantee);

-- school_checks ---------------------------------------------------------------------------------

CREATE TABLE views.enrolments (
    enrolment uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    enrolled_position bigint NOT NULL,
    record uuid NOT NULL,
    institution uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    school_year integer NOT NULL,
    class_name text COLLATE "C" NOT NULL,
    entry_type text NOT NULL,
    admission text NOT NULL,
    number integer NOT NULL,
    joined_on date NOT NULL,
    checked_on date,
    has_certificate boolean,
    age_years integer,
    annex1_row integer,
    complete boolean,
    requirement text,
    requirement_version text,
    record_version bigint,
    reissued_on date,
    rechecked_on date,
    completed boolean,
    PRIMARY KEY (enrolment, from_position)
);
CREATE INDEX enrolments_class ON views.enrolments (institution, school_year, class_name);
CREATE INDEX enrolments_division
    ON views.enrolments (school_year, entry_type, division, to_position);
CREATE INDEX enrolments_record ON views.enrolments (record, school_year, entry_type);

-- A missing or exempt dose of a check: a cell of annex 3.
CREATE TABLE views.cells (
    enrolment uuid NOT NULL,
    vaccine_group text COLLATE "C" NOT NULL,
    dose_number integer NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    exempt boolean NOT NULL,
    made_up_on date,
    PRIMARY KEY (enrolment, vaccine_group, dose_number, from_position)
);

RESET ROLE;
