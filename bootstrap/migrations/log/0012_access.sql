-- The closings of the access journal, found among many millions of entries.
CREATE INDEX entries_of_access ON ledger.entries (position)
WHERE topic = 'access-journal.closed.v1';
