"""A streaming replica, promoted while it lags: what it lacks is noticed and put back."""

import pwd
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bootstrap.embedded.postgres import EmbeddedPostgres
from bootstrap.migrate import MIGRATIONS, migrate
from client.copying import LogCopy
from client.sources import FolderSource, StoreSource
from client.trust import Trust
from ledger.checkpoint import verify_checkpoint
from ledger.store.connections import open_pool
from ledger.store.errors import RolledBack, StoreUnavailable, WritesHalted
from ledger.store.integration import Integrator
from ledger.store.reading import ROLE, LogReader
from ledger.store.writer import Writer
from tests.crash.serving import until
from tests.crash.test_recovery_crash import (
    KEYS,
    ORIGIN,
    SIGNER,
    append,
    content,
    integrate,
    recover,
    submission,
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture
def primary(servers_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres.start(servers_dir / "primary")
    data = server.home / "data"
    with (data / "pg_hba.conf").open("a") as lines:
        lines.write("local replication all peer map=owner\n")
    if server._account is not None:
        with (data / "pg_ident.conf").open("a") as lines:
            lines.write(f'owner "{pwd.getpwuid(server._account[0]).pw_name}" postgres\n')
    ask(server, "SELECT pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture
def replica(primary: EmbeddedPostgres, servers_dir: Path) -> Iterator[EmbeddedPostgres]:
    """Made by `pg_basebackup` while the primary runs, and following it."""
    folder = servers_dir / "replica"
    home = EmbeddedPostgres(folder)
    home.stop()
    data = home.home / "data"
    subprocess.run(
        [
            str(primary._programs / "pg_basebackup"),
            *("-h", str(primary.socket_dir), "-p", "5432", "-U", "postgres"),
            *("-D", str(data), "-X", "stream", "-R", "-c", "fast"),
        ],
        check=True,
        timeout=120,
    )
    if home._account is not None:
        for place in (data, *data.rglob("*")):
            shutil.chown(place, *home._account)
    server = EmbeddedPostgres.start(folder)
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, statement: str) -> object:
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row is not None else None


def has_all(primary: EmbeddedPostgres, replica: EmbeddedPostgres) -> bool:
    at = ask(primary, "SELECT pg_current_wal_flush_lsn()")
    return bool(ask(replica, f"SELECT pg_last_wal_replay_lsn() >= '{at}'::pg_lsn"))


def cut_off(replica: EmbeddedPostgres) -> None:
    """It follows no longer: the network between the two is gone."""
    with psycopg.connect(replica.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")
    until(
        lambda: ask(replica, "SELECT count(*) FROM pg_stat_wal_receiver") == 0,
        "the replica goes on following",
    )


def refusal_at(url: str) -> BaseException | None:
    """What a writer is answered there within a second, where decisions are not made."""
    writer = Writer(url, patience=1.0)
    try:
        return writer.submit(submission(0)).exception(60)
    finally:
        writer.close()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    return tmp_path / "outside"


@pytest.fixture
def grown(primary: EmbeddedPostgres, outside: Path) -> str:
    """The URL of a log with some entries."""
    migrate(primary.url(), MIGRATIONS / "log")
    append(primary.url(), range(200))
    integrate(primary.url(), outside)
    return primary.url()


def test_a_promoted_replica_gets_back_what_had_not_reached_it(
    grown: str,
    primary: EmbeddedPostgres,
    replica: EmbeddedPostgres,
    outside: Path,
    tmp_path: Path,
):
    append(grown, range(200, 220))
    integrate(grown, outside)
    until(lambda: has_all(primary, replica), "the replica does not follow")
    assert content(replica.url()) == content(grown)
    assert isinstance(refusal_at(replica.url()), StoreUnavailable)
    cut_off(replica)
    append(grown, range(220, 300))
    integrate(grown, outside)
    with open_pool(grown, ROLE, size=2) as pool:
        source = StoreSource(LogReader(pool))
        LogCopy(tmp_path / "export", Trust.of_keys(KEYS), sealed=True).extend(source)
    whole = content(grown)
    primary.stop()

    assert ask(replica, "SELECT pg_promote(true, 60)") is True
    assert len(content(replica.url())["entries"]) < len(whole["entries"])
    with pytest.raises(RolledBack):
        Integrator(replica.url(), lambda: [SIGNER], outside).run(threading.Event())
    assert isinstance(refusal_at(replica.url()), WritesHalted)
    recover(replica.url(), outside, FolderSource(tmp_path / "export"))
    assert content(replica.url()) == whole
    before = verify_checkpoint(outside.read_bytes(), KEYS, ORIGIN).size
    append(replica.url(), range(1_000, 1_003))
    integrate(replica.url(), outside)
    assert verify_checkpoint(outside.read_bytes(), KEYS, ORIGIN).size > before
