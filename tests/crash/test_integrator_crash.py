"""The integrator dies at each of its points; the next start finds one of two states and goes on."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.checkpoint import LogSigner, verify_checkpoint
from ledger.frontier import root
from ledger.merkle import leaf_hash
from ledger.store.append import Append, NewEvent
from ledger.store.errors import SigningKeyMissing, TamperFound, WritesHalted
from ledger.store.integration import Integrator
from ledger.store.writer import Writer
from tests.leading import lead

ORIGIN = "log.example/crash"
SIGNER = LogSigner(ORIGIN, b"e" * 32, b"m" * 32)

BEFORE_COMMIT = ("entries read", "tiles written", "tiles verified", "signed", "committing")
AFTER_COMMIT = ("committed", "file written", "file renamed", "file replaced", "published")
POINTS = BEFORE_COMMIT + AFTER_COMMIT


class Crash(BaseException):
    """Stands for the death of the process: nothing after the point happens."""


@pytest.fixture(scope="module")
def url(migrated_database) -> str:
    return migrated_database().log


@pytest.fixture(scope="module")
def outside(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("outside") / "checkpoint"


@pytest.fixture(scope="module")
def fill(url):
    writer = Writer(url)

    def fill(count: int) -> None:
        now = datetime.now(UTC)
        raws = [f"entry {uuid4()}".encode() for _ in range(count)]
        events = tuple(
            NewEvent(uuid4(), 1, "a.b.v1", "410225", now, raw, leaf_hash(raw)) for raw in raws
        )
        writer.submit(Append(UUID(int=1), uuid4(), bytes(32), events)).result(60)

    yield fill
    writer.close()


@pytest.fixture
def state(url, outside) -> Callable[[], tuple[int, int, int]]:
    """Sizes: in the database, in the file, published; each root checked against all entries."""

    def state() -> tuple[int, int, int]:
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT entry FROM ledger.entries ORDER BY position", binary=True
            ).fetchall()
            ((size, note, published, published_note),) = connection.execute(
                "SELECT size, note, published, published_note FROM ledger.checkpoint", binary=True
            ).fetchall()
        leaves = [leaf_hash(raw) for (raw,) in rows]
        sizes = []
        for one in (note, outside.read_bytes(), published_note):
            checkpoint = verify_checkpoint(one, SIGNER.verifier_keys(), ORIGIN)
            assert checkpoint.root == root(leaves[: checkpoint.size])
            sizes.append(checkpoint.size)
        assert (sizes[0], sizes[2]) == (size, published)
        return tuple(sizes)

    return state


class Strike:
    """Crashes at a point, once it is armed: starting passes some of the points too."""

    def __init__(self, point: str) -> None:
        self._point = point
        self.armed = False

    def __call__(self, reached: str) -> None:
        if self.armed and reached == self._point:
            raise Crash


@pytest.mark.parametrize("point", POINTS)
def test_whatever_the_point_nothing_goes_back_and_the_next_start_carries_on(
    url, outside, fill, state, point
):
    steady = Integrator(url, lambda: [SIGNER], outside)
    lead(steady)
    while steady.round():
        pass
    steady.close()
    old, _, _ = state()
    fill(300)  # crosses a tile now and then

    strike = Strike(point)
    crashing = Integrator(url, lambda: [SIGNER], outside, at=strike)
    lead(crashing)
    strike.armed = True
    with pytest.raises(Crash):
        crashing.round()
    crashing.close()
    database, file, published = state()
    # Failed and not persisted, or failed but persisted; readers never run ahead of the file, nor
    # the file of the database.
    assert database == (old if point in BEFORE_COMMIT else old + 300)
    assert file == (old + 300 if point in AFTER_COMMIT[2:] else old)
    assert published == (old + 300 if point == "published" else old)

    lead(steady)
    assert state() == (database,) * 3
    fill(5)
    assert sum(iter(steady.round, 0)) == old + 305 - database
    steady.close()
    assert state() == (old + 305,) * 3


@pytest.mark.parametrize("point", ["file written", "file renamed", "file replaced"])
def test_a_crash_while_the_log_is_founded_leaves_it_to_be_founded(
    migrated_database, tmp_path, point
):
    url, outside = migrated_database().log, tmp_path / "checkpoint"
    strike = Strike(point)
    strike.armed = True
    with pytest.raises(Crash):
        Integrator(url, lambda: [SIGNER], outside, at=strike).start()
    integrator = Integrator(url, lambda: [SIGNER], outside)
    lead(integrator)
    integrator.close()
    note = outside.read_bytes()
    assert verify_checkpoint(note, SIGNER.verifier_keys(), ORIGIN).size == 0


CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from ledger.checkpoint import LogSigner
    from ledger.store.integration import Integrator

    url, outside, point = sys.argv[1:]

    started = False

    def at(reached):
        if started and reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    signer = LogSigner("log.example/crash", b"e" * 32, b"m" * 32)
    integrator = Integrator(url, lambda: [signer], Path(outside), at=at)
    started = integrator.start()
    integrator.round()
    """
)


