"""Counting from outside: what stands in the databases, compared with what was acknowledged.

Plain SQL as superuser, SHA-256 and nothing of ours, so that a mistake in the code that writes
cannot hide in the code that counts.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate, islice, zip_longest
from typing import Any
from uuid import UUID

import psycopg

from tests.crash.load import Acknowledged, private_values
from tests.crash.tree import Tree, leaf_of

STILL = 2**63 - 1
DOSE = "vaccination-record.dose-administered.v1"
RECORD = "vaccination-record.registered.v1"
LOG_VIEWS = {
    "organisations",
    "records",
    "doses",
    "certificates",
    "credentials",
    "school_checks",
    "data_quality",
    "bookings",
    "reports",
    "corrections",
}
_SHOWN = 5
_TIME = "to_char(known_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

_DOSE_FIELDS = (
    *("dose", "vaccine", "product", "maker", "lot", "expires_on", "occurred_on"),
    *("site", "route", "quantity", "clinic", "source_system"),
)


@dataclass
class Findings:
    """Counts, and everything that is not as it must be."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[Any]] = field(default_factory=dict)

    def expect(self, what: str, wrong: Iterable[Any]) -> None:
        """Note what breaks a rule; nothing should."""
        broken = list(wrong)
        self.counts[what] = len(broken)
        if broken:
            self.wrong[what] = broken

    def expect_equal(self, what: str, found: Any, expected: Any) -> None:
        """Note two things that should be equal and are not."""
        shown = f"{found!r:.200} is not {expected!r:.200}"
        self.expect(what, [] if found == expected else [shown])

    def expect_same_order(self, what: str, found: list[Any], expected: list[Any]) -> None:
        """Note the first place at which two lists differ."""
        pairs = zip_longest(found, expected)
        places = (place for place, (one, other) in enumerate(pairs) if one != other)
        self.expect(what, islice(places, 1))

    def expect_same_rows(self, what: str, found: list[Any], expected: list[Any]) -> None:
        """Compare two multisets: count what is lost and what is there too often."""
        there, due = Counter(found), Counter(expected)
        self.expect(f"{what}: lost", (due - there).elements())
        self.expect(f"{what}: doubled or invented", (there - due).elements())

    def __str__(self) -> str:
        lines = [
            f"{what}: {len(broken)}, such as {broken[:_SHOWN]}"
            for what, broken in self.wrong.items()
        ]
        return "\n".join(lines) or "nothing"


@dataclass(frozen=True)
class Logged:
    """A row of the log with its entry read as plain JSON."""

    position: int
    leaf: bytes
    raw: bytes
    entry: dict[str, Any]


