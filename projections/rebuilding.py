"""Making a projection anew beside the old one, and putting it in its place.

Readers see the old tables until one transaction swaps them; the live projection goes on meanwhile.
Whatever a killed rebuild leaves behind, the next one removes.
"""

from collections.abc import Callable
from contextlib import closing

from psycopg import sql

from projections.change import EntryReader, read_batch
from projections.connection import Cursor
from projections.errors import RebuildRunning
from projections.projection import Projection
from projections.queries import named_queries
from projections.target import Target

BATCH_LIMIT = 5_000

Progress = Callable[[int, int], None]
"""Called with the position reached and the position to reach."""

_SQL = named_queries("loop.sql")


def rebuild(live: Target, name: str, reader: EntryReader, progress: Progress) -> int:
    """Replay a projection from the first entry into new tables and swap them in.

    Args:
        live: Where the projection is kept.
        name: Which one.
        reader: The log.
        progress: Told after each batch.

    Returns:
        The position at which the new tables took over.

    Raises:
        UnknownProjection: If there is none of this name.
        RebuildRunning: If another process rebuilds it.
    """
    projection = live.projection(name)
    beside = Target(live.url, live.role, f"{live.schema}_rebuild", [projection])
    with closing(beside), beside.cursor() as cursor:
        row = cursor.execute(_SQL["try_lock_rebuild"], {"name": name}).fetchone()
        if row is None or not row[0]:
            raise RebuildRunning(name=name)
        _create(cursor, live.schema, beside.schema, projection)
        position = 0
        while position < (published := reader.published()):
            position = _replay(beside, name, reader, position)
            progress(position, published)
        for table in projection.tables:
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))
        return _swap(cursor, live, beside, projection, reader)


def _replay(beside: Target, name: str, reader: EntryReader, position: int) -> int:
    batch = read_batch(reader, position, BATCH_LIMIT)
    beside.advance([name], batch)
    return batch.last


def _create(cursor: Cursor, schema: str, rebuild_schema: str, projection: Projection) -> None:
    """Make empty tables with the columns and indexes of the live ones."""
    with cursor.connection.transaction():
        for table in projection.tables:
            new = sql.Identifier(rebuild_schema, table.name)
            cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(new))
            cursor.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(
                    new, sql.Identifier(schema, table.name)
                )
            )
        cursor.execute(_SQL["unpark_all"], {"name": projection.name})
        cursor.execute(_SQL["begin_position"], {"name": projection.name})


def _swap(
    cursor: Cursor, live: Target, beside: Target, projection: Projection, reader: EntryReader
) -> int:
    """Catch up with the live projection while it is held, then put the new tables in its place."""
    name = projection.name
    with cursor.connection.transaction():
        held = sql.SQL("SELECT position FROM {} WHERE name = %s FOR UPDATE").format(
            sql.Identifier(live.schema, "positions")
        )
        row = cursor.execute(held, [name]).fetchone()
        reached = row[0] if row else 0
        position = beside.positions()[name]
        while position < reached:
            position = _replay(beside, name, reader, position)
        for table in projection.tables:
            old, new = (sql.Identifier(s, table.name) for s in (live.schema, beside.schema))
            cursor.execute(sql.SQL("DROP TABLE {}").format(old))
            cursor.execute(
                sql.SQL("ALTER TABLE {} SET SCHEMA {}").format(new, sql.Identifier(live.schema))
            )
        _take_over(cursor, live.schema, name, position)
        # Until this commit readers have the old tables; a crash leaves the new ones to be removed
        # by the next rebuild.
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
