-- Credentials that their holder let hold no more: of a lost telephone or paper.

SET LOCAL ROLE vaxledger_project;

ALTER TABLE views.credentials ADD COLUMN revoked_position bigint;
CREATE INDEX credentials_revoked ON views.credentials (status_list)
    WHERE revoked_position IS NOT NULL;

RESET ROLE;
