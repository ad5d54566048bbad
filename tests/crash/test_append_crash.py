"""Nothing acknowledged is lost and nothing is stored twice, whoever dies at whatever moment."""

import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import psutil
import psycopg
import pytest

from bootstrap.embedded.postgres import EmbeddedPostgres
from bootstrap.migrate import MIGRATIONS, migrate
from ledger.entry import Author, Entry
from ledger.store.append import Append, Appended, Claim, NewEvent
from ledger.store.errors import ClockBehind, StoreUnavailable, VersionConflict
from ledger.store.writer import Writer

WAIT = 60
AUTHOR = UUID(int=7)


@pytest.fixture(scope="module")
def server(servers_dir) -> Iterator[EmbeddedPostgres]:
    """A server of its own: these tests kill it."""
    server = EmbeddedPostgres.start(servers_dir / "append-crash")
    yield server
    server.stop()


@pytest.fixture
def url(server) -> str:
    name = f"crash_{uuid4().hex[:8]}"
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER vaxledger")
    url = server.url(name, "vaxledger")
    migrate(url, MIGRATIONS / "log")
    return url


def submission(key: UUID, stream: UUID, version: int, *claims: Claim) -> Append:
    """What a client sends again and again under one key: decided anew, with the time of now."""
    entry = Entry(
        origin="log.example/crash",
        topic="a.b.v1",
        stream=stream,
        version=version,
        division="410225",
        recorded_at=datetime.now(UTC),
        author=Author(str(AUTHOR), "1" * 64, "2" * 64),
        data={"key": str(key)},
        sealed=(),
    )
    request = sha256(key.bytes).digest()
    return Append(AUTHOR, key, request, (NewEvent.of(entry),), claims=claims)


def insist(writer: Writer, key: UUID, stream: UUID, version: int) -> tuple[UUID, Appended]:
    """Submit until there is an answer; only those answers that say "try again" are tried again."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            return key, writer.submit(submission(key, stream, version)).result(WAIT)
        except (StoreUnavailable, ClockBehind):
            assert time.monotonic() < deadline


class Load:
    """Threads that each extend a stream of their own, one version after the other."""

    def __init__(self, writer: Writer, threads: int) -> None:
        self.acknowledged: list[tuple[UUID, Appended]] = []
        self._failures: list[BaseException] = []
        self._stop = threading.Event()
        self._writer = writer
        self._threads = [threading.Thread(target=self._extend) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _extend(self) -> None:
        stream, version = uuid4(), 0
        try:
            while not self._stop.is_set():
                version += 1
                self.acknowledged.append(insist(self._writer, uuid4(), stream, version))
        except BaseException as error:  # noqa: BLE001  shown by the test
            self._failures.append(error)

    def finish(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(WAIT)
        assert self._failures == []


def check_log(url: str, acknowledged: list[tuple[UUID, Appended]]) -> int:
    """Compare the log with what was acknowledged, return its size."""
    with psycopg.connect(url) as connection:
        entries = dict(
            connection.execute("SELECT position, leaf FROM ledger.entries", binary=True).fetchall()
        )
        keys = dict(
            connection.execute("SELECT key, first_position FROM ledger.idempotency").fetchall()
        )
        ((size,),) = connection.execute("SELECT size FROM ledger.head").fetchall()
        streams = connection.execute(
            "SELECT count(*), max(version) FROM ledger.entries GROUP BY stream"
        ).fetchall()
    assert sorted(entries) == list(range(1, size + 1))
    assert len(keys) == size
    assert all(count == newest for count, newest in streams)
    for key, appended in acknowledged:
        assert keys[key] == appended.first_position
        assert entries[appended.first_position] == appended.leaves[0]
    return size


def backend_of_writer(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'vaxledger-writer'"
        ).fetchall()
    return [pid for (pid,) in rows]


def kill_backend(server: EmbeddedPostgres, url: str) -> None:
    """Kills what the writer has now: it may be between two connections."""
    deadline = time.monotonic() + WAIT
    while True:
        for pid in backend_of_writer(url):
            if pid in {child.pid for child in psutil.Process(server.pid).children()}:
                with suppress(ProcessLookupError):  # it ended by itself
                    os.kill(pid, signal.SIGKILL)
                    return
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill_postmaster(server: EmbeddedPostgres, _: str) -> None:
    os.kill(server.pid, signal.SIGKILL)
    server.restart()


def stop_server(server: EmbeddedPostgres, _: str) -> None:
    os.kill(server.pid, signal.SIGINT)  # "fast" shutdown
    server.restart()


def terminate_backend(server: EmbeddedPostgres, url: str) -> None:
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        for pid in backend_of_writer(url):
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])


@pytest.mark.parametrize(
    "kill",
    [kill_backend, kill_postmaster, stop_server, terminate_backend],
    ids=["backend", "postmaster", "shutdown", "terminated"],
)
@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.long)])
def test_killing_the_server_under_load_loses_and_doubles_nothing(server, url, kill, times):
    chooser = random.Random(times)
    writer = Writer(url)
    load = Load(writer, threads=6)
    for _ in range(times):
        time.sleep(0.1 + chooser.random() * 0.3)
        retry(lambda: kill(server, url))
    before, deadline = len(load.acknowledged), time.monotonic() + WAIT
    while len(load.acknowledged) < before + 20:  # it goes on by itself
        assert time.monotonic() < deadline
        time.sleep(0.01)
    load.finish()
    writer.close()
    assert check_log(url, load.acknowledged) == len(load.acknowledged)


def retry(act: Callable[[], None]) -> None:
    """A server in recovery refuses us too."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            act()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


