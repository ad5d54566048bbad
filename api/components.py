"""What the interface's description refers to: schemas, parameters and answers."""

from collections.abc import Mapping
from typing import Any

from api.problems import MEDIA_TYPE as PROBLEM
from certificates.status import STATUS_LIST_TYPE
from certificates.trust import TRUST_LIST_TYPE
from client.personal import SUITE
from domain.certificate_rules.case import RULES as CERTIFICATE_RULES
from domain.credential import Content
from domain.quality import Severity
from domain.roll_up.case import KINDS as ROLL_UP_KINDS
from domain.schedules.schedule import SHIPPED
from domain.topics import EVENTS
from domain.visit import Step
from ledger.envelope import MAX_BATCH, PAYLOAD_TYPE

REF = "#/components/schemas/"
_HEX32 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
UUID = {"type": "string", "format": "uuid"}
_VERSION_TAG = {
    "description": "Version of the stream, to be sent as If-Match.",
    "schema": {"type": "string", "examples": ['"3"']},
}


def _object(description: str, **properties: Any) -> dict[str, Any]:
    """An object whose members are all required, and all there are."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_DAY = {"type": "string", "format": "date"}
_DOSE = _object(
    "A dose; the vaccine by symbol, four-digit code or name.",
    vaccine={"type": "string"},
    date=_DAY,
)
_WRITTEN = {
    "position": {"type": "integer", "minimum": 1},
    "stream": UUID,
    "version": {"type": "integer", "minimum": 1},
}
_RECEIPT = {
    **_WRITTEN,
    "recorded_at": {"type": "string", "format": "date-time"},
    "leaf": {**_HEX32, "description": "RFC 9162 leaf hash."},
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
    "items": _object(
        "A finding of data quality.",
        id={"type": "string"},
        severity={"enum": [severity.value for severity in Severity]},
        zh={"type": "string"},
        en={"type": "string"},
    ),
}
SCHEMAS: Mapping[str, Any] = {
    "SignedBody": _object(
        "A signed write: the envelope over the statement, and the private part of each person.",
        envelope={"anyOf": [{"$ref": f"{REF}Envelope"}, {"$ref": f"{REF}BatchMember"}]},
        private={
            "type": "object",
            "description": "Private parts by person handle: exactly those committed to.",
            "additionalProperties": {"$ref": f"{REF}PrivatePart"},
        },
    ),
    "BatchMember": _object(
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
    "Envelope": _object(
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
            "items": _object(
                "A signature; `keyid` is SHA-256 of the public key.",
                keyid=_HEX32,
                sig={"type": "string", "contentEncoding": "base64"},
            ),
        },
    ),
    "Statement": _object(
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
            "additionalProperties": _HEX32,
        },
    ),
    "PrivatePart": _object(
        "Personal values of one person under a random 256-bit salt.",
        r=_HEX32,
        values={"type": "object"},
    ),
    "Receipt": _object(
        "An entry, its place, and the proof that a signed checkpoint covers it.", **_RECEIPT
    ),
    "Written": {
        **_object("A receipt, and remarks for the writer.", **_RECEIPT, remarks=_REMARKS),
        "required": list(_RECEIPT),
    },
    "Accepted": {
        **_object(
            "Written; the checkpoint that covers it is still to come.",
            **_ACCEPTED,
            remarks=_REMARKS,
        ),
        "required": list(_ACCEPTED),
    },
    "LineVerdict": {
        **_object(
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
    "Problem": _object(
        "RFC 9457 problem details. `type` opens a page about it.",
        type={"type": "string", "format": "uri-reference", "examples": ["/problems/not-found"]},
        title={"type": "string", "description": "zh-CN, or English if preferred."},
        status={"type": "integer"},
        facts={"type": "object", "description": "What is known beyond the title."},
        request_id={"type": ["string", "null"]},
    ),
    "SchoolEntryCase": {
        **_object(
            "A child on the day of the check.",
            birth_date=_DAY,
            check_date=_DAY,
            entry_type={"enum": ["kindergarten", "primary"]},
            has_certificate={"type": "boolean"},
            doses={"type": "array", "items": _DOSE},
            contraindications={
                "type": "array",
                "items": _object(
                    "Permanent ones exempt, temporary ones postpone.",
                    vaccine_group={"type": "string"},
                    kind={"enum": ["permanent", "temporary"]},
                ),
            },
        ),
        "required": ["birth_date", "check_date", "entry_type", "has_certificate", "doses"],
    },
    "SchoolEntryVerdict": _object(
        "The verdict, with what stands behind it.",
        age_years={"type": "integer"},
        complete={"type": ["boolean", "null"]},
        missing={"type": "array", "items": {"$ref": f"{REF}Gap"}},
        annex1_row={"type": ["integer", "null"]},
        exempt={"type": "array", "items": {"$ref": f"{REF}Gap"}},
        annex2_template={"enum": [1, 2, "2+contraindication_note", None]},
        reissue_certificate={"type": "boolean"},
        explanation={"type": "object"},
    ),
    "ImmunizationCase": {
        **_object(
            "A child on the day asked about.",
            birth_date=_DAY,
            asked_on=_DAY,
            sex={"enum": ["female", "male"]},
            schedule={"enum": list(SHIPPED), "description": "Else the one in force on the day."},
            doses={"type": "array", "items": _DOSE},
            contraindications={
                "type": "array",
                "items": {
                    **_object(
                        "Against a vaccine group or a vaccine. Permanent ones exempt, temporary "
                        "ones postpone.",
                        vaccine_group={"type": "string"},
                        vaccine={"type": "string"},
                        kind={"enum": ["permanent", "temporary"]},
                        until={**_DAY, "description": "Last day of a temporary one."},
                    ),
                    "required": ["kind"],
                },
            },
            conditions={"type": "array", "items": {"type": "string"}},
            immunoglobulins={"type": "array", "items": _DAY},
        ),
        "required": ["birth_date", "asked_on", "doses"],
    },
    "ImmunizationEvaluation": _object(
        "Every dose by series, every series with its next dose, and what stands behind them.",
        schedule={"type": "string"},
        doses={"type": "array", "items": {"type": "object"}},
        series={"type": "object", "additionalProperties": {"type": "object"}},
        explanation={"type": "object"},
    ),
    "CertificateCase": _object(
        "A question to the rules of electronic certificates; `rule` says what `input` holds.",
        rule={"enum": list(CERTIFICATE_RULES)},
        input={"type": "object"},
    ),
    "RollUpCase": _object(
        "A question to the rules of registers and roll-ups, answered as is usual for its kind.",
        kind={"enum": sorted(ROLL_UP_KINDS)},
        input={"type": "object"},
    ),
    "AppointmentCase": {
        "type": "object",
        "description": "A question to the booking rules; its members tell what is asked.",
    },
    "RulesAnswer": _object(
        "What the rules say, and the sentences behind it.",
        actual={"type": "object"},
        explanation={"type": "object"},
    ),
    "Personal": _object(
        "Personal values as authors gave them.",
        parts={
            "type": "array",
            "items": _object(
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
            "items": _object(
                "A position or record that was asked for and is not opened.",
                item={"type": ["integer", "string"]},
                reason={"enum": ["not-found", "restricted", "erased"]},
            ),
        },
    ),
    "SealedPersonal": _object(
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
    "Credential": _object(
        "What a person carries (docs/certificate-format.md). As `image/png` or `image/svg+xml` it "
        "comes as a QR code.",
        credential={"type": "string", "description": "The text, beginning with `HC1:`."},
        content={"enum": [content.value for content in Content]},
        issuer={"type": "string"},
        issued_at={"type": "string", "format": "date-time"},
        expires_at={"type": "string", "format": "date-time"},
        effective_on=_DAY,
        position={"type": "integer", "description": "Last log position that it reflects."},
        status={"type": "string", "description": "URI of its status list."},
        status_index={"type": "integer", "description": "Its bit in the list."},
        notice={"type": "object", "description": "What goes with every certificate (C-27)."},
    ),
    "ShowCode": _object(
        "A code to be shown at a clinic: for a minute, for one visit. As `image/png` or "
        "`image/svg+xml` it comes as a QR code.",
        code={"type": "string"},
        expires_at={"type": "string", "format": "date-time"},
    ),
    "Visit": _object(
        "A visit and how far it has come.",
        visit=UUID,
        record=UUID,
        clinic=UUID,
        on=_DAY,
        queue_number={"type": "integer", "minimum": 1},
        step={"enum": [step.value for step in Step]},
        moments={"type": "object", "description": "Our clock at each step so far."},
        doses={"type": "array", "items": UUID},
        observed_until={"type": ["string", "null"], "format": "date-time"},
        version={"type": "integer", "minimum": 1},
    ),
    "Gap": _object(
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
        "description": "Names this write for ever; for a signed write the key that was signed.",
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
_JSON, _TEXT, _OCTETS, _HTML = (
    "application/json",
    "text/plain",
    "application/octet-stream",
    "text/html",
)
_ANY, _STRING = {"type": "object"}, {"type": "string"}
_BYTES: dict[str, Any] = {}
ANSWERS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "getCheckpoint": (_TEXT, _STRING, "C2SP tlog-checkpoint."),
    "getLogKeys": (_TEXT, _STRING, "Verifier keys, one a line."),
    "getLogKeyHistory": ("application/x-ndjson", _STRING, "An object a line; empty at first."),
    "getPolicy": (_TEXT, _STRING, "C2SP tlog-policy."),
    "getTile": (_OCTETS, _BYTES, "Hashes of 32 bytes."),
    "getEntryBundle": (_OCTETS, _BYTES, "Entries, each after its length in two bytes."),
    "getEnvelopes": (_OCTETS, _BYTES, "Envelopes, each after its length in four bytes."),
    "listEntries": ("application/x-ndjson", _STRING, "An object a line."),
    "listEntriesOfKey": ("application/x-ndjson", _STRING, "An object a line."),
    "submitBatch": (
        "application/x-ndjson",
        {"$ref": f"{REF}LineVerdict"},
        "A verdict a line, in the order of the body's lines.",
    ),
    "openPersonal": (
        _JSON,
        {"anyOf": [{"$ref": f"{REF}Personal"}, {"$ref": f"{REF}SealedPersonal"}]},
        "The values, or sealed.",
    ),
    "getTrustList": (TRUST_LIST_TYPE, _BYTES, "The signed list."),
    "getTrustRoot": ("application/x-pem-file", _STRING, "A public key (PEM)."),
    **dict.fromkeys(
        ("getStatusList", "getSupersededList"), (STATUS_LIST_TYPE, _BYTES, "The signed list.")
    ),
    **dict.fromkeys(
        ("getCredential", "getSchoolVerdict"), (_JSON, {"$ref": f"{REF}Credential"}, "As asked.")
    ),
    "showCode": (_JSON, {"$ref": f"{REF}ShowCode"}, "A fresh code."),
    "getVisit": (_JSON, {"$ref": f"{REF}Visit"}, "The visit."),
    "getReceipt": (_JSON, {"$ref": f"{REF}Receipt"}, "The receipt."),
    "getConsistencyProof": (_JSON, _ANY, "Hashes in hex."),
    "evaluateSchedule": (_JSON, {"$ref": f"{REF}ImmunizationEvaluation"}, "The evaluation."),
    **dict.fromkeys(
        ("evaluateCertificate", "evaluateRollUp", "evaluateAppointment"),
        (_JSON, {"$ref": f"{REF}RulesAnswer"}, "The answer."),
    ),
    "evaluateSchoolEntry": (_JSON, {"$ref": f"{REF}SchoolEntryVerdict"}, "The verdict."),
    "getFrontPage": (_HTML, _STRING, "A page."),
    "listProblems": (_HTML, _STRING, "A page."),
    "getProblem": (_HTML, _STRING, "A page."),
    "getStyle": ("text/css", _STRING, "The style."),
    "getMetrics": (_TEXT, _STRING, "Prometheus's text format."),
    **dict.fromkeys(
        (
            *("listCandidates", "getCertificate", "getRecord", "getTimeline", "getProtection"),
            *(
                "searchRecords",
                "listClasses",
                "getClassRegister",
                "getRollUp",
                "getVersion",
                "isAlive",
                "isReady",
            ),
            "mintDevelopmentToken",
        ),
        (_JSON, _ANY, "The answer."),
    ),
}
