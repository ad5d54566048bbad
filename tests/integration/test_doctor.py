"""The doctor before real servers: each trap is found where it is set, and named with its fix."""

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from nats.js.api import ConsumerConfig, DiscardPolicy
from typer.testing import CliRunner

from bootstrap.diagnosis.examination import UnfitForProductionError, examine
from bootstrap.diagnosis.of_log import of_log
from bootstrap.diagnosis.of_machine import of_machine
from bootstrap.diagnosis.of_nats import of_nats
from bootstrap.diagnosis.of_notices import of_notices
from bootstrap.diagnosis.of_postgres import of_postgres, of_server
from bootstrap.diagnosis.of_settings import of_settings
from bootstrap.embedded.binaries import nats_program, postgres_programs
from bootstrap.embedded.nats import _free_port
from bootstrap.embedded.postgres import KEYS_OWNER, EmbeddedPostgres
from bootstrap.feed import feed_server
from bootstrap.fitness import refuse_unfit
from bootstrap.folders import kek_folder, secrets_folder, spool_folder
from bootstrap.log_keys import installation_secrets
from bootstrap.migrate import migrate_all
from bootstrap.part import Child, Program
from bootstrap.settings import Settings
from cli.app import app
from client import feed
from ledger.policy import Policy
from ledger.store.server import ServerFacts

GOOD = {
    "production": True,
    "origin": "log.hn.example.cn/vax",
    "issuer": "https://id.hn.example.cn",
    "public_url": "https://vax.hn.example.cn",
}
LONG = "x7Hq2LkV9sTz4Wc1Yd"


def names(traps):
    return [trap.name for trap in traps]


def now():
    return datetime.now(UTC)


