-- Registers and roll-ups as handed in: one row a document, never changed.

SET LOCAL ROLE vaxledger_project;

INSERT INTO views.positions (name, position) VALUES ('reports', 0);

CREATE TABLE views.register_reports (
    report uuid PRIMARY KEY,
    position bigint NOT NULL,
    submitted_on date NOT NULL,
    institution uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    school_year integer NOT NULL,
    edition text NOT NULL,
    shown_position bigint NOT NULL,
    effective_on date NOT NULL,
    due date NOT NULL,
    late boolean NOT NULL
);
CREATE INDEX register_reports_institution ON views.register_reports (institution, school_year);

CREATE TABLE views.roll_up_reports (
    report uuid PRIMARY KEY,
    position bigint NOT NULL,
    submitted_on date NOT NULL,
    organisation uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    level text NOT NULL,
    school_year integer NOT NULL,
    entry_type text NOT NULL,
    shown_position bigint NOT NULL,
    effective_on date NOT NULL,
    due date NOT NULL,
    late boolean NOT NULL,
    counts bigint[] NOT NULL,  -- columns 2 to 9 of annex 4
    doses jsonb NOT NULL  -- group to [due, done]
);
CREATE INDEX roll_up_reports_organisation
    ON views.roll_up_reports (organisation, school_year, entry_type);

-- What comes before enrolment: posters, forms, training.
CREATE TABLE views.preparations (
    preparation uuid PRIMARY KEY,
    position bigint NOT NULL,
    organisation uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    school_year integer NOT NULL,
    task text NOT NULL,
    done_on date NOT NULL,
    due date NOT NULL,
    late boolean NOT NULL,
    count integer
);
CREATE INDEX preparations_organisation ON views.preparations (organisation, school_year);

RESET ROLE;
