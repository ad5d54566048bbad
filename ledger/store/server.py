"""What kind of server a database is on: for whoever must know before trusting it."""

from dataclasses import dataclass
from datetime import datetime

import psycopg

from ledger.store.connections import CONNECT_SECONDS
from ledger.store.queries import load_queries

_QUERIES = load_queries("server.sql")
_NO_PASSWORD = "no-password-at-all"  # noqa: S105  it must not be one


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A server as one connection sees it.

    Attributes:
        version: Such as 180004 for 18.4.
        identity: Its system identifier: two databases of one server have the same.
        database: Name of the database.
        user: Who we are there.
        is_superuser: Whether that role may do everything.
        is_tls: Whether the connection is encrypted.
        is_local: Whether it stays on this machine.
        has_fsync: Whether what is committed is flushed.
        has_full_page_writes: Whether a torn page is mended.
        has_checksums: Whether a flipped bit is noticed.
        retries_sync: Whether it tries a flush that failed again, after which nothing is certain.
        is_utf8: Whether every letter can be stored.
        connections: As many at once it takes.
        is_replica: Whether it is a standby, which takes no writes.
        checkpoint_seconds: After which it makes a checkpoint in any case.
        has_pglz: Whether it shrinks whole pages in its write-ahead log by the slow method.
        clock: Its clock when it answered.
    """

    version: int
    identity: str
    database: str
    user: str
    is_superuser: bool
    is_tls: bool
    is_local: bool
    has_fsync: bool
    has_full_page_writes: bool
    has_checksums: bool
    retries_sync: bool
    is_utf8: bool
    connections: int
    is_replica: bool
    checkpoint_seconds: int
    has_pglz: bool
    clock: datetime


def look_at_server(url: str) -> ServerFacts:
    """Return what a server says of itself.

    Raises:
        psycopg.Error: It does not answer, or refuses us.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        row = connection.execute(_QUERIES["facts"]).fetchone()
    assert row is not None
    return ServerFacts(*row)


def lets_anybody_in(url: str) -> bool:
    """Tell whether a server over TCP takes our user with a password that it does not have."""
    try:
        with psycopg.connect(
            url, password=_NO_PASSWORD, connect_timeout=CONNECT_SECONDS
        ) as connection:
            return connection.info.host != "" and not connection.info.host.startswith("/")
    except psycopg.OperationalError:
        return False