LOADING_PROCESS = textwrap.dedent(
    """
    import sys, uuid
    from importlib.machinery import SourceFileLoader
    from ledger.store.writer import Writer

    submission = SourceFileLoader("load", sys.argv[2]).load_module().submission
    writer, stream = Writer(sys.argv[1]), uuid.uuid4()
    for first in range(1, 1_000_000, 50):
        keys = [uuid.uuid4() for _ in range(50)]
        futures = [
            writer.submit(submission(key, stream, first + n)) for n, key in enumerate(keys)
        ]
        for key, future in zip(keys, futures):
            done = future.result(60)
            print(key, done.first_position, done.leaves[0].hex(), flush=True)
    """
)
FROZEN_PROCESS = textwrap.dedent(
    """
    import sys
    from ledger.store.transaction import open_connection

    connection = open_connection(sys.argv[1])
    connection.execute("BEGIN")
    connection.execute("SELECT size FROM ledger.head FOR UPDATE")
    print("locked", flush=True)
    sys.stdin.read()
    """
)
CHECKOUT = Path(__file__).parents[2]


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.long)])
def test_killing_the_writing_process_loses_and_doubles_nothing(url, times):
    chooser, acknowledged = random.Random(times), []
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", LOADING_PROCESS, url, __file__],
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        with process:
            lines = [process.stdout.readline()]
            time.sleep(chooser.random() * 0.3)
            process.kill()
            lines += process.stdout.readlines()
        for line in lines:
            if line.endswith("\n"):  # the last one may be cut off
                key, position, leaf = line.split()
                appended = Appended(int(position), 1, (bytes.fromhex(leaf),))
                acknowledged.append((UUID(key), appended))
    assert len(acknowledged) >= times
    assert check_log(url, acknowledged) >= len(acknowledged)


