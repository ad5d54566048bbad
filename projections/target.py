"""One database with its projections: rows and positions change in the same transactions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg

from projections.change import Batch, EntryReader, read_batch
from projections.connection import Connection, Cursor, connect, let_go
from projections.errors import UnknownProjection
from projections.parking import POISON, Applying, Parked
from projections.projection import Projection
from projections.queries import named_queries

_SQL = named_queries("loop.sql")


class Target:
    """Tables of some projections in one schema of one database.

    Args:
        url: Libpq URL.
        role: Owner of the tables.
        schema: Where the tables are.
        projections: What to keep there.
    """

    def __init__(self, url: str, role: str, schema: str, projections: Sequence[Projection]) -> None:
        self.url = url
        self.role = role
        self.schema = schema
        self.projections = {projection.name: projection for projection in projections}
        self._connection: Connection | None = None

    def projection(self, name: str) -> Projection:
        """Return a projection by its name.

        Raises:
            UnknownProjection: If it is not kept here.
        """
        if name not in self.projections:
            raise UnknownProjection(name=name)
        return self.projections[name]

    def positions(self) -> dict[str, int]:
        """Return up to where each projection is applied."""
        with self.cursor() as cursor:
            rows = cursor.execute(_SQL["positions"], {"names": list(self.projections)})
            return dict(rows.fetchall())

    def parked(self) -> list[Parked]:
        """Return the streams that are not followed, by the entry that stopped each."""
        with self.cursor() as cursor:
            rows = cursor.execute(_SQL["parked"], {"names": list(self.projections)})
            return [Parked(*row) for row in rows]

    def advance(self, names: Sequence[str], batch: Batch) -> tuple[list[str], list[Parked]]:
        """Apply a batch to those projections that stand right before it.

        A projection that stands elsewhere is left alone: another process was faster.

        Returns:
            Names of those that advanced, and the streams that had to be parked.
        """
        with self.cursor() as cursor, cursor.connection.transaction():
            rows = cursor.execute(_SQL["lock_positions"], {"names": list(names)}).fetchall()
            ready = [name for name, position in rows if position == batch.after]
            alarms = self._apply(cursor, ready, batch)
            asked = {"names": ready, "position": batch.last}
            cursor.execute(_SQL["advance_positions"], asked)
            # A crash before this commit leaves rows and positions as they were; after it both
            # have moved. Either way the next round goes on from the stored position.
        return ready, alarms

    def retry(self, name: str, reader: EntryReader) -> int:
        """Apply the parked streams of a projection again; return how many are followed again.

        What concerns a stream depends on that stream alone, so its entries may come late.
        """
        projection = self.projection(name)
        with self.cursor() as cursor:
            rows = cursor.execute(_SQL["parked_streams"], {"names": [name]}).fetchall()
            return sum(self._retry_stream(cursor, projection, row[1], reader) for row in rows)

    def digest(self, name: str) -> tuple[int, str]:
        """Return position and canonical digest of a projection, both of one moment."""
        projection = self.projection(name)
        with self.cursor() as cursor, cursor.connection.transaction():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = cursor.execute(_SQL["positions"], {"names": [name]}).fetchall()
            position = rows[0][1]
            return position, projection.digest(cursor, position)

    def notify(self, names: Sequence[str], position: int) -> None:
        """Tell waiters `<name> <position>`; only a hint, so it may be lost."""
        with self.cursor() as cursor:
            cursor.execute(_SQL["notify"], {"names": list(names), "position": str(position)})

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            let_go(self._connection)
            self._connection = None

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """Lend a cursor of the one connection, which is opened again when it was lost."""
        if self._connection is None:
            self._connection = connect(self.url, self.role, self.schema)
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except psycopg.OperationalError:
            self.close()
            raise

    def _apply(self, cursor: Cursor, names: Sequence[str], batch: Batch) -> list[Parked]:
        """Apply entries to projections: all at once if nothing is amiss, else one by one."""
        parked: dict[str, set[UUID]] = {name: set() for name in names}
        for name, stream in cursor.execute(_SQL["parked_streams"], {"names": list(names)}):
            parked[name].add(stream)
        if not any(parked.values()):
            try:
                with cursor.connection.transaction():
                    for projection in map(self.projection, names):
                        if concerned := batch.about(projection.follows):
                            projection.apply(cursor, concerned)
            except POISON:
                pass  # rolled back; below the guilty entry is found
            else:
                return []
        alarms: list[Parked] = []
        for name in names:
            applying = Applying(cursor, self.projections[name], parked[name])
            applying.run(batch.changes)
            alarms += applying.alarms
        return alarms

    def _retry_stream(
        self, cursor: Cursor, projection: Projection, stream: Any, reader: EntryReader
    ) -> bool:
        asked = {"name": projection.name, "names": [projection.name], "stream": stream}
        try:
            with cursor.connection.transaction():
                cursor.execute(_SQL["lock_positions"], asked)
                rows = cursor.execute(_SQL["parked_positions"], asked).fetchall()
                changes = [
                    change
                    for (position,) in rows
                    for change in read_batch(reader, position - 1, 1).changes
                ]
                cursor.execute(_SQL["unpark"], asked)
                projection.apply(cursor, changes)
        except POISON:
            return False  # rolled back: it is parked as before
        return True
