-- Organisations and their keys.

-- name: copy_organisations
COPY organisations (organisation, name, name_en, kind, division, parent, institution_type,
                    ownership, registered_position)
FROM STDIN

-- name: copy_keys
COPY keys (keyid, from_position, organisation, public_key) FROM STDIN

-- name: revoke_keys
UPDATE keys k SET revoked_position = revoked.position, reason = revoked.reason
FROM unnest(%(organisations)s::uuid[], %(keyids)s::text[], %(reasons)s::text[],
            %(positions)s::bigint[]) AS revoked (organisation, keyid, reason, position)
WHERE k.organisation = revoked.organisation AND k.keyid = revoked.keyid
  AND k.revoked_position IS NULL

-- name: organisation
SELECT organisation, name, name_en, kind, division, parent, institution_type, ownership,
       registered_position
FROM views.organisations WHERE organisation = %(organisation)s

-- name: organisation_names
SELECT organisation, name FROM views.organisations WHERE organisation = ANY(%(organisations)s)

-- name: organisations_within
SELECT organisation, name, name_en, kind, division, parent, institution_type, ownership,
       registered_position
FROM views.organisations
WHERE starts_with(division, %(prefix)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY division, registered_position

-- name: keys
SELECT keyid, organisation, public_key, from_position, revoked_position, reason
FROM views.keys WHERE organisation = %(organisation)s ORDER BY from_position
