"""Making projections anew beside the old ones, and putting them in their place.

Each entry is read once for all of them, and the next batch is read while the last is applied, to
each projection by a thread and a connection of its own.
Readers see the old tables until a transaction swaps them; the live projection goes on meanwhile.
Whatever a killed rebuild leaves behind, the next one removes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

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
        made = [
            stack.enter_context(_beside(live, live.projection(name)))
            for live, names in wanted
            for name in names
        ]
        pool = stack.enter_context(ThreadPoolExecutor(len(made), "rebuild"))
        for batch in _batches(reader):
            _each(pool, [partial(one.advance, batch) for one in made])
            progress(batch.last, reader.published())
        _each(pool, [one.complete for one in made])
        return min(one.swap(reader) for one in made)


def _each(pool: Executor, works: Sequence[Callable[[], None]]) -> None:
    """Do the same for each projection, and wait for all of them.

    While PostgreSQL takes the rows of one, those of another are made.
    """
    done = [pool.submit(work) for work in works]
    wait(done)
    for one in done:
        one.result()


def _batches(reader: EntryReader) -> Iterator[Batch]:
    """All there is, batch by batch."""
    position = 0
    with closing(ReadAhead(reader, BATCH_LIMIT)) as ahead:
        while position < reader.published():
            batch = ahead.read(position)
            yield batch
            position = batch.last


@contextmanager
def _beside(live: Target, projection: Projection) -> Iterator["_Rebuilding"]:
    """Lend new tables of a projection, without what only readers need of indexes."""
    beside = Target(live.url, live.role, f"{live.schema}_rebuild", [projection])
    try:
        with beside.cursor() as cursor:
            made = _Rebuilding(live, beside, cursor, projection)
            made.create()
            yield made
    finally:
        beside.close()


@dataclass
class _Rebuilding:
    """New tables of a projection.

    Attributes:
        live: The old ones.
        beside: The new ones.
        cursor: Of the connection that works on the new ones.
        projection: Which.
        later: Indexes to be made in the end.
    """

    live: Target
    beside: Target
    cursor: Cursor
    projection: Projection
    later: list[bytes] = field(default_factory=list)

    def create(self) -> None:
        """Make empty tables with the columns of the live ones.

        Raises:
            RebuildRunning: If another process rebuilds it.
        """
        asked = {"name": self.projection.name}
        row = self.cursor.execute(_SQL["try_lock_rebuild"], asked).fetchone()
        if row is None or not row[0]:
            raise RebuildRunning(**asked)
        with self.cursor.connection.transaction():
            for table in self.projection.tables:
                self.later += self._create_table(table)
            self.cursor.execute(_SQL["unpark_all"], asked)
            self.cursor.execute(_SQL["begin_position"], asked)

    def advance(self, batch: Batch) -> None:
        """Apply a batch to the new tables."""
        self.beside.advance([self.projection.name], batch)

    def complete(self) -> None:
        """Make the indexes that readers need."""
        for index in self.later:
            self.cursor.execute(index)
        for table in self.projection.tables:
            self.cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))

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

    def swap(self, reader: EntryReader) -> int:
        """Catch up with the live projection while it is held, then put the new tables there."""
        name, cursor, schema = self.projection.name, self.cursor, self.live.schema
        with cursor.connection.transaction():
            held = sql.SQL("SELECT position FROM {} WHERE name = %s FOR UPDATE").format(
                sql.Identifier(schema, "positions")
            )
            row = cursor.execute(held, [name]).fetchone()
            reached = row[0] if row else 0
            position = self.beside.positions()[name]
            while position < reached:
                batch = read_batch(reader, position, BATCH_LIMIT)
                self.advance(batch)
                position = batch.last
            for table in self.projection.tables:
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