@pytest.fixture
def secret(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(f"{text}\n")
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def fit(tmp_path, secret):
    """Settings that no look at them alone refuses."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url_file=secret("log", f"postgresql://vax:{LONG}@log.hn.example.cn/vax"),
        keys_url_file=secret("keys", f"postgresql://vax:{LONG}@keys.hn.example.cn/keys"),
        nats_url="tls://feed.hn.example.cn:4222",
        nats_user="vaxledger",
        nats_password_file=secret("nats", LONG),
        **GOOD,
    )


def test_settings_that_are_fit_have_no_trap(fit):
    assert names(of_settings(fit)) == []


@pytest.mark.parametrize(
    ("change", "trap"),
    [
        ({"nats_url": "nats://feed.hn.example.cn:4222"}, "nats-without-tls"),
        ({"issuer": None}, "development-issuer"),
        ({"issuer": "http://id.hn.example.cn"}, "issuer-without-tls"),
        ({"public_url": None}, "plain-http"),
        ({"public_url": "http://vax.hn.example.cn"}, "plain-http"),
        ({"origin": "ledger.example.cn/vax/kaifeng-demo"}, "default-origin"),
        ({"nats_password_file": None}, "secret-in-environment"),
        ({"database_url_file": None}, "secret-in-environment"),
        ({"notices_token": LONG, "notices_url": "https://sms.cn"}, "secret-in-environment"),
        ({"nats_password": "vaxledger"}, "weak-secret"),
        ({"nats_password": "nine chars"}, "weak-secret"),
        ({"keys_url": "host=keys user=vax password=vax dbname=keys"}, "weak-secret"),
        ({"database_url": None, "keys_url": None}, "embedded-server"),
        ({"nats_url": None}, "embedded-server"),
    ],
)
def test_each_unfit_setting_is_named_and_refused(fit, change, trap):
    found = list(of_settings(fit.model_copy(update=change)))
    assert names(found) == [trap]
    assert found[0].is_refused
    assert all((found[0].zh, found[0].en, found[0].fix_zh, found[0].fix_en))
    assert LONG not in repr(found)


def test_secrets_come_from_files_and_reach_the_parts_as_files(fit, monkeypatch):
    assert fit.nats_password == LONG
    given = fit.environment()
    assert "VAXLEDGER_NATS_PASSWORD" not in given
    for name, value in given.items():
        if name.startswith("VAXLEDGER_"):
            monkeypatch.setenv(name, value)
    assert Settings.load() == fit
    assert LONG not in json.dumps({k: v for k, v in given.items() if k.startswith("VAXLEDGER_")})


def test_a_secret_is_given_once_and_its_file_is_there(tmp_path, secret):
    path = secret("nats", LONG)
    with pytest.raises(ValueError, match="not given together"):
        Settings(nats_user="x", nats_password="y", nats_password_file=path)
    with pytest.raises(ValueError, match="cannot be read"):
        Settings(nats_user="x", nats_password_file=tmp_path / "none")


def test_production_refuses_in_sentences_that_say_what_to_change(fit):
    away = dict.fromkeys(("database_url", "keys_url"), "postgresql://127.0.0.1:1/x")
    fit = fit.model_copy(update={**away, "nats_url": "tls://127.0.0.1:1"})
    with pytest.raises(UnfitForProductionError) as refused:
        refuse_unfit(fit)
    text = str(refused.value)
    assert "database-away database=keys" in text
    assert "Start it; check address, user and password." in text
    assert LONG not in text
    refuse_unfit(fit.model_copy(update={"production": False}))


@pytest.fixture(scope="module")
def durable(servers_dir):
    """A server as an installation has it; the one that tests share flushes nothing."""
    server = EmbeddedPostgres.start(servers_dir / "durable")
    yield server
    server.stop()


def test_one_server_for_keys_and_log_is_a_trap_of_real_databases(durable):
    here = Settings(database_url=durable.url(), keys_url=durable.url(KEYS_OWNER))
    assert names(of_postgres(here, now)) == ["keys-beside-log"]
    again = here.model_copy(update={"database_url": durable.superuser_url("postgres")})
    assert names(of_postgres(again, now)) == ["superuser", "keys-beside-log"]
    for hour in (timedelta(hours=1), timedelta(hours=-1)):
        found = names(of_postgres(here, lambda hour=hour: now() + hour))
        assert found.count("clock-skew") == 2
    away = here.model_copy(update={"keys_url": "postgresql://127.0.0.1:1/keys"})
    assert names(of_postgres(away, now)) == ["database-away"]


@pytest.fixture
def trusting(postgres, servers_dir, tmp_path):
    """A server over TCP that believes everybody and flushes nothing."""
    home, port = servers_dir / "trusting", _free_port(set())
    account = postgres._account
    programs = postgres_programs(account)
    home.mkdir(mode=0o700)
    if account is not None:
        shutil.chown(home, *account)
    who = {"user": account[0], "group": account[1]} if account else {}

    def run(program, *words):
        done = subprocess.run(
            [programs / program, *words],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            **who,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(home / "data")
    run(
        "initdb",
        "-D",
        data,
        "--no-sync",
        "--auth=trust",
        "--username=somebody",
        "--no-data-checksums",
        "--no-locale",
        "--encoding=SQL_ASCII",
    )
    options = f"-p {port} -h 127.0.0.1 -k '' -c fsync=off -c full_page_writes=off"
    options += " -c data_sync_retry=on -c max_connections=20"
    run("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(home / "log"), "start")
    try:
        yield f"postgresql://somebody:{LONG}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def test_a_server_that_trusts_and_is_lazy_is_found_out(trusting, durable):
    settings = Settings(database_url=trusting, keys_url=durable.url(KEYS_OWNER))
    found = names(of_postgres(settings, now))
    assert found == [
        "superuser",
        "lazy-database",
        "lazy-database",
        "no-checksums",
        "retries-sync",
        "frequent-checkpoints",
        "not-utf8",
        "few-connections",
        "trust-authentication",
    ]


def test_a_nats_that_syncs_late_or_is_away_is_a_trap(nats_server, tmp_path):
    def at(url, monitor, user="", password=""):
        update = {"nats_url": url, "nats_monitor_url": monitor}
        return Settings(nats_user=user, nats_password=password, **update)

    ours = at(nats_server.url, nats_server.monitor_url, nats_server.user, nats_server.password)
    assert names(of_nats(ours)) == []
    away = at("nats://127.0.0.1:1", "http://127.0.0.1:1")
    assert names(of_nats(away)) == ["nats-away"]
    assert names(of_nats(Settings())) == []


def certificate(folder):
    """A certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert", folder / "key"


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def started(tmp_path):
    """Start NATS with lines of configuration; returns its settings."""
    children = []

    def start(*lines, scheme="nats"):
        client = _free_port(set())
        monitor = _free_port({client})
        web = "https" if scheme == "tls" else "http"
        config = tmp_path / f"{client}.conf"
        own = (f'listen: "127.0.0.1:{client}"', f'{web}: "127.0.0.1:{monitor}"')
        config.write_text("\n".join((*own, *lines)))

        def is_ready():
            return all(map(answers, (monitor, client)))  # in this order they open

        words = (str(nats_program()), "-c", str(config))
        part = Program(name="nats", argv=words, ready=is_ready, output=tmp_path / f"{client}.log")
        children.append(Child(part))
        children[-1].start(60)
        return Settings(
            nats_url=f"{scheme}://127.0.0.1:{client}",
            nats_monitor_url=f"{web}://127.0.0.1:{monitor}",
            nats_user="publisher",
            nats_password=LONG,
        )

    yield start
    for child in children:
        child.stop(60)


USERS = f"authorization {{ users: [{{user: publisher, password: {LONG}}}] }}"


def test_a_nats_that_acknowledges_first_is_found_out(started, tmp_path):
    lines = (f'jetstream {{ store_dir: "{tmp_path}/lazy" }}', "max_payload: 16384")
    trap, small = of_nats(started(*lines, USERS))
    assert (small.name, small.facts["bytes"]) == ("small-payload", 16384)
    assert (trap.name, trap.is_refused) == ("lazy-nats", True)
    assert "sync_interval: always" in trap.fix_en


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the library tells nobody
            await asyncio.sleep(0.01)


def test_a_nats_behind_tls_is_reached_and_its_drift_is_seen(started, tmp_path, monkeypatch):
    cert, key = certificate(tmp_path)
    settings = started(
        f'jetstream {{ store_dir: "{tmp_path}/good", sync_interval: always }}',
        USERS,
        f'tls {{ cert_file: "{cert}", key_file: "{key}" }}',
        scheme="tls",
    )
    for is_restored in (False, True):
        with pytest.raises(ssl.SSLError):  # and never a wait without end
            asyncio.run(feed.connect(feed_server(settings), reconnect=is_restored))
    (trap,) = of_nats(settings)
    assert (trap.name, trap.facts) == ("nats-certificate", {"said": "self-signed certificate"})
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert names(of_nats(settings)) == []

    async def drift():
        connection = await feed.connect(feed_server(settings), reconnect=False)
        js = connection.jetstream()
        await feed.ensure_streams(js, 1)
        for number in range(7):
            await js.publish(f"vax.41.02.99.a.b{number}.v1", b"{}")
        changed = feed.entries_config(1)
        changed.max_msgs, changed.discard = 5, DiscardPolicy.OLD
        await js.update_stream(changed)
        await connection.close()

    async def lose_and_restore():
        """A certificate that is not believed while a connection is restored, and believed again."""
        connection = await feed.connect(feed_server(settings), reconnect=True)
        monkeypatch.delenv("SSL_CERT_FILE")
        await connection.force_reconnect()
        await until(lambda: isinstance(connection.last_error, ssl.SSLError))
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        await until(lambda: connection.is_connected)
        await connection.flush()
        monkeypatch.delenv("SSL_CERT_FILE")
        await connection.force_reconnect()
        await until(lambda: isinstance(connection.last_error, ssl.SSLError))
        await feed.close(connection)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))

    asyncio.run(lose_and_restore())
    asyncio.run(drift())
    assert names(of_nats(settings)) == ["stream-drifted", "feed-gaps"]

    async def put_back():
        connection = await feed.connect(feed_server(settings), reconnect=False)
        js = connection.jetstream()
        await js.update_stream(feed.entries_config(1))
        foreign = ConsumerConfig(durable_name="foreign", deliver_subject="elsewhere")
        await js.add_consumer(feed.ENTRIES, foreign)
        await connection.close()

    asyncio.run(put_back())
    trap, foreign = of_nats(settings)
    assert (trap.name, trap.facts["missing"]) == ("feed-gaps", 2)
    assert (foreign.name, foreign.facts["consumer"]) == ("consumer-drifted", "foreign")


