-- Records about one person: which was merged into which, and known from when to when.

SET LOCAL ROLE vaxledger_project;

CREATE TABLE views.merges (
    record uuid NOT NULL,
    survivor uuid NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint NOT NULL,
    PRIMARY KEY (record, from_position)
);
CREATE INDEX merges_survivor ON views.merges (survivor);

RESET ROLE;
