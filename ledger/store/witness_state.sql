-- What a witness remembers, in an SQLite file of its own.

-- name: create
CREATE TABLE cosigned (
    origin TEXT PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,  -- hex SHA-256 of the origin, as monitors ask for it
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- name: seen
SELECT size, root FROM cosigned WHERE origin = ?;

-- name: replace
-- The condition repeats what the decision has checked: this statement never goes back either.
INSERT INTO cosigned (origin, address, size, root, note)
VALUES (:origin, :address, :size, :root, :note)
ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note
WHERE excluded.size > cosigned.size
   OR (excluded.size = cosigned.size AND excluded.root = cosigned.root);

-- name: newest
SELECT note FROM cosigned WHERE address = ?;