@pytest.fixture
def founded(fresh_database, tmp_path):
    urls = fresh_database()
    settings = Settings(data_dir=tmp_path / "data", database_url=urls.log, keys_url=urls.keys)
    assert names(of_log(settings, datetime.now(UTC))) == ["no-secrets"]
    assert not (tmp_path / "data").exists(), "looking makes nothing"
    installation_secrets(settings)
    kek_folder(settings).load()
    return settings


def test_a_log_that_is_behind_halted_or_not_migrated_is_named(founded):
    now = datetime.now(UTC)
    assert names(of_log(founded, now)) == ["not-migrated", "log-unread", "own-witness-only"]
    migrate_all(founded.database_url, founded.keys_url)
    assert names(of_log(founded, now)) == ["own-witness-only"]
    with psycopg.connect(founded.database_url) as owner:
        owner.execute("INSERT INTO ledger.halt (kind) VALUES ('TamperFound')")
    assert names(of_log(founded, now)) == ["halted", "own-witness-only"]
    with psycopg.connect(founded.database_url) as owner:
        owner.execute("DELETE FROM ledger.halt")
        owner.execute("UPDATE ledger.head SET recorded_at = %s", [now + timedelta(hours=1)])
    (trap, _) = of_log(founded, now)
    assert (trap.name, trap.facts["seconds"]) == ("clock-behind-log", 3600.0)


