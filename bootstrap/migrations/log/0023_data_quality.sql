-- Doses that each clinic wrote on a day, as counts: what its data quality is told from.

SET LOCAL ROLE vaxledger_project;

CREATE TABLE views.clinic_days (
    clinic uuid NOT NULL,
    day date NOT NULL,  -- on which they were recorded, Asia/Shanghai
    given integer NOT NULL,
    in_time integer NOT NULL,
    transcribed integer NOT NULL,
    filled integer NOT NULL,
    fillable integer NOT NULL,
    remarked integer NOT NULL,
    PRIMARY KEY (clinic, day)
);

CREATE TABLE views.clinic_remarks (
    clinic uuid NOT NULL,
    day date NOT NULL,
    remark text COLLATE "C" NOT NULL,
    doses integer NOT NULL,
    PRIMARY KEY (clinic, day, remark)
);

INSERT INTO views.positions (name, position) VALUES ('data_quality', 0);

RESET ROLE;
