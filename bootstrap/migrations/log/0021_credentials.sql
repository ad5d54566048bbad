-- Offline credentials, and what was corrected of what they show.

SET LOCAL ROLE vaxledger_project;

INSERT INTO views.positions (name, position) VALUES ('credentials', 0);

CREATE TABLE views.credentials (
    credential uuid PRIMARY KEY,
    certificate uuid NOT NULL,
    content text NOT NULL,
    entry_type text,
    status_list integer NOT NULL,
    status_index integer NOT NULL,
    reflects bigint NOT NULL,
    effective_on date NOT NULL,
    expires_on date NOT NULL,
    issued_position bigint NOT NULL,
    superseded_position bigint
);
CREATE INDEX credentials_certificate ON views.credentials (certificate);
CREATE INDEX credentials_superseded ON views.credentials (status_list)
    WHERE superseded_position IS NOT NULL;

-- From which day on a record says something else than before, of a dose or a person.
CREATE TABLE views.restatements (
    record uuid NOT NULL,
    position bigint NOT NULL,
    effective_on date NOT NULL,
    person uuid,  -- NULL for a dose
    PRIMARY KEY (record, position)
);

CREATE INDEX certificates_released ON views.certificates (certificate)
    WHERE released_position IS NOT NULL;

RESET ROLE;
