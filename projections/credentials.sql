-- Offline credentials and their status.

-- name: copy_credentials
COPY credentials (credential, certificate, content, entry_type, status_list, status_index, reflects,
                  effective_on, expires_on, issued_position)
FROM STDIN

-- name: supersede
UPDATE credentials c SET superseded_position = superseded.position
FROM unnest(%(credentials)s::uuid[], %(positions)s::bigint[]) AS superseded (credential, position)
WHERE c.credential = superseded.credential

-- name: revoke
UPDATE credentials c SET revoked_position = revoked.position
FROM unnest(%(credentials)s::uuid[], %(positions)s::bigint[]) AS revoked (credential, position)
WHERE c.credential = revoked.credential

-- name: copy_restatements
COPY restatements (record, position, effective_on, person) FROM STDIN

-- name: outdated
-- Neither superseded, revoked nor released, and corrected since; by the day on which a correction counts.
-- What is corrected in a record that was merged into another shows there.
SELECT c.certificate, c.credential, c.content, c.entry_type
FROM views.restatements r
CROSS JOIN LATERAL (
    SELECT r.record UNION ALL
    SELECT m.survivor FROM views.merges m WHERE m.record = r.record AND r.person IS NULL
) shown (record)
JOIN views.certificates k ON k.record = shown.record AND k.released_position IS NULL
JOIN views.credentials c ON c.certificate = k.certificate AND c.superseded_position IS NULL
                        AND c.revoked_position IS NULL
JOIN views.records d ON d.record = r.record
WHERE (%(certificate)s::uuid IS NULL OR k.certificate = %(certificate)s)
  AND %(day)s < c.expires_on
  AND (r.person IS NULL OR r.person = d.recipient)
  AND r.effective_on <= %(day)s
  AND (r.position > c.reflects OR r.effective_on > c.effective_on)
GROUP BY c.credential

-- name: status
-- Every set bit of a list, and whether a successor was issued.
SELECT status_index, true FROM views.credentials
WHERE status_list = %(list)s AND superseded_position IS NOT NULL
UNION
SELECT status_index, false FROM views.credentials
WHERE status_list = %(list)s AND revoked_position IS NOT NULL
UNION
SELECT c.status_index, false
FROM views.certificates k JOIN views.credentials c USING (certificate)
WHERE k.released_position IS NOT NULL AND c.status_list = %(list)s
  AND c.superseded_position IS NULL
UNION
SELECT c.status_index, false
FROM views.restatements r
CROSS JOIN LATERAL (
    SELECT r.record UNION ALL
    SELECT m.survivor FROM views.merges m WHERE m.record = r.record AND r.person IS NULL
) shown (record)
JOIN views.certificates k ON k.record = shown.record
JOIN views.credentials c ON c.certificate = k.certificate AND c.superseded_position IS NULL
JOIN views.records d ON d.record = r.record
WHERE c.status_list = %(list)s
  AND (r.person IS NULL OR r.person = d.recipient)
  AND r.effective_on <= %(day)s
  AND (r.position > c.reflects OR r.effective_on > c.effective_on)

-- name: lists
SELECT max(status_list) FROM views.credentials

-- name: statement_status
-- Statements in whose place another stands, and those of shredded records (S-34).
SELECT issued.position, true
FROM views.timeline ended
JOIN views.timeline issued ON issued.stream = ended.stream AND issued.version = 1
                          AND issued.stream <> issued.record
WHERE ended.topic = 'check-statement.superseded.v1'
  AND issued.position >= %(first)s AND issued.position < %(after)s
UNION
SELECT issued.position, false
FROM views.timeline shredded
JOIN views.timeline issued ON issued.record = shredded.record
                          AND issued.topic = 'check-statement.issued.v1'
WHERE shredded.topic = 'vaccination-record.shredded.v1'
  AND issued.position >= %(first)s AND issued.position < %(after)s

-- name: newest_position
SELECT coalesce(max(position), 0) FROM views.timeline
