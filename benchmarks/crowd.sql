-- Others beside the children who are read: what the views tell of one class, copied under new ids
-- that are spread as random ones are, each copy a class of a school of its own. Nothing but their
-- entries is missing: certificates and class tables of all of them can be read.
-- What one child's reading costs depends on the height of the indexes and on what lies between.
SET maintenance_work_mem = '512MB';

CREATE FUNCTION pg_temp.other(id uuid, n integer) RETURNS uuid LANGUAGE sql IMMUTABLE
RETURN md5(id::text || n::text)::uuid;

CREATE TEMPORARY TABLE filled (name regclass);
INSERT INTO filled VALUES
    ('views.records'), ('views.guardians'), ('views.rolls'), ('views.certificates'),
    ('views.doses'), ('views.timeline'), ('views.enrolments'), ('views.cells'),
    ('views.organisations');

-- Indexes are made once in the end, and rows that serve one run are not logged.
CREATE TEMPORARY TABLE kept AS
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname) AS drop,
       format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
              pg_get_constraintdef(c.oid)) AS make
FROM pg_constraint c JOIN filled ON name = conrelid WHERE contype = 'p'
UNION ALL
SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index JOIN filled ON name = indrelid WHERE NOT indisprimary;
DO $$
DECLARE what text;
BEGIN
    FOR what IN SELECT drop FROM kept LOOP EXECUTE what; END LOOP;
    FOR what IN SELECT format('ALTER TABLE %%s SET UNLOGGED', name) FROM filled LOOP
        EXECUTE what;
    END LOOP;
END $$;

CREATE TEMPORARY TABLE read_ones AS
SELECT DISTINCT record FROM views.enrolments WHERE institution = %(institution)s;
CREATE TEMPORARY TABLE numbers AS SELECT n FROM generate_series(1, %(copies)s) n;

INSERT INTO views.organisations
SELECT (jsonb_populate_record(o, jsonb_build_object('organisation', pg_temp.other(o.organisation, n)))).*
FROM views.organisations o, numbers WHERE o.organisation = %(institution)s;
INSERT INTO views.records
SELECT pg_temp.other(record, n), pg_temp.other(recipient, n), kind, birth_year,
       managing_organisation, division, roll, registered_on, registered_position
FROM views.records JOIN read_ones USING (record), numbers;
INSERT INTO views.guardians
SELECT pg_temp.other(record, n), ordinal, pg_temp.other(person, n), relation
FROM views.guardians JOIN read_ones USING (record), numbers;
INSERT INTO views.rolls
SELECT pg_temp.other(record, n), position, status, moved_on, effective_on, managing_organisation,
       division
FROM views.rolls JOIN read_ones USING (record), numbers;
INSERT INTO views.certificates
SELECT pg_temp.other(certificate, n), pg_temp.other(record, n), kind, division,
       pg_temp.other(holder, n), identifier, claimed_position, released_position, release_reason
FROM views.certificates JOIN read_ones USING (record), numbers;
INSERT INTO views.enrolments
SELECT pg_temp.other(enrolment, n), from_position, to_position, enrolled_position,
       pg_temp.other(record, n), pg_temp.other(institution, n), division, school_year, class_name,
       entry_type, admission, number, joined_on, checked_on, has_certificate, age_years,
       annex1_row, complete, requirement, requirement_version, record_version, reissued_on,
       rechecked_on, completed
FROM views.enrolments, numbers WHERE institution = %(institution)s;
INSERT INTO views.cells
SELECT pg_temp.other(enrolment, n), vaccine_group, dose_number, c.from_position, c.to_position,
       exempt, made_up_on
FROM views.cells c, numbers
WHERE enrolment IN (SELECT enrolment FROM views.enrolments WHERE institution = %(institution)s);
INSERT INTO views.doses
SELECT pg_temp.other(dose, n), from_position, to_position, effective_from, effective_to,
       pg_temp.other(record, n), vaccine, national_code, dose_number, product, maker, lot,
       expires_on, occurred_on, site, route, quantity, clinic, source_system, provenance,
       evidence_kind, province
FROM views.doses JOIN read_ones USING (record), numbers;
INSERT INTO views.timeline
SELECT position + n * 1000000000::bigint, pg_temp.other(record, n), pg_temp.other(stream, n),
       version, topic, recorded_at, organisation, keyid, occurred_on, effective_on, dose
FROM views.timeline JOIN read_ones USING (record), numbers;

DO $$
DECLARE what text;
BEGIN
    FOR what IN SELECT make FROM kept LOOP EXECUTE what; END LOOP;
END $$;
ANALYZE views.records, views.guardians, views.rolls, views.certificates, views.doses,
        views.timeline, views.enrolments, views.cells, views.organisations;
