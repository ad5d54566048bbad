-- Which entries a key has signed. Canonical JSON puts `{"author":{"envelope":"<64>","keyid":"<64>"`
-- at the front of every entry, so the key's id has a fixed place. Half of its first 32 digits find
-- it well enough; the query compares the whole.
CREATE INDEX entries_of_key ON ledger.entries (substring(entry FROM 99 FOR 16), position);
