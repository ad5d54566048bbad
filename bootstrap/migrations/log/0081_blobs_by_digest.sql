-- As for envelopes (0080). A sealed value has a salt of its own, so no two are the same.

SELECT FROM ledger.head FOR UPDATE;
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('statement_timeout', 'transaction_timeout');

CREATE INDEX blobs_by_digest ON ledger.blobs USING hash (sha256);
ALTER TABLE ledger.blobs DROP CONSTRAINT blobs_pkey;
