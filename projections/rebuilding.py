"""Making projections anew beside the old ones, and putting them in their place.

Each entry is read once for all of them, and the next batch is read while the last is applied.
Readers see the old tables until a transaction swaps them; the live projection goes on meanwhile.
Whatever a killed rebuild leaves behind, the next one removes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from psycopg import sql

from projections.change import Batch, EntryReader, ReadAhead, read_batch
from projections.connection import Cursor
from projections.errors import RebuildRunning
from projections.projection import Projection, Table
from projections.queries import named_queries
from projections.target import Target

BATCH_LIMIT = 5_000

Progress = Callable[[int, int], None]
"""Called with the position reached and the position to reach."""

_SQL = named_queries("loop.sql")


def rebuild(
    wanted: Sequence[tuple[Target, Sequence[str]]], reader: EntryReader, progress: Progress
) -> int:
    """Replay projections from the first entry into new tables and swap them in, one by one.

    Args:
        wanted: Where they are kept, and which.
        reader: The log.
        progress: Told after each batch.

    Returns:
        The lowest position at which new tables took over.

    Raises:
        UnknownProjection: If there is none of a name.
        RebuildRunning: If another process rebuilds one of them.
    """
    with ExitStack() as stack:
        made = [stack.enter_context(_beside(live, names)) for live, names in wanted]
        for batch in _batches(reader):
            for one in made:
                one.beside.advance(one.names, batch)
            progress(batch.last, reader.published())
        return min(position for one in made for position in one.take_over(reader))


def _batches(reader: EntryReader) -> Iterator[Batch]:
    """All there is, batch by batch."""
    position = 0
    with closing(ReadAhead(reader, BATCH_LIMIT)) as ahead:
        while position < reader.published():
            batch = ahead.read(position)
            yield batch
            position = batch.last


@contextmanager
def _beside(live: Target, names: Sequence[str]) -> Iterator["_Rebuilding"]:
    """Lend new tables of some projections, without what only readers need of indexes."""
    projections = [live.projection(name) for name in names]
    beside = Target(live.url, live.role, f"{live.schema}_rebuild", projections)
    try:
        with beside.cursor() as cursor:
            made = _Rebuilding(live, beside, cursor, projections)
            for projection in projections:
                made.create(projection)
            yield made
    finally:
        beside.close()


@dataclass
class _Rebuilding:
    """New tables of some projections of one database.

    Attributes:
        live: The old ones.
        beside: The new ones.
        cursor: Of the connection that works on the new ones.
        projections: Which.
        later: Indexes to be made in the end, by projection.
    """

    live: Target
    beside: Target
    cursor: Cursor
    projections: Sequence[Projection]
    later: dict[str, list[bytes]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of the projections."""
        return [projection.name for projection in self.projections]

    def create(self, projection: Projection) -> None:
        """Make empty tables with the columns of the live ones.

        Raises:
            RebuildRunning: If another process rebuilds it.
        """
        asked = {"name": projection.name}
        row = self.cursor.execute(_SQL["try_lock_rebuild"], asked).fetchone()
        if row is None or not row[0]:
            raise RebuildRunning(name=projection.name)
        with self.cursor.connection.transaction():
            self.later[projection.name] = [
                index for table in projection.tables for index in self._create_table(table)
            ]
            self.cursor.execute(_SQL["unpark_all"], asked)
            self.cursor.execute(_SQL["begin_position"], asked)

    def take_over(self, reader: EntryReader) -> Iterator[int]:
        """Swap in one projection after the other; yields the position of each."""
        for projection in self.projections:
            for index in self.later[projection.name]:
                self.cursor.execute(index)
            for table in projection.tables:
                self.cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))
            yield self._swap(projection, reader)

    def _create_table(self, table: Table) -> list[bytes]:
        """Make a table, and return how the indexes are made that it has only in the end.

        Sorting a million keys once costs a fraction of finding the place of each.
        """
        new = sql.Identifier(self.beside.schema, table.name)
        old = sql.Identifier(self.live.schema, table.name)
        self.cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(new))
        self.cursor.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(new, old))
        asked = {"table": new.as_string(self.cursor), "sought": list(table.sought)}
        later = self.cursor.execute(_SQL["indexes_of_readers"], asked).fetchall()
        for schema, name, _ in later:
            self.cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))
        return [definition.encode() for *_, definition in later]

    def _swap(self, projection: Projection, reader: EntryReader) -> int:
        """Catch up with the live projection while it is held, then put the new tables there."""
        name, cursor, schema = projection.name, self.cursor, self.live.schema
        with cursor.connection.transaction():
            held = sql.SQL("SELECT position FROM {} WHERE name = %s FOR UPDATE").format(
                sql.Identifier(schema, "positions")
            )
            row = cursor.execute(held, [name]).fetchone()
            reached = row[0] if row else 0
            position = self.beside.positions()[name]
            while position < reached:
                batch = read_batch(reader, position, BATCH_LIMIT)
                self.beside.advance([name], batch)
                position = batch.last
            for table in projection.tables:
                old, new = (sql.Identifier(one, table.name) for one in (schema, self.beside.schema))
                cursor.execute(sql.SQL("DROP TABLE {}").format(old))
                cursor.execute(
                    sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(new, sql.Identifier(schema))
                )
            _take_over(cursor, schema, name, position)
            # Until this commit readers have the old tables; a crash leaves the new ones to be
            # removed by the next rebuild.
        return position


def _take_over(cursor: Cursor, schema: str, name: str, position: int) -> None:
    """Move position and parked streams along with the tables."""
    parked, positions = (sql.Identifier(schema, table) for table in ("parked", "positions"))
    cursor.execute(sql.SQL("DELETE FROM {} WHERE name = %s").format(parked), [name])
    cursor.execute(
        sql.SQL("INSERT INTO {} SELECT * FROM parked WHERE name = %s").format(parked), [name]
    )
    cursor.execute(
        sql.SQL("UPDATE {} SET position = %s WHERE name = %s").format(positions), [position, name]
    )
    cursor.execute(_SQL["unpark_all"], {"name": name})
    cursor.execute(_SQL["end_position"], {"name": name})
