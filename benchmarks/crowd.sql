-- Others beside the children who are read: the rows of those of the log, copied under new ids that
-- are spread as random ones are. What one child's reading costs depends on the height of the
-- indexes and on what lies between.
CREATE FUNCTION pg_temp.other(id uuid, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN md5(id::text || n)::uuid;

CREATE TEMPORARY TABLE read_ones AS
SELECT DISTINCT record FROM views.enrolments WHERE institution = %(institution)s;

CREATE TEMPORARY VIEW others AS
SELECT record, n, pg_temp.other(record, n) AS other FROM read_ones, generate_series(1, %(copies)s) n;

INSERT INTO views.records
SELECT o.other, pg_temp.other(r.recipient, o.n), r.kind, r.birth_year, r.managing_organisation,
       r.division, r.roll, r.registered_on, r.registered_position
FROM others o JOIN views.records r USING (record);
INSERT INTO views.doses
SELECT pg_temp.other(d.dose, o.n), d.from_position, d.to_position, d.effective_from,
       d.effective_to, o.other, d.vaccine, d.national_code, d.dose_number, d.product, d.maker,
       d.lot, d.expires_on, d.occurred_on, d.site, d.route, d.quantity, d.clinic, d.source_system,
       d.provenance, d.evidence_kind, d.province
FROM others o JOIN views.doses d USING (record);
INSERT INTO views.timeline
SELECT t.position + o.n * 1000000000::bigint, o.other, pg_temp.other(t.stream, o.n), t.version,
       t.topic, t.recorded_at, t.organisation, t.keyid, t.occurred_on, t.effective_on, t.dose
FROM others o JOIN views.timeline t USING (record);
ANALYZE views.records, views.doses, views.timeline;
