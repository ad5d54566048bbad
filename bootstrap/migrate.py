"""Numbered SQL migrations, applied once each, in order.

Safe to run twice and by several processes at once: an advisory lock lets one of them work while
the others wait and then find nothing to do. Each file is one transaction together with its row in
``public.migrations``; a crash between two files leaves the first applied and the second for the
next run.
"""

from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from bootstrap.errors import BootstrapError

MIGRATIONS = Path(__file__).parent / "migrations"
PINNED = MIGRATIONS / "SHA256SUMS"
"""The digest of every migration, for ever: as `sha256sum -c` reads it."""

_LOCK = 0x7661786C_6D696772  # "vaxlmigr", for one database
_CREATE = """
    CREATE TABLE IF NOT EXISTS public.migrations (
        name text PRIMARY KEY,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationChangedError(BootstrapError):
    """A migration has other content than it had once; put that back and add a new file instead."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def migrate(url: str, folder: Path, only: Collection[str] | None = None) -> list[str]:
    """Apply those files of a folder that a database does not have yet.

    Args:
        url: Libpq URL of the database, as a role that may create schemas and roles.
        folder: Holds files ``NNNN_name.sql``, each free of transaction statements.
        only: Names of the files that are to be applied; None for all.

    Returns:
        Names of the files applied now, in order.

    Raises:
        MigrationChangedError: If an applied file was edited afterwards.
        psycopg.Error: If the database cannot be reached or refuses a file, which then left
            nothing behind.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        # Killed in the middle of a file, it is not waited for until that file would have ended.
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])  # until the connection ends
        connection.execute(_CREATE)
        rows = connection.execute("SELECT name, sha256 FROM public.migrations").fetchall()
        applied: dict[str, str] = dict(rows)
        return [
            file.name
            for file in sorted(folder.glob("*.sql"))
            if (only is None or file.name in only)
            and _apply(connection, file, applied.get(file.name))
        ]


def migrate_all(database_url: str, keys_url: str, only: Collection[str] | None = None) -> list[str]:
    """Bring the log's database and the keys' database up to date.

    Args:
        database_url: Of the log's.
        keys_url: Of the keys'.
        only: What is to be applied, such as `log/0001_ledger.sql`; None for all.

    Returns:
        What was applied.
    """
    return [
        f"{name}/{file}"
        for name, url in (("log", database_url), ("keys", keys_url))
        for file in migrate(url, MIGRATIONS / name, None if only is None else _within(name, only))
    ]


def migrations_of(database_url: str, keys_url: str) -> tuple[str, ...]:
    """Return what two databases have had applied, such as `log/0001_ledger.sql`.

    Raises:
        psycopg.Error: If a database cannot be reached.
    """
    databases = (("log", database_url), ("keys", keys_url))
    return tuple(f"{name}/{file}" for name, url in databases for file in sorted(_applied(url)))


def pending(database_url: str, keys_url: str) -> list[str]:
    """Return what `migrate_all` would apply, changing nothing.

    Raises:
        psycopg.Error: If a database cannot be reached.
    """
    return [
        f"{name}/{file.name}"
        for name, url in (("log", database_url), ("keys", keys_url))
        for known in [_applied(url)]
        for file in sorted((MIGRATIONS / name).glob("*.sql"))
        if file.name not in known
    ]


def pins() -> str:
    """Return the digests of all migrations: those that are pinned, and those of new files.

    Raises:
        MigrationChangedError: If a pinned file was edited or is gone.
    """
    lines = PINNED.read_text(encoding="utf-8").splitlines()
    known = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = {
        str(file.relative_to(MIGRATIONS)): sha256(file.read_bytes()).hexdigest()
        for file in MIGRATIONS.glob("*/*.sql")
    }
    for name, digest in known.items():
        if found.get(name) != digest:
            raise MigrationChangedError(name)
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))


def _applied(url: str) -> set[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT to_regclass('public.migrations')").fetchone()
        if found is None or found[0] is None:
            return set()
        return {row[0] for row in connection.execute("SELECT name FROM public.migrations")}


def _within(folder: str, names: Collection[str]) -> set[str]:
    return {name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")}


def _apply(connection: psycopg.Connection[tuple[Any, ...]], file: Path, known: str | None) -> bool:
    script = file.read_bytes()
    digest = sha256(script).hexdigest()
    if known is not None:
        if known != digest:
            raise MigrationChangedError(file.name)
        return False
    with connection.transaction():
        connection.execute(script)
        connection.execute(
            "INSERT INTO public.migrations (name, sha256) VALUES (%s, %s)", [file.name, digest]
        )
    return True
