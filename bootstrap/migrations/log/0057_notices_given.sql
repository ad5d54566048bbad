-- Each notice that parents were given, the first and the repeated ones (S-6).

SET LOCAL ROLE vaxledger_project;

CREATE TABLE views.notices_given (
    enrolment uuid NOT NULL,
    position bigint NOT NULL,
    given_on date NOT NULL,
    channel text NOT NULL,
    requirement text,
    requirement_version integer,
    PRIMARY KEY (enrolment, position)
);

RESET ROLE;
