-- Children who joined more than one school of one kind in a year: whose later enrolment counts.

SET LOCAL ROLE vaxledger_project;

CREATE TABLE views.twice_enrolled (
    record uuid NOT NULL,
    school_year integer NOT NULL,
    entry_type text COLLATE "C" NOT NULL,
    PRIMARY KEY (record, school_year, entry_type)
);
INSERT INTO views.twice_enrolled
SELECT record, school_year, entry_type FROM views.enrolments
GROUP BY record, school_year, entry_type HAVING count(DISTINCT enrolment) > 1;

RESET ROLE;
