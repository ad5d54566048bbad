-- Contract: whoever reads it need not ask whether it is there.

ALTER TABLE keys.keks ALTER COLUMN since SET NOT NULL;
