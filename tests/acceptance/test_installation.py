"""A whole installation as whoever runs it meets it: start, stop, start again, whatever happened."""

import asyncio
import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.settings import Settings
from client.exchange import Answer
from client.receipt import Receipt
from tests.acceptance.documents_in_order import follow_pages
from tests.acceptance.integrators_page import run_page
from tests.crash import load as loading
from tests.crash.campaign import Campaign, count, settle
from tests.crash.load import DOSES_A_CHILD, Country, Load
from tests.crash.serving import (
    OWN_PROCESSES,
    REPOSITORY,
    Installation,
    children_of,
    free_port,
    until,
)

NASTY_NAME = '预防 接种, 100% it\'s "我们的" #1'
PACKAGES = (
    *("api", "bootstrap", "certificates", "cli", "client", "commands"),
    *("domain", "ledger", "projections", "workers"),
)
MOST_RESIDENT_BYTES = 200 << 20
WAIT = 60


@pytest.fixture(scope="module")
def checkout(servers_dir) -> Path:
    """The product in a folder with a name that breaks what does not quote."""
    folder = servers_dir / NASTY_NAME
    folder.mkdir()
    for package in PACKAGES:
        shutil.copytree(
            REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return folder


@pytest.fixture(scope="module")
def installation(checkout) -> Iterator[Installation]:
    settings = Settings(data_dir=checkout / ".vaxledger", port=free_port())
    installation = Installation(settings, checkout)
    yield installation
    if installation.starts:
        installation.stop()


@pytest.fixture
def running(installation) -> Installation:
    """The installation, started unless it runs."""
    if not installation.starts or installation.process.poll() is not None:
        installation.start()
    installation.until_ready()
    return installation


def record_some(installation: Installation, doses: int = DOSES_A_CHILD) -> Load:
    """Admit a county and record some doses over HTTP; every receipt is verified."""
    load = Load()
    country = Country(installation.settings, installation.addresses().http_url)
    asyncio.run(loading.run(country, loading.families(doses), load))
    return load


def receipt_of(installation: Installation, receipt: Receipt) -> Receipt:
    """Ask for a receipt again and verify it."""
    country = Country(installation.settings, installation.addresses().http_url)

    async def ask() -> Answer:
        async with country.regulator().client as client:
            return await client.request("GET", f"/v1/receipts/{receipt.position}")

    return Receipt.verify(asyncio.run(ask()).json(), country.trust)


def answers(installation: Installation) -> bool:
    """Whether the database takes a query."""
    try:
        with psycopg.connect(installation.superuser_urls[0]) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def check_gone(family: list[psutil.Process]) -> None:
    """Wait until none of these processes is left; a supervisor that was killed has no last word."""
    until(lambda: not any(process.is_running() for process in family), "processes are left", WAIT)


def test_it_starts_in_a_folder_of_any_name_and_records_doses(running):
    load = record_some(running)
    assert load.doses == DOSES_A_CHILD
    newest = load.acknowledged[-1].receipt
    assert receipt_of(running, newest).raw == newest.raw


def test_every_block_of_the_integrators_page_runs(running):
    record_some(running)
    run_page(running)


def test_the_commands_of_every_page_run_in_order(running, tmp_path, monkeypatch):
    follow_pages(running, tmp_path, monkeypatch)


def test_a_simulated_province_lives_in_it_and_goes_on_when_run_again(running):
    """One child; one of its doses is corrected, which takes three writes."""
    words = ("--rate", "1000", "--children", "1", "--years", "3", "--seed", "146", "--json")
    told = []
    for _ in range(2):
        with running.command("simulate", *words) as living:
            out, err = living.communicate(timeout=2 * WAIT)
        assert (living.returncode, err) == (0, b"")
        told.append(json.loads(out)["writes"])
    assert told == [18, 18]  # the second time they are answered as what stands


def test_the_second_start_goes_on_where_the_first_ended(running, record_property):
    newest = record_some(running).acknowledged[-1].receipt
    assert running.stop() == 0
    running.start()
    seconds = running.until_ready()
    record_property("warm_start_seconds", round(seconds, 2))
    again = receipt_of(running, newest)
    assert (again.position, again.raw, again.leaf) == (newest.position, newest.raw, newest.leaf)


def test_a_second_start_beside_a_running_one_is_refused_in_one_line(running):
    before = running.state()
    with running.command("serve") as second:
        out, err = second.communicate(timeout=WAIT)
    assert second.returncode == 2
    assert out == b""
    (line,) = err.decode().splitlines()
    assert line.startswith("vaxledger: Another process already runs on this data directory.")
    assert NASTY_NAME in line
    assert running.state() == before
    record_some(running)


def test_sigterm_leaves_no_process_behind(running):
    family = running.family()
    assert len(family) > len(OWN_PROCESSES) + 2  # both servers, and backends
    assert running.stop() == 0
    check_gone(family)
    assert running.state() is None


def test_after_kill_9_of_the_supervisor_the_next_start_works(running):
    newest = record_some(running).acknowledged[-1].receipt
    family = running.family()
    assert running.strike("supervisor") == running.process.pid
    running.process.wait(WAIT)
    running.start()  # at once, while the parts of the killed one are still dying
    running.until_ready()
    check_gone(family)
    assert receipt_of(running, newest).raw == newest.raw
    record_some(running)


def strike_startup(installation: Installation) -> bool:
    """Kill the process that recovers the database, if there is one in this moment."""
    postmaster = installation.pid_of("postmaster")
    for pid in children_of(postmaster) if postmaster else []:
        with suppress(psutil.NoSuchProcess):
            child = psutil.Process(pid)
            if any(": startup" in word for word in child.cmdline()):
                child.kill()
                return True
    return False


def strike_recovery(installation: Installation) -> bool:
    """Kill a backend, then the recovery from that; False where the recovery was too quick."""
    until(lambda: installation.strike("backend") is not None, "no backend to kill", WAIT)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if strike_startup(installation):
            return True
    return False


def test_the_database_comes_back_when_its_recovery_is_killed_too(running):
    newest = record_some(running).acknowledged[-1].receipt
    for _ in range(3):
        until(lambda: strike_recovery(running), "no recovery to kill", WAIT)
    running.until_ready()
    until(lambda: answers(running), "the database does not come back", WAIT)
    assert receipt_of(running, newest).raw == newest.raw
    record_some(running)


def test_each_of_our_processes_stays_below_200_mib(running, record_property):
    record_some(running, 10 * DOSES_A_CHILD)
    sizes = running.resident_bytes()
    for name, size in sizes.items():
        record_property(f"resident_mib_{name}", size >> 20)
    print({name: f"{size >> 20} MiB" for name, size in sizes.items()})
    assert sizes.keys() == {*OWN_PROCESSES, "supervisor"}
    assert {name: size for name, size in sizes.items() if size > MOST_RESIDENT_BYTES} == {}


def test_a_cold_start_on_an_empty_directory_ends_ready(servers_dir, record_property):
    installation = Installation(Settings(data_dir=servers_dir / "cold", port=free_port()))
    installation.start()
    try:
        seconds = installation.until_ready()
        record_property("cold_start_seconds", round(seconds, 2))
        print(f"cold start: {seconds:.2f} s")
    finally:
        assert installation.stop() == 0


@pytest.fixture(scope="module")
def real_servers(servers_dir) -> Iterator[tuple[EmbeddedPostgres, EmbeddedNats]]:
    """Servers that somebody else runs, as far as the installation can tell."""
    postgres = EmbeddedPostgres.start(servers_dir / "real servers")
    nats = EmbeddedNats.start(servers_dir / "real servers")
    yield postgres, nats
    nats.stop()
    postgres.stop()


def test_servers_given_by_url_make_no_difference(real_servers, servers_dir):
    postgres, nats = real_servers
    settings = Settings(
        data_dir=servers_dir / "given by URL",
        port=free_port(),
        database_url=postgres.url(),
        keys_url=postgres.url(KEYS_OWNER),
        nats_url=nats.url,
        nats_monitor_url=nats.monitor_url,
        nats_user=nats.user,
        nats_password=nats.password,
    )
    superuser = postgres.superuser_url(), postgres.superuser_url(KEYS_OWNER)
    installation = Installation(settings, superuser_urls=superuser)
    installation.start()
    try:
        installation.until_ready()
        state = installation.state()
        assert state is not None
        assert state.parts.keys() == {"migrate", *OWN_PROCESSES}
        campaign = Campaign(0, installation)
        campaign.load = record_some(installation, 10 * DOSES_A_CHILD)
        settle(installation)
        count(campaign)
        assert not campaign.findings.wrong, str(campaign)
    finally:
        assert installation.stop() == 0
    assert postgres.is_ready()
    assert nats.is_ready()


@pytest.fixture
def unmigrated(fresh_database, servers_dir) -> Installation:
    urls = fresh_database()
    data_dir = Path(tempfile.mkdtemp(prefix="migrated-", dir=servers_dir))
    return Installation(Settings(data_dir=data_dir, database_url=urls.log, keys_url=urls.keys))


def finish(process: subprocess.Popen[bytes]) -> list[str]:
    """Wait for a migration and return the lines it printed."""
    with process:
        out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err.decode()
    return out.decode().splitlines()


def positions(installation: Installation) -> list[tuple[int, str]]:
    url = installation.settings.database_url
    assert url is not None
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT position, topic FROM ledger.entries ORDER BY position")
        return rows.fetchall()


def test_migrate_may_run_twice(unmigrated):
    first = finish(unmigrated.command("migrate"))
    assert first
    assert all(line.startswith("applied ") for line in first)
    founded = positions(unmigrated)
    assert founded == [(1, "organisation.registered.v1"), (2, "organisation.registered.v1")]
    assert finish(unmigrated.command("migrate")) == []
    assert positions(unmigrated) == founded


def test_a_halted_log_starts_again_only_at_its_operator_s_word(unmigrated):
    finish(unmigrated.command("migrate"))
    with psycopg.connect(unmigrated.settings.database_url) as owner:
        owner.execute("INSERT INTO ledger.halt (kind) VALUES ('TamperFound')")
    with unmigrated.command("migrate") as refused:
        _, err = refused.communicate(timeout=WAIT)
    assert refused.returncode == 1
    assert err.decode().strip().splitlines()[-1].startswith("vaxledger: The log is halted")
    (told,) = finish(unmigrated.command("log", "resume", "--json"))
    assert json.loads(told)["halt"]["kind"] == "TamperFound"
    assert finish(unmigrated.command("migrate")) == []


def test_two_processes_may_migrate_at_once(unmigrated):
    both = [unmigrated.command("migrate") for _ in range(2)]
    lines = [line for process in both for line in finish(process)]
    assert len(lines) == len(set(lines)) > 0
    assert len(positions(unmigrated)) == 2


def test_sigint_stops_in_order_too(running):
    family = running.family()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(WAIT) == 0
    check_gone(family)
