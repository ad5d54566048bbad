-- name: open
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -32768;
CREATE TABLE IF NOT EXISTS memory (
    origin TEXT NOT NULL,
    organisation TEXT NOT NULL,
    system TEXT NOT NULL,
    secret BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS people (
    person BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    record BLOB NOT NULL,
    handle BLOB NOT NULL,
    guardian BLOB NOT NULL,
    version INTEGER NOT NULL,
    is_found INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rows (
    row BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    person BLOB NOT NULL,
    dose BLOB,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    proposed BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS doses (
    given BLOB PRIMARY KEY,
    row BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    reviewed BLOB PRIMARY KEY,
    rows INTEGER NOT NULL,
    outcome_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- name: select_memory
SELECT origin, organisation, system, secret FROM memory;

-- name: insert_memory
INSERT INTO memory (origin, organisation, system, secret) VALUES (?, ?, ?, ?);

-- name: select_person
SELECT content, record, handle, guardian, version, is_found FROM people WHERE person = ?;

-- name: upsert_person
INSERT INTO people (person, content, record, handle, guardian, version, is_found)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (person) DO UPDATE SET
    content = excluded.content, record = excluded.record, handle = excluded.handle,
    guardian = excluded.guardian, version = excluded.version, is_found = excluded.is_found;

-- name: select_row
SELECT content, person, dose, version, position, proposed FROM rows WHERE row = ?;

-- name: upsert_row
INSERT INTO rows (row, content, person, dose, version, position, proposed)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (row) DO UPDATE SET
    content = excluded.content, person = excluded.person, dose = excluded.dose,
    version = excluded.version, position = excluded.position, proposed = excluded.proposed;

-- name: delete_row
DELETE FROM rows WHERE row = ?;

-- name: select_dose
SELECT row FROM doses WHERE given = ?;

-- name: upsert_dose
INSERT INTO doses (given, row) VALUES (?, ?) ON CONFLICT (given) DO UPDATE SET row = excluded.row;

-- name: delete_dose
DELETE FROM doses WHERE given = ? AND row = ?;

-- name: select_run
SELECT rows, outcome_bytes FROM runs WHERE reviewed = ?;

-- name: upsert_run
INSERT INTO runs (reviewed, rows, outcome_bytes) VALUES (?, ?, ?)
ON CONFLICT (reviewed) DO UPDATE SET rows = excluded.rows, outcome_bytes = excluded.outcome_bytes;
