"""The embedded PostgreSQL under real kills; rows are counted after each."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import psycopg
import pytest

from bootstrap.embedded import binaries, directory
from bootstrap.embedded.postgres import EmbeddedPostgres
from bootstrap.errors import DirectoryInUseError, LeftoverProcessError, ServerStartError
from tests.waiting import eventually

REPOSITORY = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another account")


@pytest.fixture
def place(servers_dir):
    """A directory of this test's own, which PostgreSQL's account may pass through."""
    place = servers_dir / str(time.monotonic_ns())
    place.mkdir()
    place.chmod(0o711)
    return place


@pytest.fixture(scope="module")
def server(servers_dir):
    """The server that this file kills again and again."""
    server = EmbeddedPostgres.start(servers_dir / "killed")
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE acked (n bigint PRIMARY KEY)")
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def alive(request):
    """Whatever the test before killed runs again."""
    if "server" in request.fixturenames:
        server = request.getfixturevalue("server")
        if not server.is_ready():
            server.restart()


class Load(threading.Thread):
    """Commits one row after another until the server goes away."""

    def __init__(self, url, first):
        super().__init__()
        self.url = url
        self.next = first
        self.backend = None
        self.acked = []

    def run(self):
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                self.backend = connection.info.backend_pid
                while True:
                    connection.execute("INSERT INTO acked VALUES (%s)", (self.next,))
                    self.acked.append(self.next)
                    self.next += 1
        except psycopg.Error:
            pass


def rows(server):
    with psycopg.connect(server.url()) as connection:
        return {n for (n,) in connection.execute("SELECT n FROM acked")}


def pids(server):
    return directory.processes_of("postgres", server._token)


def kill_under_load(server, kill):
    first = max(rows(server), default=0) + 1
    load = Load(server.url(), first)
    load.start()
    eventually(lambda: len(load.acked) > 20)
    kill(load)
    load.join(60)
    assert not load.is_alive()
    return load.acked


def test_each_role_owns_its_database_and_enters_no_other(server):
    for name in ("vaxledger", "vaxledger_keys"):
        with psycopg.connect(server.url(name)) as connection:
            found = connection.execute(
                "SELECT current_user, current_database(), rolsuper, datlocale, datlocprovider"
                " FROM pg_roles, pg_database"
                " WHERE rolname = current_user AND datname = current_database()"
            ).fetchone()
            connection.execute("CREATE SCHEMA mine")
            connection.rollback()
        assert found == (name, name, False, "C.UTF-8", "b")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.url("vaxledger_keys", "vaxledger"))
    with psycopg.connect(server.superuser_url("vaxledger_keys")) as connection:
        (powers,) = connection.execute("SHOW is_superuser").fetchone()
    assert powers == "on"


def test_what_is_acknowledged_is_durable_and_nobody_reaches_it_by_network(server):
    expected = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "wal_compression": "off",
        "max_wal_size": "4GB",
        "listen_addresses": "",
        "transaction_timeout": "1min",
    }
    with psycopg.connect(server.url()) as connection:
        found = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in expected}
    assert found == expected
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert "trust" not in (server.home / "data" / "pg_hba.conf").read_text()


def test_values_do_not_reach_the_servers_log(server):
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE people (name text PRIMARY KEY)")
        connection.execute("INSERT INTO people VALUES ('王小明')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO people VALUES ('王小明')")
    log = (server.home / "log").read_text()
    assert "people_pkey" in log
    assert "王小明" not in log


def test_kill_of_the_postmaster_loses_no_acknowledged_row(server):
    acked = kill_under_load(server, lambda _: os.kill(server.pid, signal.SIGKILL))
    server.restart()
    assert set(acked) <= rows(server)


def test_kill_of_a_backend_loses_no_acknowledged_row_and_heals_by_itself(server):
    def has_healed():
        try:
            return set(acked) <= rows(server)
        except psycopg.OperationalError:  # the postmaster is just beginning again
            return False

    before = server.pid
    acked = kill_under_load(server, lambda load: os.kill(load.backend, signal.SIGKILL))
    eventually(has_healed)
    assert server.pid == before


def test_kill_of_every_process_at_once_loses_no_acknowledged_row(server):
    def kill(_):
        for pid in pids(server):
            with suppress(ProcessLookupError):  # its postmaster was quicker
                os.kill(pid, signal.SIGKILL)

    acked = kill_under_load(server, kill)
    server.restart()
    assert set(acked) <= rows(server)


def test_a_frozen_postmaster_is_replaced(server):
    os.kill(server.pid, signal.SIGSTOP)
    server.restart()
    assert server.is_ready()


OWNER = dedent("""
    import sys, time, psycopg
    from pathlib import Path
    from bootstrap.embedded.postgres import EmbeddedPostgres
    server = EmbeddedPostgres.start(Path(sys.argv[1]))
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS acked (n bigint PRIMARY KEY)")
        (first,) = connection.execute("SELECT coalesce(max(n), 0) + 1 FROM acked").fetchone()
        print("pid", server.pid, flush=True)
        for n in range(first, first + 100_000):
            connection.execute("INSERT INTO acked VALUES (%s)", (n,))
            print(n, flush=True)
