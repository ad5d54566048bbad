-- Certificates and grants.

-- name: copy_certificates
COPY certificates (certificate, record, kind, division, holder, identifier, claimed_position)
FROM STDIN

-- name: copy_grants
COPY grants (grant_id, certificate, grantee, relation, scope, ends_on, granted_position)
FROM STDIN

-- name: revoke_grants
UPDATE grants g SET revoked_position = revoked.position
FROM unnest(%(grants)s::uuid[], %(positions)s::bigint[]) AS revoked (grant_id, position)
WHERE g.grant_id = revoked.grant_id

-- name: release_certificates
UPDATE certificates c
SET released_position = released.position, release_reason = released.reason
FROM unnest(%(certificates)s::uuid[], %(reasons)s::text[], %(positions)s::bigint[])
    AS released (certificate, reason, position)
WHERE c.certificate = released.certificate

-- name: certificate
SELECT certificate, record, kind, division, holder, identifier,
       CASE WHEN released_position IS NULL THEN 'claimed' ELSE 'released' END AS state,
       claimed_position, released_position, release_reason
FROM views.certificates WHERE certificate = %(key)s

-- name: certificate_of_record
SELECT certificate, record, kind, division, holder, identifier,
       CASE WHEN released_position IS NULL THEN 'claimed' ELSE 'released' END AS state,
       claimed_position, released_position, release_reason
FROM views.certificates WHERE record = %(key)s
ORDER BY claimed_position DESC LIMIT 1

-- name: certificates_held_by
SELECT certificate, record, kind, division, holder, identifier, 'claimed' AS state,
       claimed_position, released_position, release_reason
FROM views.certificates WHERE holder = %(key)s AND released_position IS NULL
ORDER BY claimed_position

-- name: certificates_granted_to
SELECT DISTINCT c.certificate, c.record, c.kind, c.division, c.holder, c.identifier,
       'claimed' AS state, c.claimed_position, c.released_position, c.release_reason
FROM views.grants g JOIN views.certificates c USING (certificate)
WHERE g.grantee = %(key)s AND g.revoked_position IS NULL AND c.released_position IS NULL
ORDER BY c.claimed_position

-- name: grants
SELECT grant_id, certificate, grantee, relation, scope, ends_on, granted_position,
       revoked_position
FROM views.grants WHERE certificate = %(key)s ORDER BY granted_position
