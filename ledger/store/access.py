"""The access journal: who read which records, written durably before the answer.

Rows gather for as long as the last commit takes, as in the log's writer: many readers share one
write to disk. Each minute's rows make a Merkle tree (RFC 9162), whose root the log takes; so a row
that is removed, altered or added later shows.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog

from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.jcs import canonical
from ledger.store.connections import Connection, Pool, connect, cursor_of, rows_of
from ledger.store.errors import Backlogged, StoreUnavailable
from ledger.store.queries import load_queries

ROLE = "vaxledger_journal"
"""Role that adds rows and reads them, and changes none."""
QUEUE_LIMIT = 5_000
BATCH_LIMIT = 500

_QUERIES = load_queries("access.sql")
_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """One read of one or more records.

    Attributes:
        id: Random.
        at: When it was asked for, UTC.
        organisation: Whose member reads; None for a citizen.
        role: In which role.
        reader: Keyed digest of who it is, 32 bytes.
        purpose: Why, as a code.
        what: Which view, as a code.
        records: Streams of the records.
    """

    id: UUID
    at: datetime
    organisation: UUID | None
    role: str
    reader: bytes
    purpose: str
    what: str
    records: tuple[UUID, ...]

    def members(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "id": str(self.id),
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "organisation": str(self.organisation) if self.organisation else None,
            "role": self.role,
            "reader": self.reader.hex(),
            "purpose": self.purpose,
            "what": self.what,
            "records": [str(record) for record in self.records],
        }

    def leaf(self) -> bytes:
        """Return its leaf hash: over its canonical JSON (RFC 8785)."""
        return leaf_hash(canonical(self.members()))


def root_of(reads: Iterable[Read]) -> bytes:
    """Return the Merkle root of a minute's rows, in the order of their ids."""
    tree = Frontier()
    tree.extend([read.leaf() for read in sorted(reads, key=lambda read: read.id.bytes)])
    return tree.root()


class AccessWriter:
    """One thread and one connection that write for a whole process; they start with the first row.

    Args:
        url: Libpq URL of the keys' database.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: list[tuple[Sequence[Read], Future[None]]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._connection: Connection | None = None

    def note(self, *reads: Read) -> "Future[None]":
        """Let rows be written; the future is done when they are durable.

        It may bring ``StoreUnavailable``; then nothing may be answered.

        Raises:
            Backlogged: If too many wait.
            StoreUnavailable: If the journal was closed.
        """
        future: Future[None] = Future()
        with self._changed:
            if self._is_closed:
                raise StoreUnavailable
            if len(self._waiting) >= QUEUE_LIMIT:
                raise Backlogged(1)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="vaxledger-access", daemon=True
                )
                self._thread.start()
            self._waiting.append((reads, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._disconnect()

    def _run(self) -> None:
        while batch := self._take():
            self._settle(batch)

    def _take(self) -> list[tuple[Sequence[Read], "Future[None]"]]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            batch, self._waiting = self._waiting[:BATCH_LIMIT], self._waiting[BATCH_LIMIT:]
            return batch

    def _settle(self, batch: Sequence[tuple[Sequence[Read], "Future[None]"]]) -> None:
        rows = json.dumps([read.members() for reads, _ in batch for read in reads])
        try:
            self._write(rows)
        except psycopg.Error as error:
            _LOG.error("access-not-noted", error=type(error).__qualname__, count=len(batch))
            self._disconnect()
            for _, future in batch:
                future.set_exception(StoreUnavailable())
        else:
            for _, future in batch:
                future.set_result(None)

    def _write(self, rows: str) -> None:
        """Write in one transaction; a connection that went away is replaced, once."""
        if self._connection is not None:
            try:
                self._connection.execute(_QUERIES["note"], [rows])
            except psycopg.OperationalError:
                self._disconnect()
            else:
                return
        self._connection = connect(self._url, ROLE)
        self._connection.execute(_QUERIES["note"], [rows])

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class AccessReader:
    """Reads and closes the journal. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_journal`` to the keys' database.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def of_record(self, record: UUID, limit: int) -> list[Read]:
        """Return the newest reads of a record, newest first."""
        return [_read(row) for row in rows_of(self._pool, _QUERIES["of_record"], [record, limit])]

    def close_past(self) -> None:
        """Let nothing more come to the minutes before this one."""
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["close_past"])

    def unlogged(self) -> list[datetime]:
        """Return closed minutes with rows whose root the log may not have, oldest first."""
        return self._minutes("unlogged")

    def closed_minutes(self) -> list[datetime]:
        """Return all closed minutes with rows, oldest first."""
        return self._minutes("closed_minutes")

    def minute(self, minute: datetime) -> list[Read]:
        """Return the rows of a minute."""
        return [_read(row) for row in rows_of(self._pool, _QUERIES["minute"], [minute])]

    def note_logged(self, minute: datetime) -> None:
        """Note that the log has the root of a minute."""
        with cursor_of(self._pool) as cursor:
            cursor.execute(_QUERIES["logged"], [minute])

    def counts(self, since: datetime, until: datetime) -> list[tuple[Any, ...]]:
        """Count reads by record, organisation, role, purpose and view, with first and last time."""
        return rows_of(self._pool, _QUERIES["counts"], [since, until])

    def _minutes(self, query: str) -> list[datetime]:
        return [minute.astimezone(UTC) for (minute,) in rows_of(self._pool, _QUERIES[query])]


def _read(row: Sequence[Any]) -> Read:
    which, _, at, organisation, role, reader, purpose, what, records = row
    return Read(
        which, at.astimezone(UTC), organisation, role, bytes(reader), purpose, what, tuple(records)
    )