class Databases:
    """The two databases, read as they lie there.

    Args:
        log_url: Libpq URL of the log's database, of a role that may read everything.
        keys_url: The same of the key database.
    """

    def __init__(self, log_url: str, keys_url: str) -> None:
        self._log_url = log_url
        self._keys_url = keys_url

    def log(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the log's database."""
        return _rows(self._log_url, query)

    def keys(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the key database."""
        return _rows(self._keys_url, query)

    def entries(self) -> list[Logged]:
        """The whole log."""
        rows = self.log("SELECT position, leaf, entry FROM ledger.entries ORDER BY position")
        return [Logged(position, leaf, raw, json.loads(raw)) for position, leaf, raw in rows]


def _rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def count_log(
    findings: Findings, databases: Databases, acknowledged: list[Acknowledged]
) -> list[Logged]:
    """Check the log itself, and that every acknowledged write stands in it exactly once."""
    log = databases.entries()
    findings.counts["entries"] = len(log)
    findings.counts["acknowledged"] = len(acknowledged)
    _count_positions(findings, databases, log)
    _count_streams(findings, databases, log)
    _count_acknowledged(findings, log, acknowledged)
    _count_keys(findings, databases, log, acknowledged)
    _count_seals(findings, databases, log)
    return log


def _count_positions(findings: Findings, databases: Databases, log: list[Logged]) -> None:
    positions = [row.position for row in log]
    findings.expect_same_order("positions not dense", positions, list(range(1, len(log) + 1)))
    findings.expect_equal(
        "head differs", databases.log("SELECT size FROM ledger.head"), [(len(log),)]
    )
    findings.expect(
        "leaf hashes wrong", (row.position for row in log if leaf_of(row.raw) != row.leaf)
    )
    columns = databases.log("""
        SELECT position, stream::text, version, topic, division FROM ledger.entries
        ORDER BY position
    """)
    said = [
        (row.position, *(row.entry[name] for name in ("stream", "version", "topic", "division")))
        for row in log
    ]
    findings.expect_same_rows("columns beside the entry", columns, said)


def _count_streams(findings: Findings, databases: Databases, log: list[Logged]) -> None:
    versions: dict[str, list[int]] = {}
    for row in log:
        versions.setdefault(row.entry["stream"], []).append(row.entry["version"])
    findings.expect(
        "versions out of order",
        (s for s, numbers in versions.items() if numbers != list(range(1, len(numbers) + 1))),
    )
    latest = accumulate((row.entry["recorded_at"] for row in log), max)
    known = databases.log(f"SELECT {_TIME} FROM ledger.entries ORDER BY position")
    findings.expect_same_order("known_at is not the latest time", known, [(at,) for at in latest])


def _count_acknowledged(
    findings: Findings, log: list[Logged], acknowledged: list[Acknowledged]
) -> None:
    by_position = {row.position: row for row in log}
    findings.expect(
        "acknowledged and not there as acknowledged",
        (
            (ack.receipt.position, str(ack.key))
            for ack in acknowledged
            if (row := by_position.get(ack.receipt.position)) is None
            or (row.leaf, row.raw) != (ack.receipt.leaf, ack.receipt.raw)
        ),
    )
    given = [row.entry["data"]["dose"] for row in log if row.entry["topic"] == DOSE]
    due = [str(ack.write.statement.data["dose"]) for ack in acknowledged if ack.topic == DOSE]
    findings.counts["doses"] = len(given)
    findings.expect_same_rows("doses in the log", given, due)


def _count_keys(
    findings: Findings, databases: Databases, log: list[Logged], acknowledged: list[Acknowledged]
) -> None:
    rows = databases.log("SELECT author, key, first_position, count FROM ledger.idempotency")
    due = [
        (UUID(ack.receipt.entry.author.org), ack.key, ack.receipt.position, 1)
        for ack in acknowledged
    ]
    ours = {key for _, key, _, _ in due}
    findings.expect_same_rows("idempotency keys", [row for row in rows if row[1] in ours], due)
    covered = sorted(
        position for _, _, first, count in rows for position in range(first, first + count)
    )
    findings.expect_same_order(
        "entries without or with two keys", covered, [row.position for row in log]
    )


def _count_seals(findings: Findings, databases: Databases, log: list[Logged]) -> None:
    blobs = databases.log("SELECT sha256, subject::text, position, blob FROM ledger.blobs")
    findings.expect(
        "blob hashes wrong", (row[2] for row in blobs if sha256(row[3]).digest() != row[0])
    )
    due = [
        (seal["sha256"], seal["subject"], row.position)
        for row in log
        for seal in row.entry["sealed"]
    ]
    found = [(digest.hex(), subject, position) for digest, subject, position, _ in blobs]
    findings.expect_same_rows("sealed blobs", found, due)
    envelopes = databases.log("SELECT sha256, envelope FROM ledger.envelopes")
    findings.expect(
        "envelope hashes wrong",
        (one.hex() for one, raw in envelopes if sha256(raw).digest() != one),
    )
    named = {row.entry["author"]["envelope"] for row in log}
    findings.expect_same_rows("envelopes", [one.hex() for one, _ in envelopes], sorted(named))
    handles = {subject for _, subject, _, _ in blobs}
    kept = [handle for (handle,) in databases.keys("SELECT handle::text FROM keys.people_keys")]
    findings.expect_same_rows(
        "keys of people", [one for one in kept if one in handles], sorted(handles)
    )


def count_tree(findings: Findings, databases: Databases, log: list[Logged], tree: Tree) -> None:
    """Check that the stored tiles are the tree over the log."""
    tiles = databases.log("SELECT level, index, hashes FROM ledger.tiles ORDER BY level, index")
    bottom = b"".join(hashes for level, _, hashes in tiles if level == 0)
    findings.expect_equal("leaves in tiles differ", bottom, b"".join(row.leaf for row in log))
    full = len(log) >> 8
    above = b"".join(hashes for level, _, hashes in tiles if level == 1)
    nodes = [Tree(tree.leaves[start << 8 : start + 1 << 8]).root(256) for start in range(full)]
    findings.expect_equal("nodes in tiles differ", above, b"".join(nodes))


def count_views(
    findings: Findings, databases: Databases, log: list[Logged], acknowledged: list[Acknowledged]
) -> None:
    """Check every read model row by row against the log."""
    rows = databases.log("SELECT name, position FROM views.positions")
    rows += databases.keys("SELECT name, position FROM people.positions")
    due = [(name, len(log)) for name in (*LOG_VIEWS, "people")]
    findings.expect_same_rows("positions of the views", rows, due)
    parked = databases.log("SELECT name, stream FROM views.parked")
    parked += databases.keys("SELECT name, stream FROM people.parked")
    findings.expect("parked streams", parked)
    _count_dose_rows(findings, databases, log)
    _count_record_rows(findings, databases, log)
    _count_people_rows(findings, databases, acknowledged)


def _count_dose_rows(findings: Findings, databases: Databases, log: list[Logged]) -> None:
    due = [
        (
            *(str(row.entry["data"][name]) for name in _DOSE_FIELDS),
            row.entry["stream"],
            row.entry["data"]["derived"]["effective_on"],
            *(row.position, STILL),
        )
        for row in log
        if row.entry["topic"] == DOSE
    ]
    named = ", ".join(f"{name}::text" for name in _DOSE_FIELDS)
    found = databases.log(f"""
        SELECT {named}, record::text, effective_from::text, from_position, to_position
        FROM views.doses
    """)
    findings.expect_same_rows("doses in the view", found, due)


def _count_record_rows(findings: Findings, databases: Databases, log: list[Logged]) -> None:
    registered = [row for row in log if row.entry["topic"] == RECORD]
    due = [
        (row.entry["stream"], row.entry["data"]["recipient"], row.position) for row in registered
    ]
    found = databases.log(
        "SELECT record::text, recipient::text, registered_position FROM views.records"
    )
    findings.expect_same_rows("records in the view", found, due)
    lines = [
        (row.position, row.entry["stream"], row.entry["version"])
        for row in log
        if row.entry["topic"].startswith("vaccination-record.")
    ]
    lines += [
        (row.position, row.entry["data"]["record"], row.entry["version"])
        for row in log
        if row.entry["topic"] == "enrolment.enrolled.v1"
    ]
    found = databases.log("SELECT position, record::text, version FROM views.timeline")
    findings.expect_same_rows("lines of the timeline", found, lines)


def _count_people_rows(
    findings: Findings, databases: Databases, acknowledged: list[Acknowledged]
) -> None:
    """The only view made from sealed data: each person's name, opened, exactly once."""
    due = [
        (who, str(ack.write.statement.stream), values["name"])
        for ack in acknowledged
        if ack.topic == RECORD
        for who, values in private_values(ack).items()
    ]
    found = databases.keys("SELECT handle::text, stream::text, name FROM people.people")
    findings.expect_same_rows("people in the view", found, due)