class Cutter:
    """A wire to the server that is cut at a commit: before it arrives, or before its answer does.

    Args:
        url: Of the server, through a socket directory.
        directory: Where our own socket lies.
    """

    def __init__(self, url: str, directory: Path) -> None:
        parsed = psycopg.conninfo.conninfo_to_dict(url)
        self._server = f"{parsed['host']}/.s.PGSQL.{parsed['port']}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{directory}/.s.PGSQL.5432")
        self._listener.listen()
        self.url = (
            f"postgresql://{parsed['user']}@/{parsed['dbname']}"
            f"?host={quote(str(directory), safe='')}&port=5432"
        )
        self.cut: str | None = None
        self.cuts = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            with client, server:
                self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, (server, "request"))
            selector.register(server, selectors.EVENT_READ, (client, "answer"))
            while True:
                for key, _ in selector.select():
                    target, direction = key.data
                    data = key.fileobj.recv(1 << 20)
                    if not data:
                        return
                    if b"COMMIT\0" in data and self.cut == direction:
                        self.cut = None
                        self.cuts += 1
                        return
                    target.sendall(data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def cutter(url, tmp_path_factory):
    cutter = Cutter(url, tmp_path_factory.mktemp("w"))
    yield cutter
    cutter.close()


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_a_commit_whose_fate_is_unknown_is_found_out_before_anyone_is_told(url, cutter, cut):
    writer = Writer(cutter.url)
    stream = uuid4()
    insist(writer, uuid4(), stream, 1)
    for version in range(2, 12):
        cutter.cut = cut
        claim = Claim("package-code", bytes([version]), stream)
        append = submission(uuid4(), stream, version, claim)
        appended = writer.submit(append).result(WAIT)
        # "answer": it was stored by the first attempt and found by the second, yet it is no replay.
        assert appended == Appended(version, 1, (append.events[0].leaf,), replayed=False)
    writer.close()
    assert cutter.cuts == 10
    assert check_log(url, []) == 11


POINTS = ("head locked", "batch written", "batch committed")


@pytest.mark.parametrize("error", [psycopg.OperationalError, RuntimeError])
@pytest.mark.parametrize("point", POINTS)
def test_whatever_the_point_each_of_a_batch_is_stored_once_and_told_so(url, point, error):
    """Failed and not persisted, or failed but persisted; known to pass, or never seen before."""
    reached = []

    def at(here: str) -> None:
        reached.append(here)
        if here == point and reached.count(here) == 3:  # the first two batches have one each
            raise error

    writer = Writer(url, at=at)
    insist(writer, uuid4(), uuid4(), 1)
    with psycopg.connect(url) as holder:
        holder.execute("SELECT size FROM ledger.head FOR UPDATE")
        first = writer.submit(submission(uuid4(), uuid4(), 1))
        while not first.running():
            time.sleep(0.001)
        streams = [uuid4() for _ in range(3)]
        claims = [Claim("package-code", stream.bytes, stream) for stream in streams]
        batch = [
            writer.submit(submission(uuid4(), stream, 1, claim))
            for stream, claim in zip(streams, claims, strict=True)
        ]
    answers = [future.result(WAIT) for future in (first, *batch)]
    writer.close()
    assert [answer.first_position for answer in answers] == [2, 3, 4, 5]
    assert reached.count(point) >= 4
    assert check_log(url, []) == 5


@pytest.mark.parametrize("cut", ["request", "answer"])
def test_losers_of_a_batch_in_doubt_are_told_so_after_all(url, cutter, cut):
    writer = Writer(cutter.url)
    stream = uuid4()
    insist(writer, uuid4(), stream, 1)
    with psycopg.connect(url) as holder:
        holder.execute("SELECT size FROM ledger.head FOR UPDATE")
        first = writer.submit(submission(uuid4(), uuid4(), 1))
        while not first.running():
            time.sleep(0.001)
        won, lost = (writer.submit(submission(uuid4(), stream, 2)) for _ in range(2))
    first.result(WAIT)
    cutter.cut = cut  # may be before or after their commit; both must end the same
    assert won.result(WAIT).first_position == 3
    assert isinstance(lost.exception(WAIT), VersionConflict)
    writer.close()
    assert check_log(url, []) == 3


def test_past_the_deadline_the_answer_is_that_it_is_not_known_and_never_a_success(url):
    writer = Writer(url, patience=0.7)
    insist(writer, uuid4(), uuid4(), 1)
    key, stream = uuid4(), uuid4()
    with psycopg.connect(url) as holder:
        holder.execute("SELECT size FROM ledger.head FOR UPDATE")
        flying = writer.submit(submission(key, stream, 1))
        while not flying.running():
            time.sleep(0.001)
        waiting = writer.submit(submission(uuid4(), uuid4(), 1))
        assert flying.exception(WAIT).in_doubt
        assert not waiting.exception(WAIT).in_doubt
    # It was on its way when its caller gave up. The same key brings the truth.
    _, appended = insist(writer, key, stream, 1)
    writer.close()
    assert check_log(url, [(key, appended)]) == 2


def test_without_a_server_everyone_is_told_in_time_and_afterwards_it_goes_on(server, url):
    writer = Writer(url, patience=1.0)
    insist(writer, uuid4(), uuid4(), 1)
    family = psutil.Process(server.pid).children()
    os.kill(server.pid, signal.SIGKILL)
    assert psutil.wait_procs(family, WAIT)[1] == []  # its backends outlive it by a moment
    futures = [writer.submit(submission(uuid4(), uuid4(), 1)) for _ in range(50)]
    errors = {type(future.exception(WAIT)) for future in futures}
    assert errors == {StoreUnavailable}
    server.restart()
    insist(writer, uuid4(), uuid4(), 1)
    writer.close()
    assert check_log(url, []) == 2


def test_a_process_frozen_with_the_head_lock_holds_up_the_others_only_for_seconds(url):
    frozen = subprocess.Popen(
        [sys.executable, "-c", FROZEN_PROCESS, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
    )
    with frozen:
        assert frozen.stdout.readline() == b"locked\n"
        frozen.send_signal(signal.SIGSTOP)
        writer = Writer(url, patience=WAIT)
        writer.submit(submission(uuid4(), uuid4(), 1)).result(WAIT)
        frozen.kill()
    writer.close()
