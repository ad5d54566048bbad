-- What witnesses have said of published checkpoints, and how it stands with each of them.

DO $$
BEGIN
    BEGIN
        CREATE ROLE vaxledger_witness NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;  -- another database of the server has made it
    END;
    IF NOT pg_has_role(current_user, 'vaxledger_witness', 'SET') THEN
        EXECUTE 'GRANT vaxledger_witness TO CURRENT_USER WITH INHERIT FALSE, SET TRUE';
    END IF;
END
$$;

-- The newest cosigned checkpoint, the newest with a quorum, and one of those a minute.
CREATE TABLE ledger.cosigned (
    size bigint PRIMARY KEY,
    note bytea NOT NULL,      -- as the log signed it
    lines bytea NOT NULL,     -- the witnesses' signature lines, to be put after it
    quorum boolean NOT NULL,  -- whether they suffice for the policy of that time
    made_at timestamptz NOT NULL
);
CREATE INDEX cosigned_with_quorum ON ledger.cosigned (size) WHERE quorum;
CREATE INDEX cosigned_by_time ON ledger.cosigned (made_at);

CREATE TABLE ledger.witnesses (
    name text PRIMARY KEY,
    ask_after timestamptz NOT NULL,    -- one request in flight, then a pause
    holds bigint NOT NULL DEFAULT 0,   -- size at which the witness stands, by its own word
    cosigned bigint,                   -- of its newest cosignature that we verified
    cosigned_at timestamptz,
    failures integer NOT NULL DEFAULT 0,  -- since then
    failing_since timestamptz,
    problem text,                      -- of the newest failure
    alarm text,                        -- it holds another history than ours; until it cosigns
    refusals bigint NOT NULL DEFAULT 0,
    alarms bigint NOT NULL DEFAULT 0
);

GRANT USAGE ON SCHEMA ledger TO vaxledger_witness;
GRANT SELECT ON ledger.checkpoint, ledger.tiles TO vaxledger_witness;
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.cosigned TO vaxledger_witness;
GRANT SELECT, INSERT, UPDATE ON ledger.witnesses TO vaxledger_witness;
GRANT SELECT ON ledger.cosigned, ledger.witnesses TO vaxledger_read;
