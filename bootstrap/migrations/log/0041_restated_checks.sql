-- Which checks were looked at again since which corrections.

SET LOCAL ROLE vaxledger_project;

CREATE TABLE views.restated_checks (
    enrolment uuid NOT NULL,
    correction uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (enrolment, correction)
);
CREATE INDEX corrections_applied ON views.corrections (effective_on)
    WHERE to_position = 9223372036854775807 AND state = 'applied';

RESET ROLE;
