-- Corrections: where each stands, by record, clinic and mass correction.

SET LOCAL ROLE vaxledger_project;

INSERT INTO views.positions (name, position) VALUES ('corrections', 0);

CREATE TABLE views.corrections (
    correction uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    requested_position bigint NOT NULL,
    version bigint NOT NULL,
    record uuid NOT NULL,
    dose uuid NOT NULL,
    division text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    urgency text NOT NULL,
    reason text NOT NULL,
    requested_by text NOT NULL,
    clinic uuid NOT NULL,
    list text COLLATE "C",  -- digest of the mass correction that it belongs to
    state text COLLATE "C" NOT NULL,
    decision text,  -- why it was rejected or withdrawn
    effective_on date,
    PRIMARY KEY (correction, from_position)
);
CREATE INDEX corrections_record ON views.corrections (record);
CREATE INDEX corrections_clinic ON views.corrections (clinic, requested_position);
CREATE INDEX corrections_division ON views.corrections (division, requested_position);
CREATE INDEX corrections_list ON views.corrections (list) WHERE list IS NOT NULL;
CREATE INDEX corrections_open ON views.corrections (requested_position)
    WHERE to_position = 9223372036854775807 AND state IN ('requested', 'verified');

RESET ROLE;
