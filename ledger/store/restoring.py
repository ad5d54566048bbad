"""What a backup must know of a database, and how one is emptied before it is put back."""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from ledger.store.connections import CONNECT_SECONDS
from ledger.store.queries import load_queries

_QUERIES = load_queries("restoring.sql")


def entries_in(url: str) -> int:
    """Return how many entries a database has, 0 where it is no log's.

    Raises:
        psycopg.Error: It does not answer, or refuses us.
    """
    return _count(url, "ledger.entries", "entries")


def keys_in(url: str) -> int:
    """Return how many persons' keys a database has, 0 where it has none. Raises as `entries_in`."""
    return _count(url, "keys.people_keys", "people_keys")


def clear(url: str, schemas: Sequence[str]) -> None:
    """Remove the rows that migrations made: those of a backup come instead.

    Only for a database that was found to have no entries and no keys.

    Raises:
        psycopg.Error: It does not answer, or refuses us.
    """
    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        found = connection.execute(_QUERIES["tables"], [list(schemas)]).fetchall()
        tables = sql.SQL(", ").join(sql.Identifier(*names) for names in found)
        connection.execute(sql.SQL("TRUNCATE {}").format(tables))


def _count(url: str, table: str, query: str) -> int:
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        row = connection.execute(_QUERIES["has_table"], [table]).fetchone()
        if row is None or not row[0]:
            return 0
        found = connection.execute(_QUERIES[query]).fetchone()
        return int(found[0]) if found is not None else 0
