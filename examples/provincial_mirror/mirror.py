"""A provincial mirror: coverage by county, birth year and vaccine, in a database of its own.

    python -m examples.provincial_mirror run ACCESS DATABASE      follow the log for ever
    python -m examples.provincial_mirror serve DATABASE PORT      show the page on loopback

Each batch of entries and the memory of how far it reaches are one transaction, so a kill -9 at any
moment neither loses nor doubles a child. Counted are children on the roll and their standing
doses by the newest reading: a correction counts as soon as it is in the log, one day before views
show it (C-21). A record that is shredded keeps its counts; nothing personal ever arrives here.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from client.access import Access
from client.batch import Alarm
from client.follow import Follower, follow
from client.remembering import Memory
from ledger.entry import Entry

_COUNTY_DIGITS = 6
_ON_ROLL = ("active", "temporary")
_SQL = Path(__file__).with_name("tables.sql").read_text(encoding="utf-8")


def open_mirror(database: Path) -> sqlite3.Connection:
    """Return the mirror's database, made if it is missing; raises sqlite3.Error."""
    db = sqlite3.connect(database, timeout=60, isolation_level="IMMEDIATE")
    db.executescript(f"PRAGMA journal_mode = WAL; {_SQL}")
    return db


def run(access: Access, database: Path, until: int | None = None) -> None:
    """Follow the log.

    Args:
        access: How to reach it.
        database: The mirror's file.
        until: Last position wanted, None for ever.

    Raises:
        RefutedError: The log does not hold.
    """
    with closing(open_mirror(database)) as db:

        def alarm(alarm: Alarm) -> None:
            with db:
                row = (alarm.kind, alarm.position, alarm.reason)
                db.execute("INSERT INTO alarms VALUES (?, ?, ?)", row)

        for batch in follow(Follower(access, remembered(db), alarm), until):
            with db:
                for event in batch.events:
                    apply(db, event.entry)
                db.execute("REPLACE INTO memory VALUES (1, ?)", (batch.memory.encode(),))


def remembered(db: sqlite3.Connection) -> Memory | None:
    """Return how far the mirror came, None for one that is empty."""
    found = db.execute("SELECT memory FROM memory").fetchone()
    return Memory.decode(found[0]) if found else None


def apply(db: sqlite3.Connection, entry: Entry) -> None:
    """Let an entry have its effect; topics that mean nothing here have none."""
    change = _CHANGES.get(entry.topic)
    if change is None:
        return
    record = str(entry.stream)
    _contribute(db, record, -1)
    change(db, record, entry.data)
    _contribute(db, record, +1)


def _contribute(db: sqlite3.Connection, record: str, sign: int) -> None:
    """Add what a child counts for, or take it back."""
    child = db.execute(
        "SELECT county, birth_year FROM children WHERE record = ? AND on_roll", (record,)
    ).fetchone()
    if child is None:
        return
    db.execute(
        "INSERT INTO cohorts VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET children = children + excluded.children",
        (*child, sign),
    )
    db.execute(
        "INSERT INTO coverage SELECT ?, ?, vaccine, ?, ? * count(*) FROM doses WHERE record = ?"
        " GROUP BY vaccine ON CONFLICT DO UPDATE"
        " SET covered = covered + excluded.covered, doses = doses + excluded.doses",
        (*child, sign, sign, record),
    )


def _register(db: sqlite3.Connection, record: str, data: Mapping[str, Any]) -> None:
    if data["kind"] == "child":
        county = data["division"][:_COUNTY_DIGITS]
        row = (record, county, data["birth_year"], data["roll"] in _ON_ROLL)
        db.execute("INSERT INTO children VALUES (?, ?, ?, ?)", row)


def _move(db: sqlite3.Connection, record: str, data: Mapping[str, Any]) -> None:
    county = data["division"][:_COUNTY_DIGITS] if "division" in data else None
    db.execute(
        "UPDATE children SET on_roll = ?, county = coalesce(?, county) WHERE record = ?",
        (data["status"] in _ON_ROLL, county, record),
    )


def _amend(db: sqlite3.Connection, record: str, data: Mapping[str, Any]) -> None:
    db.execute(
        "UPDATE children SET birth_year = coalesce(?, birth_year) WHERE record = ?",
        (data.get("birth_year"), record),
    )


def _give(db: sqlite3.Connection, record: str, data: Mapping[str, Any]) -> None:
    db.execute("INSERT INTO doses VALUES (?, ?, ?)", (data["dose"], record, data["vaccine"]))


def _correct(db: sqlite3.Connection, _record: str, data: Mapping[str, Any]) -> None:
    for change in data["changes"]:
        if change["field"] == "vaccine":
            row = (change["after"], data["dose"])
            db.execute("UPDATE doses SET vaccine = ? WHERE dose = ?", row)


def _strike(db: sqlite3.Connection, _record: str, data: Mapping[str, Any]) -> None:
    db.execute("INSERT INTO struck SELECT * FROM doses WHERE dose = ?", (data["dose"],))
    db.execute("DELETE FROM doses WHERE dose = ?", (data["dose"],))


def _reinstate(db: sqlite3.Connection, _record: str, data: Mapping[str, Any]) -> None:
    db.execute("INSERT INTO doses SELECT * FROM struck WHERE dose = ?", (data["dose"],))
    db.execute("DELETE FROM struck WHERE dose = ?", (data["dose"],))


_CHANGES: Mapping[str, Callable[[sqlite3.Connection, str, Mapping[str, Any]], None]] = {
    "vaccination-record.registered.v1": _register,
    "vaccination-record.roll-changed.v1": _move,
    "vaccination-record.identity-amended.v1": _amend,
    "vaccination-record.dose-administered.v1": _give,
    "vaccination-record.dose-transcribed.v1": _give,
    "vaccination-record.dose-corrected.v1": _correct,
    "vaccination-record.dose-entered-in-error.v1": _strike,
    "vaccination-record.dose-reinstated.v1": _reinstate,
}
