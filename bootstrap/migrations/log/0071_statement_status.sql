-- The status lists of check statements ask which of them were superseded, and whose record was shredded.

SET LOCAL ROLE vaxledger_project;

CREATE INDEX timeline_superseded ON views.timeline (stream)
    WHERE topic = 'check-statement.superseded.v1';
CREATE INDEX timeline_shredded ON views.timeline (record)
    WHERE topic = 'vaccination-record.shredded.v1';

RESET ROLE;
