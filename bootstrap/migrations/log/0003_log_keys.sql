-- The entries that name the keys of the log's checkpoints: a handful in its life.
CREATE INDEX entries_of_log_keys ON ledger.entries (position) WHERE topic LIKE 'log.key-%';
