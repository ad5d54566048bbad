-- What is to be told to people outside, and what became of it. No personal data: whom a message
-- goes to is opened when it is sent.

DO $$
BEGIN
    BEGIN
        CREATE ROLE vaxledger_outbox NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of the server has made it
    END;
    IF NOT pg_has_role(current_user, 'vaxledger_outbox', 'SET') THEN
        EXECUTE 'GRANT vaxledger_outbox TO CURRENT_USER WITH INHERIT FALSE, SET TRUE';
    END IF;
END
$$;

CREATE SCHEMA outbox;

-- Up to which entry it was looked what is to be told.
CREATE TABLE outbox.position (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    position bigint NOT NULL
);
INSERT INTO outbox.position (position) VALUES (0);

CREATE TABLE outbox.messages (
    id uuid PRIMARY KEY,           -- follows from what it tells: nothing is told twice
    kind text NOT NULL,
    stream uuid NOT NULL,          -- about which
    about text NOT NULL,           -- of that: a day, a version
    put_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'sent', 'outdated', 'unreachable', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    problem text,                  -- of the last attempt, as a code
    settled_at timestamptz
);
CREATE INDEX messages_due ON outbox.messages (due_at) WHERE state = 'waiting';
CREATE INDEX messages_state ON outbox.messages (state) WHERE state <> 'sent';

GRANT USAGE ON SCHEMA outbox TO vaxledger_outbox, vaxledger_read;
GRANT SELECT, UPDATE ON outbox.position TO vaxledger_outbox;
GRANT SELECT, INSERT, UPDATE ON outbox.messages TO vaxledger_outbox;
GRANT SELECT ON outbox.messages TO vaxledger_read;
