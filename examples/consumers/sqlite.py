"""A consumer that keeps its data in SQLite: doses by vaccine, each counted exactly once.

    python examples/consumers/sqlite.py run ACCESS       follow the log for ever
    python examples/consumers/sqlite.py report ACCESS    print the effect as JSON

Effect and memory are stored in one transaction, so a kill at any moment neither loses nor doubles
anything: what was not committed comes again, and what comes again is recognised.
"""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from client.access import Access
from client.batch import Alarm, Event
from client.errors import RefutedError
from client.follow import Follower, follow
from client.remembering import Memory

TABLES = """
CREATE TABLE IF NOT EXISTS memory (one INTEGER PRIMARY KEY CHECK (one = 1), memory BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS doses (vaccine TEXT PRIMARY KEY, given INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS applied (position INTEGER NOT NULL, leaf TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS alarms (kind TEXT NOT NULL, position INTEGER, reason TEXT NOT NULL);
"""
DOSES = ("vaccination-record.dose-administered.v1", "vaccination-record.dose-transcribed.v1")


def run(access: Path) -> None:
    """Follow the log; raises RefutedError if it does not hold."""
    with closing(_open(access)) as db:

        def alarm(alarm: Alarm) -> None:
            with db:
                row = (alarm.kind, alarm.position, alarm.reason)
                db.execute("INSERT INTO alarms VALUES (?, ?, ?)", row)

        found = db.execute("SELECT memory FROM memory").fetchone()
        memory = Memory.decode(found[0]) if found else None
        for batch in follow(Follower(Access.load(access), memory, alarm)):
            with db:  # one transaction: the effect and how far it reaches
                for event in batch.events:
                    apply(db, event)
                db.execute("REPLACE INTO memory VALUES (1, ?)", (batch.memory.encode(),))


def apply(db: sqlite3.Connection, event: Event) -> None:
    """Count one entry; types that are unknown here count for nothing but their position."""
    db.execute("INSERT INTO applied VALUES (?, ?)", (event.position, event.leaf.hex()))
    if event.entry.topic in DOSES:
        db.execute(
            "INSERT INTO doses VALUES (?, 1) ON CONFLICT DO UPDATE SET given = given + 1",
            (event.entry.data["vaccine"],),
        )


def report(access: Path) -> dict[str, list[object]]:
    """Return the effect as `vaxledger conformance` asks for it."""
    with closing(_open(access)) as db:
        applied = db.execute("SELECT position, leaf FROM applied ORDER BY rowid")
        return {
            "applied": [{"position": position, "leaf": leaf} for position, leaf in applied],
            "alarms": [kind for (kind,) in db.execute("SELECT kind FROM alarms")],
        }


def _open(access: Path) -> sqlite3.Connection:
    db = sqlite3.connect(access.with_name("consumer.sqlite"), timeout=60)
    db.executescript(f"PRAGMA journal_mode = WAL; {TABLES}")
    return db


if __name__ == "__main__":
    if sys.argv[1] == "report":
        print(json.dumps(report(Path(sys.argv[2]))))
    else:
        try:
            run(Path(sys.argv[2]))
        except RefutedError as error:
            sys.exit(f"the log does not hold: {error}")
