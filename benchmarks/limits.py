"""The aims that a run missed, each with its limit and what that is made of."""

from collections.abc import Mapping
from typing import Any

from benchmarks import (
    aims,
    appending,
    booking,
    correcting,
    following,
    growing,
    importing,
    over_http,
    peers,
    proving,
    reading,
    tall,
)
from benchmarks.rows import number_text
from benchmarks.spending import shares

_DESK = (
    "one interpreter reads and folds the record, decides, seals and encodes; PostgreSQL's part "
    "is the append itself"
)
_WHY = {
    peers.name_of(appending.CHECKED_BEFORE, peers.CALLERS[-1]): _DESK,
    peers.name_of(appending.DESK, peers.CALLERS[-1]): f"{_DESK}; and it checks the signature",
    growing.name_of(aims.MILLION): (
        "digests and random handles lie anywhere in four indexes, two of them of hashes: pages "
        "that no cache holds, and that are written whole once after each checkpoint"
    ),
    f"{over_http.DOSE}, 64 connections": (
        "one interpreter decides (two thirds of its part) and speaks HTTP; commit, checkpoint, "
        "views and feed take the rest of the cores"
    ),
    f"{over_http.BULK}, 1,000 lines": (
        "each line is decided, sealed, appended, projected and published as a single dose is; "
        "what an aim leaves for all that stands below"
    ),
    importing.IMPORT: (
        "COPY takes finished rows; here each is read, judged, signed, sent, decided and sealed"
    ),
    following.REBUILD: "rows are made in one interpreter, PostgreSQL takes them beside it",
    reading.CERTIFICATE: (
        "one interpreter finds the handler, asks who may look, makes the view with its forecast; "
        "then the durable row of who looked and a query to each database"
    ),
    reading.TIMELINE: "the durable row of who looked, and two queries",
    proving.EVERYTHING: (
        "the aim leaves a quarter of a signature's time to read, parse, hash and compare an entry "
        "and its envelope, on the cores that check the signatures"
    ),
    booking.RACE: (
        "who asks last waits for all before: two processes decide, sign and append 2,000 requests"
    ),
    booking.HOLDS: "one interpreter decides and signs for all who ask",
    correcting.CORRECTED: (
        "each check is read, judged, signed and handed in anew, by one interpreter: see speed.md"
    ),
}
"""By row, for the reader; which process took how much stands beside it."""
_ALONE = "a row is read, decoded and made in one interpreter"
_CLASS = "queries of its own, joined with nobody's; 26 names and durable rows of who looked"
_PROOF = "not the tree: the largest is quicker; the slowest hundredth met something else"


def table(measured: Mapping[str, Any]) -> str:
    """Return what was missed as a table in Markdown.

    Args:
        measured: A run, as its JSON object has it.
    """
    rows = {row["name"]: row for row in measured["rows"]}
    missed = [aim for aim in measured["aims"] if not aim["is_reached"]]
    if not missed:
        return "None."
    return "\n".join(
        [
            "| what | to reach | measured | µs of CPU each | limit | of it | why |",
            "|---|---|---:|---:|---:|---|---|",
            *(_line(aim, rows.get(_row_name(aim["what"], rows), {})) for aim in missed),
        ]
    )


def _row_name(aim: str, rows: Mapping[str, Any]) -> str:
    """The row that an aim speaks of: its name, or its name before a percentile."""
    if aim == aims.REBUILD:
        return following.REBUILD
    return aim if aim in rows else aim.rpartition(", ")[0]


def _line(aim: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    spent = row.get("spent") or {}
    each = number_text(sum(spent.values())) if spent else "–"
    cells = (
        aim["what"],
        aim["wanted"],
        aim["measured"],
        each,
        _limit(aim["what"], row),
        shares(spent) if spent else "–",
        _why(row.get("name", "")),
    )
    return f"| {' | '.join(cells)} |"


def _limit(aim: str, row: Mapping[str, Any]) -> str:
    """How many a second all cores would do; what takes longer than a second, in seconds."""
    most = row.get("most")
    if most is None:
        return "–"
    if aim == aims.REBUILD:
        return f"{number_text(aims.MILLION / most)} s"
    return f"{number_text(most)}/s" if most >= 1 else f"{number_text(1 / most)} s"


def _why(name: str) -> str:
    if name.endswith(following.ALONE):
        return _ALONE
    if name.startswith(reading.CLASS_TABLE):
        return _CLASS
    if name.startswith(tall.PROOF):
        return _PROOF
    return _WHY.get(name.partition(reading.AMONG)[0], "–")
