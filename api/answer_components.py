"""What each operation answers, in the interface's description: media type, schema, text."""

from collections.abc import Mapping
from typing import Any

from api.schema_objects import REF
from certificates.status import STATUS_LIST_TYPE
from certificates.trust import TRUST_LIST_TYPE

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