def test_notices_that_are_late_failed_or_not_fetched_are_named(founded, monkeypatch):
    migrate_all(founded.database_url, founded.keys_url)
    now = datetime.now(UTC)
    assert names(of_notices(founded, now)) == []
    put = """INSERT INTO outbox.messages
        (id, kind, stream, about, put_at, due_at, state, settled_at) VALUES
        (gen_random_uuid(), 'reminder', gen_random_uuid(), '', %s, %s, %s, %s)"""
    with psycopg.connect(founded.database_url) as owner:
        owner.execute(put, [now, now - timedelta(hours=1), "waiting", None])
        owner.execute(put, [now, now, "failed", now])
    assert names(of_notices(founded, now)) == ["notices-late", "notices-failed"]
    assert names(of_notices(founded, now + timedelta(days=8))) == ["notices-late"]
    folder = spool_folder(founded)
    folder.mkdir(mode=0o700)
    (folder / "one.json").write_text("{}")
    (trap,) = [
        one
        for one in of_notices(founded, now + timedelta(days=8))
        if one.name == "notices-not-fetched"
    ]
    assert (trap.facts["files"], trap.facts["older"]) == (1, 1)
    for name, value in founded.environment().items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(app, ["notices", "status", "--json"])
    found = json.loads(told.stdout)
    assert (found["waiting"], found["failed"], found["files"]) == (1, 1, 1)
    kept = CliRunner().invoke(app, ["notices", "clear", "--days", "1", "--json"])
    assert (kept.exit_code, json.loads(kept.stdout)) == (0, {"removed": 0})
    cleared = CliRunner().invoke(app, ["notices", "clear", "--days", "0", "--json"])
    assert json.loads(cleared.stdout) == {"removed": 1}
    assert not list(folder.iterdir())


def test_a_policy_without_a_witness_is_named(founded, tmp_path):
    policy = tmp_path / "policy"
    policy.write_bytes(Policy().encode())
    found = names(of_log(founded.model_copy(update={"policy": policy}), now()))
    assert found[-1] == "no-witness"


def test_a_database_that_went_back_is_named(founded, tmp_path):
    """The secrets and the checkpoint of a log, beside a database that has none of it."""
    backups = Path(__file__).parents[1] / "golden" / "backups"
    with tarfile.open(min(backups.glob("*.tar.xz"))) as packed:
        packed.extractall(tmp_path, filter="data")
    data_dir = tmp_path / "secrets"
    shutil.copytree(tmp_path / "log" / "outside", data_dir / "outside")
    settings = founded.model_copy(update={"data_dir": data_dir})
    (trap,) = of_log(settings, now())
    assert (trap.name, trap.facts["found"]) == ("behind-the-signed", "EmptyDatabase")
    assert "vaxledger restore" in trap.fix_en
    migrate_all(settings.database_url, settings.keys_url)
    (trap,) = [one for one in of_log(settings, now()) if one.is_refused]
    assert trap.name == "behind-the-signed"


FIT_SERVER = ServerFacts(
    version=180_000, identity="1", database="log", user="vaxledger", is_superuser=False,
    is_tls=True, is_local=False, has_fsync=True, has_full_page_writes=True, has_checksums=True,
    retries_sync=False, is_utf8=True, connections=100, is_replica=False,
    checkpoint_seconds=900, has_pglz=False, clock=now(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "trap"),
    [
        ({}, None),
        ({"version": 150_004}, "old-database"),
        ({"is_replica": True}, "replica"),
        ({"is_tls": False}, "database-without-tls"),
        ({"is_tls": False, "is_local": True}, None),
        ({"has_full_page_writes": False}, "lazy-database"),
    ],
)
def test_what_a_server_says_of_itself_is_judged(change, trap):
    between = (FIT_SERVER.clock, FIT_SERVER.clock)
    found = [*of_server("log", replace(FIT_SERVER, **change), between)]
    assert names(found) == ([] if trap is None else [trap])
    assert all(one.is_refused and one.fix_zh and one.fix_en for one in found)


@pytest.mark.parametrize(
    ("change", "trap"),
    [
        ({"checkpoint_seconds": 300}, "frequent-checkpoints"),
        ({"has_pglz": True}, "slow-compression"),
    ],
)
def test_what_makes_a_server_slow_is_named_and_refuses_nothing(change, trap):
    between = (FIT_SERVER.clock, FIT_SERVER.clock)
    (found,) = of_server("log", replace(FIT_SERVER, **change), between)
    assert (found.name, found.is_refused) == (trap, False)


