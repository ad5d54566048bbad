-- The calendar asks several times a second which corrections were applied since it asked last.

SET LOCAL ROLE vaxledger_project;

CREATE INDEX corrections_applied_since ON views.corrections (from_position)
    WHERE to_position = 9223372036854775807 AND state = 'applied';

RESET ROLE;
