"""Connections to PostgreSQL, each under exactly one role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import ConnectionPool

from ledger.store.errors import StoreUnavailable

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]
Pool = ConnectionPool[Connection]

CONNECT_SECONDS = 5
CHECKOUT_SECONDS = 5.0
TEST_SECONDS = 1.0

# A peer that vanished without a word is noticed within about ten seconds.
_KEEPALIVE: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# Tables grow from nothing while connections live, so a plan that scans one whole is never right;
# nor is compiling a plan for calls that last a millisecond.
_SETTINGS = {"enable_seqscan": "off", "jit": "off"}

# What was committed is on disk: an acknowledged entry, a person's key before the event that seals
# under it, a checkpoint before its file. A stricter setting stays as the operator chose it.
_REQUIRE_DURABILITY = b"""
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""


def connect(url: str, role: str, **settings: str) -> Connection:
    """Open an autocommit connection that acts as a role.

    Args:
        url: Libpq URL.
        role: Role to take, such as ``vaxledger_append``.
        settings: Session settings by name, such as ``lock_timeout="5s"``.

    Raises:
        psycopg.OperationalError: If the server cannot be reached.
    """
    connection = psycopg.connect(url, autocommit=True, **_KEEPALIVE)
    try:
        _take_role(connection, role, settings)
    except BaseException:
        connection.close()
        raise
    return connection


def let_go(connection: Connection) -> None:
    """Close a connection; the locks of its session are free at once.

    The server ends a session some time after its client has gone, and the next leader would find
    the lead taken.
    """
    with suppress(psycopg.Error):  # a session that was lost holds nothing
        connection.execute(b"SELECT pg_advisory_unlock_all()")
    connection.close()


def open_pool(url: str, role: str, *, size: int = 4, **settings: str) -> Pool:
    """Open a pool of autocommit connections that act as a role.

    A connection that was not tested within the last second is tested when it is handed out, so
    that a restart of the server is hardly seen and a busy pool pays nothing. The pool opens
    without waiting for the server.

    Args:
        url: Libpq URL.
        role: Role to take, such as ``vaxledger_read``.
        size: Most connections.
        settings: Session settings by name.
    """
    return ConnectionPool(
        url,
        kwargs={"autocommit": True, **_KEEPALIVE},
        min_size=1,
        max_size=size,
        timeout=CHECKOUT_SECONDS,
        configure=lambda connection: _take_role(connection, role, settings),
        check=_check_now_and_then,
        open=True,
    )


def rows_of(pool: Pool, query: bytes, parameters: Any = None) -> list[Row]:
    """Read the rows of a query; a connection that turns out to be lost is replaced, once.

    Raises:
        StoreUnavailable: If the database cannot be reached.
    """
    try:
        with cursor_of(pool) as cursor:
            return cursor.execute(query, parameters, prepare=True).fetchall()
    except StoreUnavailable:
        with cursor_of(pool) as cursor:
            return cursor.execute(query, parameters, prepare=True).fetchall()


def _check_now_and_then(connection: Connection) -> None:
    now = time.monotonic()
    if now - _tested.get(connection, 0.0) > TEST_SECONDS:
        ConnectionPool.check_connection(connection)
        _tested[connection] = now


_tested: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
"""When each connection was last tested, in monotonic seconds."""


@contextmanager
def cursor_of(pool: Pool) -> Iterator[psycopg.Cursor[Row]]:
    """Lend a cursor with binary results for some reading.

    Raises:
        StoreUnavailable: If the database cannot be reached or goes away meanwhile.
    """
    try:
        with pool.connection() as connection, connection.cursor(binary=True) as cursor:
            yield cursor
    except psycopg.OperationalError as error:
        _tested.clear()  # where one connection is lost the others are suspect
        raise StoreUnavailable from error


def _take_role(connection: Connection, role: str, settings: dict[str, str]) -> None:
    wanted = {**_SETTINGS, **settings, "role": role}
    calls = ", ".join(["set_config(%s, %s, false)"] * len(wanted))
    connection.execute(f"SELECT {calls}", list(chain.from_iterable(wanted.items())))
    connection.execute(_REQUIRE_DURABILITY)
