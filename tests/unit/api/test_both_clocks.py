"""Every view takes both clocks, or stands here with the reason why it cannot."""

from api.app import openapi_document

LOG = "the log itself, read by position"
NOW = "what is acted on now"
ISSUED = "a document is issued, or a code shown, at the moment of asking"
FIXED = "a report fixes its position and day itself, and is the same for ever"
ONE_CLOCK = {
    "/v1/appointments": NOW,
    "/v1/appointments/{appointment}": NOW,
    "/v1/appointments/{appointment}/code": ISSUED,
    "/v1/certificates/candidates": NOW,
    "/v1/certificates/{certificate}/certificate.pdf": ISSUED,
    "/v1/certificates/{certificate}/credential": ISSUED,
    "/v1/certificates/{certificate}/school-verdict": ISSUED,
    "/v1/certificates/{certificate}/show-code": ISSUED,
    "/v1/entries": LOG,
    "/v1/feed/status": "how the feed runs is in no entry",
    "/v1/keys/{keyid}/entries": LOG,
    "/v1/offers": "free seats: capacity now",
    "/v1/proofs/consistency": LOG,
    "/v1/proofs/inclusion": LOG,
    "/v1/receipts/{position}": LOG,
    "/v1/records/{record}/access": "each line of the access journal has its time",
    "/v1/records/{record}/own": "all that there is, with every entry",
    "/v1/records/{record}/protection": NOW,
    "/v1/register-reports/{report}.{file_format}": FIXED,
    "/v1/roll-up-reports/{report}.{file_format}": FIXED,
    "/v1/sites/{site}/days/{day}": "seats and who has come: capacity now",
    "/v1/visits/{visit}": NOW,
}
"""Addresses without `known_at` and `effective_on`."""


def test_every_view_takes_both_clocks_or_says_why_not():
    without = set()
    for path, operations in openapi_document()["paths"].items():
        if path.startswith("/v1/") and "get" in operations:
            taken = {one["name"] for one in operations["get"].get("parameters", ())}
            if not {"known_at", "effective_on"} <= taken:
                without.add(path)
    assert without == ONE_CLOCK.keys()
