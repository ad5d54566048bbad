-- Suspected adverse events after doses; what was seen stands sealed in the entry.

SET LOCAL ROLE vaxledger_project;

CREATE TABLE views.adverse_events (
    adverse_event uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    record uuid NOT NULL,
    dose uuid NOT NULL,
    onset_on date NOT NULL,
    is_serious boolean NOT NULL,
    organisation uuid NOT NULL,
    classification text,
    PRIMARY KEY (adverse_event, from_position)
);
CREATE INDEX adverse_events_record ON views.adverse_events (record);
CREATE INDEX adverse_events_dose ON views.adverse_events (dose);

RESET ROLE;
