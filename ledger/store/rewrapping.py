"""Bringing every person's key under another version of the key-encryption key.

Running processes go on meanwhile: they read keys under every version that lies outside, and once
a version is closed they wrap under the next one. Nothing here touches the log.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from ledger.errors import SealError
from ledger.sealing import unwrap_key, wrap_key
from ledger.store.connections import Row, connect, let_go
from ledger.store.errors import KekInUse, KeyUnreadable, RewrapRunning
from ledger.store.keks import Kek
from ledger.store.queries import load_queries

ROLE = "vaxledger_rewrap"
"""Role that may replace a wrapped key, and destroy none."""
BATCH_LIMIT = 1_000

_QUERIES = load_queries("rewrapping.sql")


def wraps_since(url: str, kek: Kek) -> datetime | None:
    """Return since when a version wraps keys; None for one that the database has not met.

    Args:
        url: Libpq URL of the keys' database.
        kek: The version.

    Raises:
        psycopg.Error: If the database cannot be reached, or was not migrated.
    """
    with connect(url, ROLE) as connection:
        row = connection.execute(_QUERIES["since"], [kek.name]).fetchone()
    return row[0] if row else None


class Rewrapping:
    """The one process at a time that moves keys between versions.

    Args:
        url: Libpq URL of the keys' database.

    Raises:
        RewrapRunning: If another process does it now.
        psycopg.OperationalError: If the database cannot be reached; from every method.
    """

    def __init__(self, url: str) -> None:
        self._connection = connect(url, ROLE)
        if not self._row("lock")[0]:
            self._connection.close()
            raise RewrapRunning

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let another process rewrap."""
        let_go(self._connection)

    def count(self, kek: Kek) -> int:
        """Return how many keys a version wraps."""
        return int(self._row("count", [kek.name])[0])

    def count_others(self, kek: Kek) -> int:
        """Return how many keys any other version wraps."""
        return int(self._row("count_others", [kek.name])[0])

    def is_known(self, kek: Kek) -> bool:
        """Whether the database has met a version."""
        return bool(self._rows("is_closed", [kek.name]))

    def close_others(self, kek: Kek) -> None:
        """Let nothing new be wrapped under any other version; on return no insert is under way."""
        with self._connection.transaction():
            self._connection.execute(_QUERIES["register"], [kek.name, kek.number])
            self._connection.execute(_QUERIES["close_others"], [kek.name])

    def rewrap(self, newest: Kek, keks: Mapping[str, Kek], limit: int = BATCH_LIMIT) -> int:
        """Wrap a batch of keys anew, in one transaction; return how many were left to do in it.

        Raises:
            KeyUnreadable: If a key does not open under the version that it names.
        """
        older = [name for name in keks if name != newest.name]
        rows = self._rows("next", [older, limit])
        if not rows:
            return 0
        fresh = []
        for handle, wrapped, name in rows:
            try:
                key = unwrap_key(keks[name].key, wrapped)
            except SealError as error:
                raise KeyUnreadable(handle) from error
            fresh.append((handle, wrap_key(newest.key, key), name))
        handles, wrapped, names = map(list, zip(*fresh, strict=True))
        # One statement: a crash before its commit leaves the batch under the old version, which
        # the next run takes up; after it the batch is done.
        self._connection.execute(_QUERIES["rewrap"], [newest.name, handles, wrapped, names])
        return len(rows)

    def check_unused(self, kek: Kek) -> None:
        """Check that a version wraps nothing and never will again.

        Raises:
            KekInUse: If it does, or still may.
        """
        rows = self._rows("is_closed", [kek.name])
        is_open = not rows or not rows[0][0]
        if is_open or self.count(kek):
            raise KekInUse(kek.number, self.count(kek))

    def note_retired(self, kek: Kek) -> None:
        """Note that a version was destroyed."""
        self._connection.execute(_QUERIES["retire"], [kek.name])

    def _rows(self, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(_QUERIES[query], parameters).fetchall()

    def _row(self, query: str, parameters: Sequence[Any] = ()) -> Row:
        return self._rows(query, parameters)[0]
