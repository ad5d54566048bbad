"""A consumer that keeps its data in PostgreSQL: doses by vaccine, each counted exactly once.

    python examples/consumers/postgresql.py DATABASE run ACCESS       follow the log for ever
    python examples/consumers/postgresql.py DATABASE report ACCESS    print the effect as JSON

DATABASE is a libpq URL. Effect and memory are stored in one transaction, as in `sqlite.py`; here
with asyncio, and with one row of memory for each log, so that several may share a database.
"""

import asyncio
import json
import sys
from pathlib import Path

import psycopg

from client.access import Access
from client.batch import Alarm, Batch
from client.errors import RefutedError
from client.follow import Follower
from client.remembering import Memory

# The lock lasts to the end of it all: "if not exists" does not keep two at once from one table.
TABLES = """
SELECT pg_advisory_xact_lock(hashtext('vaxledger.consumer'));
CREATE TABLE IF NOT EXISTS memory (origin text PRIMARY KEY, memory bytea NOT NULL);
CREATE TABLE IF NOT EXISTS doses (
    origin text, vaccine text, given bigint NOT NULL, PRIMARY KEY (origin, vaccine)
);
CREATE TABLE IF NOT EXISTS applied (
    number bigint GENERATED ALWAYS AS IDENTITY, origin text, position bigint, leaf text
);
CREATE TABLE IF NOT EXISTS alarms (origin text, kind text, position bigint, reason text);
"""
DOSES = ("vaccination-record.dose-administered.v1", "vaccination-record.dose-transcribed.v1")

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def run(database: str, path: Path) -> None:
    """Follow the log; raises RefutedError if it does not hold."""
    access = Access.load(path)
    origin = access.caller.trust.origin
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as db:
        await db.execute(TABLES)

        def alarm(alarm: Alarm) -> None:
            with psycopg.connect(database, autocommit=True) as own:
                row = (origin, alarm.kind, alarm.position, alarm.reason)
                own.execute("INSERT INTO alarms VALUES (%s, %s, %s, %s)", row)

        cursor = await db.execute("SELECT memory FROM memory WHERE origin = %s", (origin,))
        found = await cursor.fetchone()
        memory = Memory.decode(bytes(found[0])) if found else None  # type: ignore[call-overload]  # bytea
        async for batch in Follower(access, memory, alarm).batches():
            async with db.transaction():  # the effect and how far it reaches
                await apply(db, origin, batch)


async def apply(db: Connection, origin: str, batch: Batch) -> None:
    """Count the entries of a batch and remember how far it reaches."""
    async with db.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO applied (origin, position, leaf) VALUES (%s, %s, %s)",
            [(origin, event.position, event.leaf.hex()) for event in batch.events],
        )
        await cursor.executemany(
            "INSERT INTO doses VALUES (%s, %s, 1)"
            " ON CONFLICT (origin, vaccine) DO UPDATE SET given = doses.given + 1",
            [(origin, e.entry.data["vaccine"]) for e in batch.events if e.entry.topic in DOSES],
        )
        await cursor.execute(
            "INSERT INTO memory VALUES (%s, %s)"
            " ON CONFLICT (origin) DO UPDATE SET memory = excluded.memory",
            (origin, batch.memory.encode()),
        )


def report(database: str, path: Path) -> dict[str, list[object]]:
    """Return the effect as `vaxledger conformance` asks for it."""
    origin = Access.load(path).caller.trust.origin
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(TABLES)
        applied = db.execute(
            "SELECT position, leaf FROM applied WHERE origin = %s ORDER BY number", (origin,)
        )
        alarms = db.execute("SELECT kind FROM alarms WHERE origin = %s", (origin,))
        return {
            "applied": [{"position": position, "leaf": leaf} for position, leaf in applied],
            "alarms": [kind for (kind,) in alarms],
        }


if __name__ == "__main__":
    _, database, what, access = sys.argv
    if what == "report":
        print(json.dumps(report(database, Path(access))))
    else:
        try:
            asyncio.run(run(database, Path(access)))
        except RefutedError as error:
            sys.exit(f"the log does not hold: {error}")