def machine_in(code, **environment):
    """What a process of its own finds at this machine after it ran some code."""
    look = (
        "from pathlib import Path; from bootstrap.diagnosis.of_machine import of_machine;"
        "from bootstrap.settings import Settings;"
        "print(*(trap.name for trap in of_machine(Settings(data_dir=Path('/none')))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{look}"],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_what_a_machine_lacks_is_named(tmp_path):
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))"
    gone = "import sys; sys.modules |= {'typst': None, 'tzdata': None}"
    nowhere = {"PYTHONTZPATH": "", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    lacking = {"few-files", "no-font", "no-time-zones", "metrics-in-files"}
    assert machine_in("") & lacking <= {"few-files"}
    assert machine_in(f"{few}\n{gone}", **nowhere) >= lacking


@pytest.mark.skipif(not Path("/dev/shm").is_mount(), reason="no file system in memory")
def test_a_data_directory_in_memory_is_named():
    assert "volatile-disk" in names(of_machine(Settings(data_dir=Path("/dev/shm"))))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_secrets_of_another_account_are_named(founded):
    os.chown(secrets_folder(founded) / "root", 12345, 12345)
    assert "foreign-secrets" in names(of_machine(founded))


def test_streams_that_are_parked_and_witnesses_that_fail_are_named(founded):
    migrate_all(founded.database_url, founded.keys_url)
    now = datetime.now(UTC)
    with psycopg.connect(founded.database_url) as owner:
        owner.execute("SET ROLE vaxledger_project")
        owner.execute(
            "INSERT INTO views.parked (name, stream, position, error)"
            " VALUES ('doses', gen_random_uuid(), 7, 'KeyError')"
        )
        owner.execute("RESET ROLE")
        owner.execute(
            "INSERT INTO ledger.witnesses (name, ask_after, failing_since, problem, alarm) VALUES"
            " ('w1', %(now)s, %(now)s, 'refused', 'forked'),"
            " ('w2', %(now)s, %(now)s, 'away', NULL)",
            {"now": now},
        )
    early = [*of_log(founded, now)]
    assert names(early) == ["parked-streams", "witness-disagrees", "own-witness-only"]
    assert early[0].facts == {"projection": "doses", "streams": 1}
    late = names(of_log(founded, now + timedelta(hours=2)))
    assert late == ["parked-streams", "witness-disagrees", "witness-silent", "own-witness-only"]


def test_old_key_encryption_keys_are_named(founded):
    migrate_all(founded.database_url, founded.keys_url)
    kek_folder(founded).make()
    found = names(of_log(founded, datetime.now(UTC) + timedelta(days=400)))
    assert found[:2] == ["old-key-encryption-key", "old-key-encryption-keys-kept"]


def test_secrets_that_others_may_read_are_named(founded):
    assert "readable-secrets" not in names(of_machine(founded))
    (secrets_folder(founded) / "root").chmod(0o640)
    (trap,) = [one for one in of_machine(founded) if one.name == "readable-secrets"]
    assert trap.is_refused
    assert trap.facts["files"] == [str(secrets_folder(founded) / "root")]


def test_a_trial_s_root_key_is_named_and_refused(founded):
    kept = secrets_folder(founded) / "root"
    (trap,) = [one for one in of_machine(founded) if one.name == "root-key-kept"]
    assert (trap.is_refused, trap.facts) == (True, {"file": str(kept)})
    assert kept.read_text().strip() not in repr(trap)
    with pytest.raises(UnfitForProductionError, match="vaxledger init, in another data directory"):
        refuse_unfit(founded.model_copy(update={"production": True}))


def test_the_command_lists_every_trap_with_its_fix_and_leaves_with_1(founded, monkeypatch):
    for name in ("data_dir", "database_url", "keys_url"):
        monkeypatch.setenv(f"VAXLEDGER_{name.upper()}", str(getattr(founded, name)))
    done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["sound"] is False
    found = [trap["name"] for trap in told["traps"]]
    assert {"development-issuer", "keys-beside-log", "not-migrated"} <= set(found)
    assert all(trap["fix_zh"] and trap["fix_en"] for trap in told["traps"])
    refused = [trap["is_refused"] for trap in told["traps"]]
    assert refused == sorted(refused, reverse=True), "what production refuses comes first"
    for_people = CliRunner().invoke(app, ["doctor"]).stdout
    assert all(name in for_people for name in found)
    assert {one.name for one in examine(founded, founded)} == set(found)
