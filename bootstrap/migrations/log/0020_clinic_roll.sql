-- Whose roll a record ever stood on: the roll of a clinic on a day begins with these.

SET LOCAL ROLE vaxledger_project;

CREATE INDEX rolls_managing_organisation ON views.rolls (managing_organisation, record);

RESET ROLE;
