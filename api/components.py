"""What the interface's description refers to: schemas, parameters and answers."""

from collections.abc import Mapping
from typing import Any

from api.evaluation_components import EVALUATIONS
from api.problems import MEDIA_TYPE as PROBLEM
from api.schema_objects import DAY, HEX32, REF, UUID, described
from client.personal import SUITE
from domain.credential import Content
from domain.quality import Severity
from domain.topics import EVENTS
from domain.visit import Step
from ledger.envelope import MAX_BATCH, PAYLOAD_TYPE

_VERSION_TAG = {
    "description": "Version of the stream, to be sent as If-Match.",
    "schema": {"type": "string", "examples": ['"3"']},
}
_WRITTEN = {
    "position": {"type": "integer", "minimum": 1},
    "stream": UUID,
    "version": {"type": "integer", "minimum": 1},
}
_RECEIPT = {
    **_WRITTEN,
    "recorded_at": {"type": "string", "format": "date-time"},
    "leaf": {**HEX32, "description": "RFC 9162 leaf hash."},
    "entry": {"type": "string", "description": "The exact bytes of the entry, as text."},
    "proof": {"type": "string", "description": "C2SP tlog-proof."},
}
_ACCEPTED = {
    **_WRITTEN,
    "receipt": {"type": "string", "description": "Address of the receipt."},
}
_REMARKS = {
    "type": "array",
    "description": "What deserves a second look in what was written; absent without any.",
    "items": described(
        "A finding of data quality.",
        id={"type": "string"},
        severity={"enum": [severity.value for severity in Severity]},
        zh={"type": "string"},
        en={"type": "string"},
    ),
}
SCHEMAS: Mapping[str, Any] = {
    "SignedBody": described(
        "A signed write: the envelope over the statement, and the private part of each person.",
        envelope={"anyOf": [{"$ref": f"{REF}Envelope"}, {"$ref": f"{REF}BatchMember"}]},
        private={
            "type": "object",
            "description": "Private parts by person handle: exactly those committed to.",
            "additionalProperties": {"$ref": f"{REF}PrivatePart"},
        },
    ),
    "BatchMember": described(
        "One line of a signed batch: the statement, and its place under the signed RFC 9162 root.",
        envelope={
            "type": "object",
            "description": "DSSE v1 envelope of the batch: signs its root and size.",
        },
        index={"type": "integer", "minimum": 0},
        path={
            "type": "array",
            "description": "Inclusion proof, the sibling first.",
            "items": {"type": "string", "contentEncoding": "base64"},
        },
        payload={
            "type": "string",
            "contentEncoding": "base64",
            "contentSchema": {"$ref": f"{REF}Statement"},
        },
        size={"type": "integer", "minimum": 1, "maximum": MAX_BATCH},
    ),
    "Envelope": described(
        "DSSE v1 envelope with one Ed25519 signature.",
        payload={
            "type": "string",
            "contentEncoding": "base64",
            "contentMediaType": PAYLOAD_TYPE,
            "contentSchema": {"$ref": f"{REF}Statement"},
        },
        payloadType={"const": PAYLOAD_TYPE},
        signatures={
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": described(
                "A signature; `keyid` is SHA-256 of the public key.",
                keyid=HEX32,
                sig={"type": "string", "contentEncoding": "base64"},
            ),
        },
    ),
    "Statement": described(
        "What the author signs. `data` has the schema of its topic.",
        origin={"type": "string", "description": "Name of the log."},
        idempotency_key=UUID,
        topic={"type": "string", "enum": list(EVENTS)},
        stream=UUID,
        expected_version={"type": "integer", "minimum": 0, "description": "0 for a new stream."},
        data={"type": "object"},
        commitments={
            "type": "object",
            "description": "By person handle: HMAC-SHA256(r, RFC 8785 of values), hex.",
            "additionalProperties": HEX32,
        },
    ),
    "PrivatePart": described(
        "Personal values of one person under a random 256-bit salt.",
        r=HEX32,
        values={"type": "object"},
    ),
    "Receipt": described(
        "An entry, its place, and the proof that a signed checkpoint covers it.", **_RECEIPT
    ),
    "Written": {
        **described("A receipt, and remarks for the writer.", **_RECEIPT, remarks=_REMARKS),
        "required": list(_RECEIPT),
    },
    "Accepted": {
        **described(
            "Written; the checkpoint that covers it is still to come.",
            **_ACCEPTED,
            remarks=_REMARKS,
        ),
        "required": list(_ACCEPTED),
    },
    "LineVerdict": {
        **described(
            "What became of one line of a batch: its place in the log, or its problem.",
            line={"type": "integer", "minimum": 1, "description": "Which line of the body."},
            status={
                "type": "integer",
                "description": "201 published, 202 written; else that of the problem.",
            },
            **_ACCEPTED,
            replayed={"type": "boolean", "description": "Whether it stood there before."},
            remarks=_REMARKS,
            problem={"$ref": f"{REF}Problem"},
        ),
        "required": ["line", "status"],
    },
    "Problem": described(
        "RFC 9457 problem details. `type` opens a page about it.",
        type={"type": "string", "format": "uri-reference", "examples": ["/problems/not-found"]},
        title={"type": "string", "description": "zh-CN, or English if preferred."},
        status={"type": "integer"},
        facts={"type": "object", "description": "What is known beyond the title."},
        request_id={"type": ["string", "null"]},
    ),
    **EVALUATIONS,
    "Personal": described(
        "Personal values as authors gave them.",
        parts={
            "type": "array",
            "items": described(
                "What one entry has sealed of one person.",
                position={"type": "integer", "minimum": 1},
                record=UUID,
                person={**UUID, "description": "The handle."},
                values={"type": ["object", "null"], "description": "null where erased."},
                r={
                    "type": ["string", "null"],
                    "description": "Salt of the commitment, 64 hex digits: HMAC-SHA256(r, RFC 8785 "
                    "JSON of the values) stands in the signed payload under the person's handle.",
                },
                envelope={
                    "type": ["string", "null"],
                    "description": "What the author signed, byte for byte as the entry's "
                    "`author.envelope` names it by its SHA-256; null where it is lost.",
                },
            ),
        },
        refused={
            "type": "array",
            "items": described(
                "A position or record that was asked for and is not opened.",
                item={"type": ["integer", "string"]},
                reason={"enum": ["not-found", "restricted", "erased"]},
            ),
        },
    ),
    "SealedPersonal": described(
        "`Personal` as JSON, sealed to the caller's public key: HPKE (RFC 9180), mode base, info = "
        "RFC 8785 JSON of {context: `vaxledger personal.v1`, origin, request: SHA-256 of the "
        "request's body, hex}.",
        suite={"const": SUITE},
        sealed={
            "type": "string",
            "contentEncoding": "base64",
            "description": "Encapsulated key (32 bytes), then ciphertext with tag.",
        },
    ),
    "Credential": described(
        "What a person carries (docs/certificate-format.md). As `image/png` or `image/svg+xml` it "
        "comes as a QR code.",
        credential={"type": "string", "description": "The text, beginning with `HC1:`."},
        content={"enum": [content.value for content in Content]},
        issuer={"type": "string"},
        issued_at={"type": "string", "format": "date-time"},
        expires_at={"type": "string", "format": "date-time"},
        effective_on=DAY,
        position={"type": "integer", "description": "Last log position that it reflects."},
        status={"type": "string", "description": "URI of its status list."},
        status_index={"type": "integer", "description": "Its bit in the list."},
        notice={"type": "object", "description": "What goes with every certificate (C-27)."},
    ),
    "ShowCode": described(
        "A code to be shown at a clinic: for a minute, for one visit. As `image/png` or "
        "`image/svg+xml` it comes as a QR code.",
        code={"type": "string"},
        expires_at={"type": "string", "format": "date-time"},
    ),
    "Visit": described(
        "A visit and how far it has come.",
        visit=UUID,
        record=UUID,
        clinic=UUID,
        on=DAY,
        queue_number={"type": "integer", "minimum": 1},
        step={"enum": [step.value for step in Step]},
        moments={"type": "object", "description": "Our clock at each step so far."},
        doses={"type": "array", "items": UUID},
        observed_until={"type": ["string", "null"], "format": "date-time"},
        version={"type": "integer", "minimum": 1},
    ),
    "Gap": described(
        "Doses of one vaccine group.",
        vaccine_group={"type": "string"},
        dose_numbers={"type": "array", "items": {"type": "integer"}},
    ),
}
PARAMETERS: Mapping[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "Names this write for ever; for a signed write the key that was signed."
        " Any UUID; the log stores one that begins with a time (UUIDv7) with the least work.",
        "schema": UUID,
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The stream's version as an entity tag; the one that was signed.",
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "`respond-async`: do not wait for the checkpoint.",
        "schema": {"type": "string"},
    },
}
_WRITTEN_HEADERS = {
    "ETag": _VERSION_TAG,
    "Location": {"description": "Address of the receipt.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` where the key was answered before.",
        "schema": {"type": "string"},
    },
}
RESPONSES: Mapping[str, Any] = {
    "Written": {
        "description": "Written, and covered by a signed checkpoint.",
        "headers": _WRITTEN_HEADERS,
        "content": {"application/json": {"schema": {"$ref": f"{REF}Written"}}},
    },
    "Accepted": {
        "description": "Written; the receipt follows.",
        "headers": _WRITTEN_HEADERS,
        "content": {"application/json": {"schema": {"$ref": f"{REF}Accepted"}}},
    },
    "Problem": {
        "description": "Refused; nothing was written.",
        "content": {PROBLEM: {"schema": {"$ref": f"{REF}Problem"}}},
    },
}
