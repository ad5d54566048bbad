-- What the mirror keeps. `coverage` and `cohorts` are maintained entry by entry; the other tables
-- are what each child contributes to them, so that a later entry can take it back.
CREATE TABLE IF NOT EXISTS memory (one INTEGER PRIMARY KEY CHECK (one = 1), memory BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alarms (kind TEXT NOT NULL, position INTEGER, reason TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS children (
    record TEXT PRIMARY KEY,
    county TEXT NOT NULL,
    birth_year INTEGER NOT NULL,
    on_roll INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS doses (
    dose TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    vaccine TEXT NOT NULL
) WITHOUT ROWID;
-- Entered in error; one of them may be reinstated.
CREATE TABLE IF NOT EXISTS struck (
    dose TEXT PRIMARY KEY,
    record TEXT NOT NULL,
    vaccine TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS doses_of_record ON doses (record, vaccine);

-- Children on the roll of a county, by year of birth.
CREATE TABLE IF NOT EXISTS cohorts (
    county TEXT NOT NULL,
    birth_year INTEGER NOT NULL,
    children INTEGER NOT NULL,
    PRIMARY KEY (county, birth_year)
) WITHOUT ROWID;

-- Of these children: who has at least one dose of a vaccine, and how many doses they have.
CREATE TABLE IF NOT EXISTS coverage (
    county TEXT NOT NULL,
    birth_year INTEGER NOT NULL,
    vaccine TEXT NOT NULL,
    covered INTEGER NOT NULL,
    doses INTEGER NOT NULL,
    PRIMARY KEY (county, birth_year, vaccine)
) WITHOUT ROWID;