""")


def start_owner(place, python=sys.executable, **options):
    return subprocess.Popen(
        [python, "-c", OWNER, str(place)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
def test_kill_of_the_owner_ends_the_server_and_loses_no_acknowledged_row(place, frozen):
    owner = start_owner(place)
    postmaster = int(owner.stdout.readline().split()[1])
    acked = [int(owner.stdout.readline()) for _ in range(50)]
    if frozen:
        os.kill(postmaster, signal.SIGSTOP)  # it cannot hear that its owner died
    owner.kill()
    acked += [int(line) for line in owner.stdout.read().splitlines()]
    owner.wait()
    owner.stdout.close()
    server = EmbeddedPostgres.start(place)
    try:
        assert postmaster not in pids(server)
        assert set(acked) <= rows(server)
    finally:
        server.stop()


def test_kill_of_the_owner_at_any_moment_of_the_first_start_leaves_nothing_half_made(place):
    for seconds in (0.15, 0.3, 0.45, 0.6, 0.75):
        owner = start_owner(place)
        time.sleep(seconds)
        owner.kill()
        owner.wait()
        owner.stdout.close()
    server = EmbeddedPostgres.start(place)
    with psycopg.connect(server.url("vaxledger_keys")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()
    assert not (server.home / "data.new").exists()


def made(place):
    """A cluster that never ran."""
    server = EmbeddedPostgres(place)
    try:
        server.prepare()
    finally:
        server.stop()
    return server


def test_a_cluster_half_made_is_made_again(place):
    made(place)
    home = place / "postgres"
    (home / "data").rename(home / "data.new")
    (home / "data.new" / "PG_VERSION").unlink()
    server = EmbeddedPostgres.start(place)
    assert server.is_ready()
    server.stop()


def test_a_pid_file_that_names_a_strangers_process_harms_neither(server):
    account = directory.server_account()
    owner = {"user": account[0], "group": account[1], "extra_groups": []} if account else {}
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **owner)
    try:
        pid_file = server.home / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: len(pids(server)) == 0)
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        (server.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        server.restart()
        assert server.is_ready()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_pid_file_that_names_a_zombie_is_not_believed(server):
    zombie = subprocess.Popen(["true"])
    pid_file = server.home / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: len(pids(server)) == 0)
    pid_file.write_text("\n".join([str(zombie.pid), *lines[1:]]) + "\n")
    server.restart()
    assert server.is_ready()
    zombie.wait()


def test_a_server_that_somebody_started_by_hand_is_stopped_before_ours_starts(place):
    server = EmbeddedPostgres.start(place)
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE acked (n bigint)")
        connection.execute("INSERT INTO acked VALUES (1)")
    server.stop()
    account = directory.server_account()
    owner = {"user": account[0], "group": account[1], "extra_groups": []} if account else {}
    by_hand = subprocess.Popen(
        [server._programs / "postgres", "-D", server.home / "data"],
        cwd="/",
        stderr=subprocess.DEVNULL,
        **owner,
    )
    eventually(server.is_ready)
    again = EmbeddedPostgres.start(place)
    assert by_hand.wait(60) == 0
    assert rows(again) == {1}
    again.stop()


def test_a_process_that_holds_the_servers_lock_is_never_overridden(place, monkeypatch):
    monkeypatch.setattr(directory, "_PATIENCE_SECONDS", 0.2)
    made(place)
    pid_file = place / "postgres" / "data" / "postmaster.pid"
    pid_file.write_text("1\n")
    with (
        directory.lock_instance(place / "postgres" / "server.lock"),
        pytest.raises(LeftoverProcessError),
    ):
        EmbeddedPostgres.start(place)
    assert pid_file.exists()


def test_the_second_of_two_owners_is_refused_and_the_first_notices_nothing(server):
    with pytest.raises(DirectoryInUseError) as refused:
        EmbeddedPostgres.start(server.home.parent)
    assert "\n" not in str(refused.value)
    assert server.is_ready()


def test_of_owners_that_start_at_once_exactly_one_wins(place):
    owners = [start_owner(place, stderr=subprocess.DEVNULL) for _ in range(3)]
    said = [owner.stdout.readline() for owner in owners]
    for owner in owners:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    assert sorted(line[:3] for line in said) == ["", "", "pid"]


@pytest.mark.parametrize(
    "name", ["with space, comma", 'it\'s "quoted" 100% #1?', "接种 账本", "long-" * 30]
)
def test_any_directory_name_works(place, name):
    server = EmbeddedPostgres.start(place / name)
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    server.stop()
    assert server.home.exists()
    assert server.socket_dir == server.home or not server.socket_dir.exists()


def test_a_server_that_cannot_start_says_why(place):
    made(place)
    (place / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerStartError, match="database files are incompatible"):
        EmbeddedPostgres.start(place)
    made(place)  # and the directory is free again


@as_root
def test_below_a_private_home_the_data_moves_out_and_the_home_stays_closed(place):
    home = place / "home"
    home.mkdir(mode=0o700)
    server = EmbeddedPostgres.start(home / "data")
    try:
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert (home / "data" / "postgres").is_symlink()
        server.stop()
        again = made(home / "data")
        assert again.home == server.home
    finally:
        server.stop()
        shutil.rmtree(server.home)


@as_root
def test_an_installation_in_a_private_home_is_copied_once_and_stays_closed(place, monkeypatch):
    monkeypatch.setattr(directory, "SYSTEM_STATE", place / "state")
    monkeypatch.setattr(binaries, "_usable_by_others", lambda _install: False)
    server = EmbeddedPostgres.start(place / "data")
    assert server._programs.is_relative_to(place / "state")
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute("DO $$ BEGIN PERFORM 1; END $$ LANGUAGE plpgsql")
    server.stop()
    assert [p.name[0] != "." for p in (place / "state").iterdir()] == [True]


def public_python():
    """An interpreter of this version that any account may run, or None."""
    for python in (Path(sys.executable), Path(f"/usr/bin/python3.{sys.version_info.minor}")):
        if python.exists() and directory.is_reachable(python.resolve().parent):
            return python
    return None


@as_root
@pytest.mark.skipif(
    public_python() is None or not directory.is_reachable(Path(psycopg.__file__).parent),
    reason="Python or the checkout lies in a private home",
)
def test_an_ordinary_user_needs_no_other_account(place):
    os.chown(place, 65534, 65534)
    owner = start_owner(
        place,
        public_python(),
        user=65534,
        group=65534,
        extra_groups=[],
        env={"PYTHONPATH": str(Path(psycopg.__file__).parents[1])},
    )
    postmaster = int(owner.stdout.readline().split()[1])
    assert int(owner.stdout.readline()) == 1
    assert Path(f"/proc/{postmaster}").stat().st_uid == 65534
    owner.kill()
    owner.wait()
    owner.stdout.close()
    eventually(lambda: not directory.processes_of("postgres", f"{place}/postgres/data\0"))
