-- Backfill: what schools keep holds a claim since a shred asks for it; papers of before hold one too.
-- The first of each kind, as `commands/papers.py` takes it for those that come.

INSERT INTO ledger.claims (kind, key, stream, position)
SELECT DISTINCT ON (paper.key) 'school-paper', paper.key, paper.stream, paper.position
FROM (
    SELECT
        uuid_send((given.data ->> 'record')::uuid) || CASE given.topic
            WHEN 'check-statement.issued.v1' THEN 'statement'::bytea
            ELSE convert_to(
                (given.data ->> 'entry_type') || ' ' || (given.data ->> 'school_year'), 'UTF8'
            )
        END AS key,
        given.stream,
        given.position
    FROM (
        SELECT stream, position, topic, convert_from(entry, 'UTF8')::jsonb -> 'data' AS data
        FROM ledger.entries
        WHERE topic IN ('enrolment.enrolled.v1', 'check-statement.issued.v1')
    ) given
) paper
ORDER BY paper.key, paper.position
ON CONFLICT DO NOTHING;
