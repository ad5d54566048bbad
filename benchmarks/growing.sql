-- Rows for every position up to a size, as small as they may be: what an append costs depends on
-- the indexes. Digests and random ids are spread over their whole range, as real ones are, so that
-- new ones fall between them; ids that begin with a time (streams, idempotency keys as our client
-- makes them) lie before all new ones.
CREATE FUNCTION pg_temp.spread(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN lpad(to_hex(n * 4294967295 / %(size)s), 8, '0') || md5(n::text);

CREATE FUNCTION pg_temp.digest(n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN decode(pg_temp.spread(n) || lpad('', 24, '0'), 'hex');

CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN left(pg_temp.spread(n), 32)::uuid;

CREATE FUNCTION pg_temp.early(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN ('0100' || lpad(to_hex(n), 28, '0'))::uuid;

CREATE TEMPORARY VIEW planted AS
SELECT n FROM generate_series((SELECT size FROM ledger.head) + 1, %(size)s::bigint) n;

INSERT INTO ledger.entries (position, stream, version, known_at, topic, division, leaf, entry)
SELECT n, pg_temp.early(n), 1, (SELECT recorded_at FROM ledger.head),
       'planted.v1', '410299101', sha256(n::text::bytea), 'planted'
FROM planted;
INSERT INTO ledger.envelopes (sha256, envelope) SELECT pg_temp.digest(n), 'planted' FROM planted;
INSERT INTO ledger.idempotency (author, key, request, first_position, count)
SELECT %(author)s, pg_temp.early(n), sha256(''), n, 1 FROM planted;
INSERT INTO ledger.claims (kind, key, stream, position)
SELECT 'package-code', pg_temp.digest(n), pg_temp.id(n), n FROM planted;
INSERT INTO ledger.blobs (sha256, subject, position, blob)
SELECT pg_temp.digest(n), pg_temp.id(n), n, 'planted' FROM planted;

-- No integrator reads these: they count as published, so that no writer is pushed back.
UPDATE ledger.head SET size = %(size)s;
UPDATE ledger.checkpoint SET size = %(size)s, published = %(size)s;
ANALYZE ledger.entries, ledger.envelopes, ledger.idempotency, ledger.claims, ledger.blobs;
