"""Servers for every test that wants one; nothing starts unless it is requested."""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, LOG_OWNER, EmbeddedPostgres
from bootstrap.logs import configure_logging
from bootstrap.migrate import migrate_all
from tests.patience import be_patient

# The same examples every time: a release is not held up by what chance finds in it. New ones are
# drawn where an hour may be spent on them, by the long campaigns (`--hypothesis-profile=drawn`).
settings.register_profile("repeated", derandomize=True, deadline=None)
settings.register_profile("drawn", deadline=None)
settings.load_profile("repeated")
be_patient()

# As every process does first. Unconfigured, structlog draws each traceback with all its variables,
# which takes so many seconds in an app of this size that a request seems to hang.
configure_logging("WARNING")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the long campaigns may be told."""
    parser.addoption(
        "--soak-minutes", type=float, default=5.0, help="how long memory is watched (tests/soak)"
    )
    parser.addoption(
        "--soak-rate", type=float, help="events a second meanwhile, instead of half the full load"
    )
    parser.addoption("--soak-result", type=Path, help="where what came of it is kept, as JSON")
    parser.addoption("--seed", type=int, help="of a campaign that failed, to repeat it")
    parser.addoption(
        "--at-rest", action="store_true", help="judge seconds too: this machine does nothing else"
    )


@pytest.fixture
def seed(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> int:
    """Where a long campaign's chance comes from: drawn, unless one is given."""
    given: int | None = request.config.getoption("--seed")
    seed = secrets.randbelow(10**9) if given is None else given
    print(f"seed {seed}; once more: make crash SEED={seed}")
    record_property("seed", seed)
    return seed


class Databases(NamedTuple):
    """Libpq URLs of a pair of databases, as their owners (never superusers)."""

    log: str
    keys: str


@pytest.fixture(scope="session")
def servers_dir() -> Iterator[Path]:
    """A short-lived directory that PostgreSQL's account may pass through.

    Not `tmp_path`: pytest closes that to others, and root's PostgreSQL would have to move out.
    """
    directory = Path(tempfile.mkdtemp(prefix="vaxledger-tests-"))
    directory.chmod(0o711)
    yield directory
    # By a process that nobody waits for: databases are hundreds of files each.
    os.spawnlp(os.P_NOWAIT, "rm", "rm", "-rf", str(directory))


@pytest.fixture(scope="session")
def postgres(servers_dir: Path) -> Iterator[EmbeddedPostgres]:
    """The server that tests share. Never kill it: a test that kills starts its own.

    Since nobody does, it flushes nothing.
    """
    server = EmbeddedPostgres.start(servers_dir / "shared")
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nats_server(servers_dir: Path) -> Iterator[EmbeddedNats]:
    """The NATS that tests share: `.url`, `.user`, `.password`. Never kill it; name your streams."""
    server = EmbeddedNats.start(servers_dir / "shared")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def fresh_database(postgres: EmbeddedPostgres) -> Callable[[], Databases]:
    """A factory: each call makes a pair of new, empty databases (log, keys) and returns URLs.

    `fresh_database().log` belongs to role `vaxledger`, `.keys` to `vaxledger_keys`; neither role
    can connect to the other's. For a superuser: `postgres.superuser_url(name)`. Call it in a
    fixture of function or module scope, as you like; the databases go with the server.
    """
    return partial(_pair, postgres, {})


@pytest.fixture(scope="session")
def migrated_database(
    postgres: EmbeddedPostgres, fresh_database: Callable[[], Databases]
) -> Callable[[], Databases]:
    """The same, of databases that have had every migration: copies of one pair."""
    first = fresh_database()
    migrate_all(*first)
    names = [str(conninfo_to_dict(url)["dbname"]) for url in first]
    return partial(_pair, postgres, dict(zip((LOG_OWNER, KEYS_OWNER), names, strict=True)))


def _pair(postgres: EmbeddedPostgres, templates: dict[str, str]) -> Databases:
    tag = secrets.token_hex(4)
    with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
        for owner in (LOG_OWNER, KEYS_OWNER):
            name = sql.Identifier(f"{owner}_{tag}")
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                    name, sql.Identifier(owner), sql.Identifier(templates.get(owner, "template1"))
                )
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    return Databases(
        postgres.url(f"{LOG_OWNER}_{tag}", LOG_OWNER),
        postgres.url(f"{KEYS_OWNER}_{tag}", KEYS_OWNER),
    )
