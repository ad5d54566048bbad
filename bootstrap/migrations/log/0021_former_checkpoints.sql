-- The entries that give the log another name.
CREATE INDEX entries_of_successions ON ledger.entries (position) WHERE topic = 'log.succeeded.v1';

-- Checkpoints of earlier origins, for whoever asks later what the log once signed.
CREATE TABLE ledger.former_checkpoints (
    origin text NOT NULL,
    size bigint NOT NULL,
    note bytea NOT NULL,
    lines bytea NOT NULL,  -- of witnesses
    PRIMARY KEY (origin, size)
);

GRANT SELECT ON ledger.former_checkpoints TO vaxledger_read;

-- Puts the checkpoints of an origin aside when another takes over; readers see none until the new
-- one's is published. The integrator's role may do this, and delete none of them otherwise.
CREATE FUNCTION ledger.put_aside(former text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.former_checkpoints (origin, size, note, lines)
    SELECT former, signed.size, signed.note, coalesce(c.lines, ''::bytea)
    FROM (
        SELECT size, note FROM ledger.checkpoint WHERE note IS NOT NULL
        UNION SELECT size, note FROM ledger.checkpoints
        UNION SELECT size, note FROM ledger.cosigned
    ) signed
    LEFT JOIN ledger.cosigned c ON (c.size, c.note) = (signed.size, signed.note)
    ORDER BY c.size IS NULL
    ON CONFLICT (origin, size) DO NOTHING;
    UPDATE ledger.checkpoint SET published = 0, published_note = NULL;
    DELETE FROM ledger.checkpoints;
    DELETE FROM ledger.cosigned;
    DELETE FROM ledger.witnesses;
END
$$;
REVOKE EXECUTE ON FUNCTION ledger.put_aside FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.put_aside TO vaxledger_integrate;
