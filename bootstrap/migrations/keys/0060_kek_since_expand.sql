-- Expand: since when a version of the key-encryption key wraps. Its file's time is another one as
-- soon as somebody copies it. A program that does not know the column goes on: the default fills it.

ALTER TABLE keys.keks ADD COLUMN since timestamptz;
ALTER TABLE keys.keks ALTER COLUMN since SET DEFAULT now();
