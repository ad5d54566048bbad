"""What a witness remembers: for each log the tree that it cosigned last, durable before it answers.

An SQLite file, written in one transaction that also read what was there before, so that of two
requests for one log one wins and the other meets the new size. ``synchronous`` is EXTRA: a commit
is on disk, the removal of its journal too, before it returns.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from ledger.note import Note
from ledger.store.errors import StoreError
from ledger.store.queries import load_queries
from ledger.witness import AddCheckpoint, Cosigner, Seen

_BUSY_SECONDS = 5.0
_QUERIES = {name: query.decode() for name, query in load_queries("witness_state.sql").items()}


class WitnessStateUnusable(StoreError):
    """What this witness cosigned cannot be read or written, so it cosigns nothing.

    A witness whose state is lost must not go on: it would cosign a fork of what it cosigned
    before. Make a new one, under a new name.
    """


class WitnessState:
    """The state of one witness; safe to share between threads and between processes.

    Args:
        path: The file, made by ``create`` and never by opening it.

    Raises:
        WitnessStateUnusable: If it is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.Lock()
        with _usable(path):
            self._connection = _connect(path, "rw")
            rows = self._connection.execute("PRAGMA quick_check").fetchall()
            self._connection.execute(_QUERIES["newest"], [""])
        if rows != [("ok",)]:
            raise WitnessStateUnusable(path=str(path))

    @staticmethod
    def create(path: Path) -> None:
        """Make the state of a witness that has cosigned nothing yet.

        Raises:
            WitnessStateUnusable: If there is one, or it cannot be written.
        """
        with _usable(path):
            connection = _connect(path, "rwc")
            connection.execute(_QUERIES["create"])
            connection.close()

    def cosign(
        self, request: AddCheckpoint, signed: Note, cosigner: Cosigner, timestamp: int
    ) -> bytes:
        """Decide about an authenticated request, remember it if it is cosigned, and cosign.

        Args:
            request: What the log asks.
            signed: Its checkpoint with the log's own signatures, as ``authenticate`` returned it.
            cosigner: The keys of this witness.
            timestamp: Seconds since the epoch.

        Returns:
            The signature lines. The state holds the new tree durably by then.

        Raises:
            Refused: With the status that says why.
            WitnessStateUnusable: If nothing could be remembered; nothing was cosigned.
        """
        checkpoint = request.checkpoint
        with self._transaction() as connection:
            row = connection.execute(_QUERIES["seen"], [checkpoint.origin]).fetchone()
            request.check_growth(Seen(*row) if row else Seen())
            lines = cosigner.cosign(checkpoint, timestamp)
            kept = {
                "origin": checkpoint.origin,
                "address": monitor_address(checkpoint.origin),
                "size": checkpoint.size,
                "root": checkpoint.root,
                "note": signed.with_signatures(lines).encode(),
            }
            if connection.execute(_QUERIES["replace"], kept).rowcount != 1:
                raise WitnessStateUnusable(path=str(self._path), size=checkpoint.size)
        # A crash before the commit leaves the old tree, and nobody has seen the lines. A crash
        # after it leaves the new one: the log asks again, from the size that it is told.
        return "".join(line.line() for line in lines).encode()

    def newest(self, address: str) -> bytes | None:
        """Return the newest note cosigned of a log, by ``monitor_address``; None for none."""
        with self._turn, _usable(self._path):
            row = self._connection.execute(_QUERIES["newest"], [address]).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        with self._turn, _usable(self._path):
            connection.execute("BEGIN IMMEDIATE")  # nobody else decides meanwhile
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def monitor_address(origin: str) -> str:
    """Return the lower-case hex SHA-256 of an origin (tlog-witness, monitor retrieval)."""
    return sha256(origin.encode()).hexdigest()


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise WitnessStateUnusable(path=str(path), reason=str(error)) from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = EXTRA")
    return connection
