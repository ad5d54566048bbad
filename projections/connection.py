"""Connections to the databases of the views, each under exactly one role."""

from typing import Any

import psycopg
from psycopg import sql

from ledger.store import connections as store
from ledger.store.connections import Pool, let_go

__all__ = [
    "PROJECT",
    "PROJECT_PEOPLE",
    "READ",
    "READ_PEOPLE",
    "Connection",
    "Cursor",
    "Pool",
    "Row",
    "connect",
    "let_go",
    "open_pool",
]

PROJECT = "vaxledger_project"
READ = "vaxledger_read"
PROJECT_PEOPLE = "vaxledger_people"
READ_PEOPLE = "vaxledger_people_read"

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]
Cursor = psycopg.Cursor[Row]

# Texts that digests are made of must not depend on a server's settings.
_SETTINGS = (
    b"SET TIME ZONE 'UTC'; SET datestyle = 'ISO, YMD'; SET client_encoding = 'UTF8';"
    b" SET bytea_output = 'hex'; SET jit = off"
)

_TRANSACTION_TIMEOUT_SINCE = 170_000


def connect(url: str, role: str, schema: str) -> Connection:
    """Open an autocommit connection whose unqualified names mean tables of one schema.

    Commits do not wait for the disk: after a crash of the server rows and position are back at
    the same earlier commit, and the log brings the rest again.
    """
    connection: Connection = psycopg.connect(url, autocommit=True)
    connection.execute(_SETTINGS)
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
    connection.execute(b"SET synchronous_commit = off")
    if connection.info.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        connection.execute(b"SET transaction_timeout = 0")  # a digest reads whole tables
    return connection


def open_pool(url: str, role: str, size: int = 4, *, of_one: bool = False) -> Pool:
    """Open a pool of autocommit connections for the queries of this package.

    Args:
        url: Libpq URL.
        role: Role to take.
        size: Most connections.
        of_one: For questions about one record or a few people. Their plan is always the same, and
            PostgreSQL would make it anew for each: as dear as running it.
    """
    settings = {"plan_cache_mode": "force_generic_plan"} if of_one else {}
    # Unlike the log's look-ups, sums do read whole tables, and hash them.
    return store.open_pool(
        url, role, size=size, enable_seqscan="on", work_mem="32MB", TimeZone="UTC", **settings
    )
