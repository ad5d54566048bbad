"""The table of permissions as a document: who may write and read what, at which addresses."""

from collections.abc import Iterable, Mapping, Sequence

from api.app import openapi_document
from api.write_addresses import ADDRESSES
from bootstrap.embedded.nats_users import OWN_PERMISSIONS
from client.durables import ACCOUNT, account_of
from commands.permissions import READS, WRITES, Policy, Rows

READ_AT: Mapping[str, tuple[str, ...]] = {
    "record": (
        "getRecord",
        "getTimeline",
        "getAudit",
        "getDossier",
        "getProtection",
        "getDuplicates",
        "getAsSeen",
        "getCertificate",
        "searchRecords",
        "listCorrections",
        "previewCorrections",
    ),
    "access": ("listAccess",),
    "quality": ("getQualityWithin",),
    "duplicates": ("getDuplicatesWithin",),
    "lot": ("getDosesOfLot",),
    "clinic": ("getClinicRoll", "getClinicQuality"),
    "visit": ("getVisit",),
    "bookings": ("getSiteDay", "findBooking"),
    "register": (
        "listClasses",
        "getClassRegister",
        "printRegisters",
        "listRegisterReports",
        "printRegisterReport",
        "printNotices",
        "listNotices",
        "listEntryPapers",
        "reviewClassList",
    ),
    "statement": ("getCheckStatement", "printCheckStatement"),
    "roll-up": (
        "getRollUp",
        "printRollUp",
        "listRollUpReports",
        "getRollUpReport",
        "printRollUpReport",
        "listSchoolsReporting",
        "listPreparations",
        "openNumber",
        "listRollUpChanges",
        "superviseSchools",
    ),
    "entries": ("getEntryBundle", "getEnvelopes", "listEntries"),
    "personal": ("openPersonal",),
    "signatures": ("listEntriesOfKey",),
    "feed": ("getFeedStatus",),
}
"""Operations of staff by what they read; a test holds each of them against `READS`."""

BY_CITIZENS = (
    "listCandidates",
    "claimCertificate",
    "getCertificate",
    "printCertificate",
    "getCredential",
    "getSchoolVerdict",
    "showCode",
    "grantCertificate",
    "revokeGrant",
    "revokeCredential",
    "releaseCertificate",
    "exportOwnRecord",
    "listBookings",
    "holdSeat",
    "getBooking",
    "getBookingCode",
    "confirmBooking",
    "moveBooking",
    "cancelBooking",
)
"""Operations of citizens: the verified identity of the token decides, not a row."""

BY_ANY_TOKEN = ("submitBatch", "getReceipt")
"""Each line of a batch is a write of its own; a receipt says nothing of a person."""

_INTRODUCTION = """\
# Permissions

Made by `make docs` from `commands/permissions.py`; `tests/integration/api/test_permissions*.py` ask
every address as every role, within and beyond its scope, and compare.

What has no row is refused. Whoever may not know of a thing gets the answer of a thing that does not
exist, byte for byte but for the request's id, whatever state it is in. Citizens have no rows here:
they see and do what concerns themselves and their children, by the claims of their token. Pages
show what the operations beneath them answer.
"""

_AT_NATS = """
## At NATS

Each subscriber has an account of its own ([why](adr/0013-an-account-for-each-subscriber.md)), which
is given the three services of its row of the feed's account. A test has every user say and listen
to every subject of these rows and of some thirty attacks, and compares
(`tests/integration/feed/test_feed_isolation.py`). Who has no password, or a wrong one, does not get
in. The embedded server has these users; at a server of your own the publisher's user may do
everything within the account `VAXLEDGER` and nothing in another.

| account | user | may say | may hear |
|---|---|---|---|"""


def permissions_markdown() -> str:
    """The document `docs/permissions.md`."""
    # By the platform: with a code that was shown, with an identity card that was.
    written_at = {"visit.opened.v1": "/v1/visits", "appointment.held.v1": "/v1/walk-ins"}
    written_at |= {topic: one.path for one in ADDRESSES for topic in one.topics}
    writes = [
        f"| `{topic}` | {_who(rows)} | `{written_at[topic]}` |" for topic, rows in WRITES.items()
    ]
    reads = [
        f"| {what} | {_who(rows)} | {_listed(READ_AT[what])} |" for what, rows in READS.items()
    ]
    policies = dict.fromkeys(
        policy for rows in (*WRITES.values(), *READS.values()) for _, policy in rows
    )
    return "\n".join(
        [
            _INTRODUCTION,
            "## What the conditions mean\n",
            "| condition | holds when |",
            "|---|---|",
            *(f"| {_name(policy)} | {_meaning(policy)} |" for policy in policies),
            "\n## Signed writes\n",
            "| event | who, under which condition | address |",
            "|---|---|---|",
            *writes,
            "\n## Reads\n",
            "| what | who, under which condition | operations of the OpenAPI document |",
            "|---|---|---|",
            *reads,
            "\n## Without a row\n",
            f"Citizens: {_listed(BY_CITIZENS)}.\n",
            f"Any token: {_listed(BY_ANY_TOKEN)}.\n",
            f"No token: {_listed(sorted(_open_operations()))}.",
            _AT_NATS,
            *(
                f"| `{account}` | `{user}` | {_listed(said)} | {_listed(heard)} |"
                for account, user, said, heard in at_nats()
            ),
            "",
        ]
    )


def at_nats(
    *subscribers: str,
) -> Iterable[tuple[str, str, Sequence[str], Sequence[str]]]:
    """Yield account and user, and the subjects that it may publish to and subscribe to.

    Args:
        subscribers: Names of their durables; one that stands for all, if none is given.
    """
    for user, own in OWN_PERMISSIONS.items():
        yield ACCOUNT, user, own["publish"], own["subscribe"]
    for durable in subscribers or ("subscriber-NAME",):
        (user,) = account_of(durable, "")["users"]
        yield (
            durable,
            user["user"],
            user["permissions"]["publish"],
            user["permissions"]["subscribe"],
        )


def _open_operations() -> Iterable[str]:
    """Operations that ask for no token: nothing of a person."""
    for operations in openapi_document()["paths"].values():
        for operation in operations.values():
            if "security" not in operation:
                yield operation["operationId"]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _who(rows: Rows) -> str:
    """Roles by condition, in the order of the table."""
    conditions = dict.fromkeys(policy for _, policy in rows)
    return "; ".join(
        f"{', '.join(role for role, held in rows if held is policy)}: {_name(policy)}"
        for policy in conditions
    )


def _name(policy: Policy) -> str:
    return policy.__name__.removeprefix("is_").replace("_", " ")


def _meaning(policy: Policy) -> str:
    return (policy.__doc__ or "").partition("\n")[0]
