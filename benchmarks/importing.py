"""File import of history into a whole installation, beside binary COPY of the rows it made.

A turn imports a file of `vaxledger simulate` as `vaxledger import --apply` does, from reading the
file to the outcome of its last row: rows are judged, signed in batches, sent over HTTP, decided,
sealed, appended. COPY then gets the finished rows of the same turn, ready as bytes, for empty
tables with the same columns, checks and indexes: nothing is left of the work but the inserts.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks.clinic import TOWNSHIP
from benchmarks.contest import Contestant, Pace
from benchmarks.families import POPULATION, histories
from benchmarks.installation import Served
from benchmarks.measuring import Measured, once
from client.http import Caller, Client
from client.identifiers import new_id
from client.importing.applying import Applying
from client.importing.columns import ColumnMapping
from client.importing.drafting import Clinic, Drafting
from client.importing.memory import ImportMemory
from client.importing.outcomes import Outcome, OutcomeFile
from client.importing.planning import Planner, Terms
from client.importing.source import read_rows
from client.importing.verdicts import Verdict
from domain.calendar import civil_day
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import SourceSystem

IMPORT = "file import of history"
COPY = "binary COPY of the rows of an import"
SHARE = 0.25
_AMOUNT = 5_000
_TABLES = {
    "entries": "SELECT * FROM ledger.entries WHERE position > %(after)s",
    "idempotency": "SELECT * FROM ledger.idempotency WHERE first_position > %(after)s",
    "claims": "SELECT * FROM ledger.claims WHERE position > %(after)s",
    "blobs": "SELECT * FROM ledger.blobs WHERE position > %(after)s",
    "envelopes": """SELECT * FROM ledger.envelopes WHERE sha256 IN (
        SELECT decode(convert_from(entry, 'UTF8')::jsonb -> 'author' ->> 'envelope', 'hex')
        FROM ledger.entries WHERE position > %(after)s)""",
}


class History:
    """Files to import, and the rows that the last of them made.

    Args:
        served: The installation.
        amount: Doses of a file, at least.
        folder: Where files go.
    """

    def __init__(self, served: Served, amount: int, folder: Path) -> None:
        self._served = served
        self._amount = amount
        self._folder = folder
        self._path = folder / "none"
        self._url = make_conninfo(served.superuser_url, dbname="vaxledger")
        self._before: int | None = None
        self._rows: dict[str, bytes] = {}
        self._histories = histories()
        self._count = 0

    def write(self) -> None:
        """Write a file of children whom nobody knows."""
        self._path = self._folder / f"{secrets.token_hex(6)}.ndjson"
        with self._path.open("w", encoding="utf-8") as file:
            self._count = 0
            while self._count < self._amount:
                lines = next(self._histories)
                file.writelines(lines)
                self._count += len(lines)
        self._served.await_views()

    def bring(self) -> Measured:
        """Import the file."""
        self._before = self._served.site.head
        with self._applying() as (applying, outcomes):

            def work() -> int:
                with self._path.open("rb") as file:
                    rows = ((row, Verdict.NEW) for row in read_rows(file, ColumnMapping()))
                    applying.run(rows, self._path.stem.encode(), outcomes, lambda _: None)
                return self._count

            measured = once(work)
        if outcomes.counts != {Outcome.WRITTEN: self._count}:
            raise RuntimeError(f"not everything was written: {dict(outcomes.counts)}")
        return measured

    def empty(self) -> None:
        """Make empty tables like those of the log, once there are rows for them."""
        if self._before is None:
            self.write()
            self.bring()
        self._keep(self._before or 0)
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS twin CASCADE")
            connection.execute("CREATE SCHEMA twin")
            for table in _TABLES:
                like = f"CREATE TABLE twin.{table} (LIKE ledger.{table} INCLUDING ALL)"
                connection.execute(like.encode())

    def copy(self) -> Measured:
        """Copy the rows into the empty tables."""
        with psycopg.connect(self._url) as connection, connection.cursor() as cursor:

            def work() -> int:
                for table, rows in self._rows.items():
                    into = f"COPY twin.{table} FROM STDIN (FORMAT binary)"
                    with cursor.copy(into.encode()) as copy:
                        copy.write(rows)
                connection.commit()
                return self._count

            return once(work)

    @contextmanager
    def _applying(self) -> Iterator[tuple[Applying, OutcomeFile]]:
        clinic, site = self._served.site.clinic, self._served.site
        url = f"http://127.0.0.1:{self._served.port}"
        caller = Caller(url, self._served.token(clinic.principal), site.trust, clinic.key)
        today = civil_day(datetime.now(UTC))
        terms = Terms(Catalogue.load(), SourceSystem.PROGRAMME, ("row",), today, new_id)
        place = self._folder / f"{self._path.stem}.sqlite"
        with (
            ImportMemory.open(place, site.trust.origin, self._path.stem, clinic.key) as memory,
            OutcomeFile(self._path.with_suffix(".outcomes"), 0) as outcomes,
            Client(caller) as client,
        ):
            drafting = Drafting(memory, Clinic(clinic.key, TOWNSHIP, "赵医生"))
            yield Applying(client, memory, Planner(memory, terms), drafting, new_id), outcomes

    def _keep(self, before: int) -> None:
        """Keep the rows that were made, as COPY takes them."""
        with psycopg.connect(self._url) as connection, connection.cursor() as cursor:
            for table, query in _TABLES.items():
                out = f"COPY ({query}) TO STDOUT (FORMAT binary)"
                with cursor.copy(out.encode(), {"after": before}) as copy:
                    self._rows[table] = b"".join(bytes(part) for part in copy)


def contestants(served: Served, pace: Pace) -> list[Contestant]:
    """The import, and COPY beside it."""
    folder = served.site.ground.new_folder("imports")
    history = History(served, pace.amount(_AMOUNT), folder)
    return [
        Contestant(COPY, "doses/s", lambda _: history.copy(), history.empty, note="rows ready"),
        Contestant(
            IMPORT,
            "doses/s",
            lambda _: history.bring(),
            history.write,
            beside=COPY,
            note=f"histories of `vaxledger simulate --seed {POPULATION.seed}`, signed, over HTTP",
        ),
    ]