@pytest.mark.parametrize(
    "point",
    [
        "tiles written", "committed", "file renamed",
        *(pytest.param(point, marks=pytest.mark.long) for point in POINTS),
    ],
)  # fmt: skip
def test_a_process_killed_at_a_point_is_followed_by_one_that_carries_on(
    url, outside, fill, state, point
):
    steady = Integrator(url, lambda: [SIGNER], outside)
    lead(steady)
    while steady.round():
        pass
    steady.close()
    old, _, _ = state()
    fill(40)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, url, str(outside), point],
        cwd=Path(__file__).parents[2], check=False, timeout=120,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    database, file, published = state()
    assert database >= file >= published >= old
    lead(steady)
    sum(iter(steady.round, 0))
    steady.close()
    assert state() == (old + 40,) * 3


def test_the_loss_of_its_connection_in_a_round_is_overcome_by_the_loop(url, outside, fill, state):
    victims = []

    def terminate(point: str) -> None:
        if point == "signed" and not victims:
            victims.append(integrator._connection.info.backend_pid)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", victims)

    stop = threading.Event()
    integrator = Integrator(url, lambda: [SIGNER], outside, at=terminate)
    thread = threading.Thread(target=integrator.run, args=(stop,))
    fill(10)
    thread.start()
    with psycopg.connect(url) as connection:
        ((size,),) = connection.execute("SELECT size FROM ledger.head").fetchall()
    deadline = time.monotonic() + 60
    while state() != (size,) * 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stop.set()
    thread.join(60)
    assert len(victims) == 1


@pytest.fixture
def tampered(migrated_database, tmp_path) -> tuple[str, Path, Writer]:
    """A log with an entry that was changed before it was signed."""
    url, outside = migrated_database().log, tmp_path / "checkpoint"
    writer = Writer(url)
    writer.submit(some_append()).result(60)
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE ledger.entries SET entry = entry || 'x'")
    yield url, outside, writer
    writer.close()


def some_append() -> Append:
    raw = f"entry {uuid4()}".encode()
    event = NewEvent(uuid4(), 1, "a.b.v1", "410225", datetime.now(UTC), raw, leaf_hash(raw))
    return Append(UUID(int=1), uuid4(), bytes(32), (event,))


def test_a_log_that_was_found_altered_takes_no_entry_from_any_process(tampered):
    url, outside, writer = tampered
    with pytest.raises(TamperFound):
        Integrator(url, lambda: [SIGNER], outside).run(threading.Event())
    for appending in (writer, Writer(url)):
        with pytest.raises(WritesHalted, match="TamperFound"):
            appending.submit(some_append()).result(60)
    appending.close()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT size FROM ledger.head").fetchone() == (1,)


@pytest.mark.parametrize("point", ["halting", "halted"])
def test_a_crash_beside_the_mark_leaves_it_or_lets_the_next_start_make_it(tampered, point):
    url, outside, writer = tampered
    strike = Strike(point)
    strike.armed = True
    with pytest.raises(Crash):
        Integrator(url, lambda: [SIGNER], outside, at=strike).run(threading.Event())
    with psycopg.connect(url) as connection:
        marks = connection.execute("SELECT kind FROM ledger.halt").fetchall()
    assert marks == ([("TamperFound",)] if point == "halted" else [])
    with pytest.raises(TamperFound):
        Integrator(url, lambda: [SIGNER], outside).run(threading.Event())
    with pytest.raises(WritesHalted):
        writer.submit(some_append()).result(60)


def test_a_signing_key_that_is_missing_halts_no_writes(tampered, monkeypatch):
    url, outside, writer = tampered
    integrator = Integrator(url, lambda: [SIGNER], outside)

    def missing() -> bool:
        raise SigningKeyMissing(1, "0" * 8)

    monkeypatch.setattr(integrator, "start", missing)
    with pytest.raises(SigningKeyMissing):
        integrator.run(threading.Event())
    assert writer.submit(some_append()).result(60).first_position == 2
