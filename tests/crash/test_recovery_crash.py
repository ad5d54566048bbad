"""An old backup is restored: what was lost comes back exactly, whoever dies at whatever moment."""

import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bootstrap.copies import FileCopies, FirstOf
from client.copying import LogCopy
from client.sources import FolderSource, StoreSource
from client.trust import Trust
from ledger.checkpoint import Checkpoint, LogSigner, verify_checkpoint
from ledger.entry import Author, Entry, Seal
from ledger.envelope import keyid_of, sign_payload
from ledger.statement import Statement
from ledger.store import recovery, refilling
from ledger.store.append import Append, Blob, Claim, NewEvent
from ledger.store.connections import open_pool
from ledger.store.errors import Forked, OutsideFileMissing, RolledBack, WritesHalted
from ledger.store.integration import Integrator
from ledger.store.lost import Terms
from ledger.store.reading import ROLE, LogReader
from ledger.store.recovery import Recovery, refuse_behind
from ledger.store.recovery_errors import CopiesDiffer, NothingSigned, PartsRunning, TailMissing
from ledger.store.writer import Writer
from tests.leading import lead

ORIGIN = "log.example/recovery"
SIGNER = LogSigner(ORIGIN, b"e" * 32, b"m" * 32)
KEYS = SIGNER.verifier_keys()
KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
ORGANISATION = UUID(int=7)
TABLES = ("head", "entries", "envelopes", "idempotency", "claims", "blobs", "tiles")


class Crash(BaseException):
    """Stands for the death of the process: nothing after the point happens."""


def signed_event(key: UUID, data: dict, blob: bytes | None) -> tuple[NewEvent, bytes]:
    """An event with its author's envelope, and one sealed value."""
    stream, subject = uuid4(), uuid4()
    commitments = {subject: "0" * 64} if blob else {}
    statement = Statement(ORIGIN, key, "a.b.v1", stream, 0, data, commitments)
    envelope = sign_payload(statement.encode(), KEY).encode()
    keyid = keyid_of(KEY.public_key().public_bytes_raw())
    entry = Entry(
        origin=ORIGIN,
        topic="a.b.v1",
        stream=stream,
        version=1,
        division="410225",
        recorded_at=datetime.now(UTC),
        author=Author(str(ORGANISATION), keyid, sha256(envelope).hexdigest()),
        data=data,
        sealed=(Seal(str(subject), sha256(blob).hexdigest()),) if blob else (),
    )
    return NewEvent.of(entry), envelope


def submission(number: int) -> Append:
    """One in three has an effect of the same write; one in five claims, the next gives it back."""
    key, blob = uuid4(), uuid4().bytes
    claim = number // 5
    data = {"claim": claim} if number % 5 == 0 else {"release": claim} if number % 5 == 1 else {}
    signed = [signed_event(key, data, blob)]
    if number % 3 == 0:
        signed.append(signed_event(key, {}, None))
    events, envelopes = zip(*signed, strict=True)
    subject = UUID(Entry.decode(events[0].entry).sealed[0].subject)
    return Append(
        author=ORGANISATION,
        key=key,
        request=sha256(
            Statement.encode(
                Statement(ORIGIN, key, "a.b.v1", events[0].stream, 0, data, {subject: "0" * 64})
            )
        ).digest(),
        events=events,
        claims=tuple(
            claims_of([(0, Entry.decode(events[0].entry))])[0][at][1] for at in range(bool(data))
        ),
        envelopes=envelopes,
        blobs=(Blob(subject, blob, 0),),
    )


def claims_of(entries):
    """Claims are about one stream, so that the next submission may release what it took."""
    found = []
    for position, entry in entries:
        for name in ("claim", "release"):
            if name in entry.data:
                key = entry.data[name].to_bytes(4, "big")
                found.append((position, Claim("n", key, UUID(int=9), release=name == "release")))
    return found, []


def request_of(_entry: Entry, payload: bytes) -> bytes:
    return sha256(payload).digest()


def integrate(url: str, outside: Path) -> None:
    integrator = Integrator(url, lambda: [SIGNER], outside)
    lead(integrator)
    while integrator.round():
        pass
    integrator.close()


def append(url: str, numbers: range) -> None:
    writer = Writer(url)
    try:
        for number in numbers:
            last = writer.submit(submission(number))
        last.result(60)
    finally:
        writer.close()


def content(url: str) -> dict[str, list[tuple]]:
    """Everything that must be as it was."""
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(
                f"SELECT t.*::text FROM ledger.{table} t ORDER BY 1"
            ).fetchall()
            for table in TABLES
        }


@dataclass
class World:
    """A log, a backup of its youth, its newest checkpoint, and copies of it."""

    url: str
    backup: str
    note: bytes
    export: Path
    content: dict[str, list[tuple]]
    clone: Callable[[str], str]

    @property
    def size(self) -> int:
        return verify_checkpoint(self.note, KEYS, ORIGIN).size


@pytest.fixture(scope="module")
def world(migrated_database, postgres, tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("world")
    url, outside = migrated_database().log, folder / "checkpoint"

    def clone(source: str) -> str:
        parts = psycopg.conninfo.conninfo_to_dict(source)
        name = f"clone_{uuid4().hex[:8]}"
        with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {parts['dbname']} OWNER vaxledger")
        return postgres.url(name, "vaxledger")

    append(url, range(200))
    integrate(url, outside)
    append(url, range(200, 205))  # some wait for their checkpoint when the backup is taken
    backup = clone(url)
    append(url, range(205, 450))
    integrate(url, outside)
    with open_pool(url, ROLE, size=2) as pool:
        source = StoreSource(LogReader(pool))
        LogCopy(folder / "export", Trust.of_keys(KEYS), sealed=True).extend(source)
    return World(url, backup, outside.read_bytes(), folder / "export", content(url), clone)


@pytest.fixture
def restored(world) -> str:
    return world.clone(world.backup)


@pytest.fixture
def outside(world, tmp_path) -> Path:
    path = tmp_path / "outside" / "checkpoint"
    path.parent.mkdir()
    path.write_bytes(world.note)
    return path


@pytest.fixture(autouse=True)
def small_steps(monkeypatch):
    """So that each step is taken several times."""
    monkeypatch.setattr(refilling, "WRITTEN_AT_ONCE", 90)
    monkeypatch.setattr(refilling, "_CLAIMED_AT_ONCE", 90)
    monkeypatch.setattr(recovery, "ROUND_ENTRIES", 90)


def recover(url: str, outside: Path, *sources, notes=(), at=lambda _: None):
    """Recover as soon as the server has noticed that others are gone."""
    until_alone(url)
    return recover_now(url, outside, *sources, notes=notes, at=at)


def recover_now(url: str, outside: Path, *sources, notes=(), at=lambda _: None):
    copies = FirstOf([FileCopies(source) for source in sources])
    terms = Terms(ORIGIN, KEYS, outside, notes)
    with Recovery(url, terms, copies, request_of, at=at) as running:
        survey = running.survey()
        running.refill(survey)
        assert running.reclaim(survey, claims_of) == []
        running.finish(survey, datetime.now(UTC))
    return survey


def is_halted(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT count(*) FROM ledger.halt").fetchone() != (0,)


def check_back(url: str, outside: Path, world: World) -> None:
    """The log is as it was: an integrator leads it again, and finds nothing to do."""
    assert content(url) == world.content
    assert not is_halted(url)
    integrate(url, outside)
    assert verify_checkpoint(outside.read_bytes(), KEYS, ORIGIN).size == world.size


def check_goes_on(url: str, outside: Path, world: World) -> None:
    """The log is as it was, and continues under the same origin."""
    check_back(url, outside, world)
    append(url, range(1_000, 1_003))
    integrate(url, outside)
    assert verify_checkpoint(outside.read_bytes(), KEYS, ORIGIN).size > world.size
    with open_pool(url, ROLE, size=2) as pool:
        copied = LogCopy(outside.parent / "copy", Trust.of_keys(KEYS)).extend(
            StoreSource(LogReader(pool))
        )
    assert copied.size > world.size


def test_a_restored_backup_is_refused_with_the_way_out(world, restored, outside):
    with pytest.raises(RolledBack, match="vaxledger log recover") as refused:
        Integrator(restored, lambda: [SIGNER], outside).start()
    assert refused.value.signed == world.size
    assert not is_halted(restored)
    with pytest.raises(RolledBack):
        refuse_behind(restored, Terms(ORIGIN, KEYS, outside))
    with pytest.raises(WritesHalted, match="RolledBack"):
        append(restored, range(1))
    refuse_behind(world.url, Terms(ORIGIN, KEYS, outside))
    assert not is_halted(world.url)


def test_an_integrator_that_finds_a_restored_backup_lets_nobody_write(world, restored, outside):
    with pytest.raises(RolledBack):
        Integrator(restored, lambda: [SIGNER], outside).run(threading.Event())
    with pytest.raises(WritesHalted):
        append(restored, range(1))
    until_alone(restored)
    recover(restored, outside, FolderSource(world.export))
    check_goes_on(restored, outside, world)


def test_a_writer_looks_outside_before_each_connection(world, restored, outside):
    def look() -> None:
        with suppress(RolledBack):
            refuse_behind(restored, Terms(ORIGIN, KEYS, outside))

    writer = Writer(restored, look=look)
    with pytest.raises(WritesHalted, match="RolledBack"):
        writer.submit(submission(0)).result(60)
    writer.close()


def test_an_export_brings_everything_back(world, restored, outside):
    survey = recover(restored, outside, FolderSource(world.export))
    assert (survey.signed, survey.lost) == (world.size, world.size - survey.entries)
    assert survey.integrated < survey.entries < survey.signed
    assert survey.no_envelope == survey.no_answer == survey.no_blob == ()
    check_goes_on(restored, outside, world)


def test_an_empty_database_is_filled_from_the_first_entry(world, migrated_database, outside):
    url = migrated_database().log
    recover(url, outside, FolderSource(world.export))
    check_back(url, outside, world)


POINTS = (
    "entries written",
    "entries put back",
    "claims put back",
    "tiles written",
    "tiles put back",
    "checkpoint adopted",
    "recovered",
    "writes let in",
)


@pytest.mark.parametrize(
    ("point", "passed"),
    [*((point, 0) for point in POINTS), ("entries put back", 1), ("tiles put back", 1)],
)
def test_whatever_the_point_the_next_run_completes_it(world, restored, outside, point, passed):
    seen = 0

    def at(reached: str) -> None:
        nonlocal seen
        seen += reached == point
        if seen > passed:
            raise Crash

    source = FolderSource(world.export)
    with pytest.raises(Crash):
        recover(restored, outside, source, at=at)
    assert outside.read_bytes() == world.note
    assert is_halted(restored) == (point != "writes let in")
    recover(restored, outside, source)
    check_back(restored, outside, world)


CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from datetime import UTC, datetime
    from importlib.machinery import SourceFileLoader
    from pathlib import Path

    test = SourceFileLoader("recovering", sys.argv[1]).load_module()
    url, outside, export, point = sys.argv[2:]
    test.refilling.WRITTEN_AT_ONCE = test.refilling._CLAIMED_AT_ONCE = 90
    test.recovery.ROUND_ENTRIES = 90

    def at(reached):
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    test.recover(url, Path(outside), test.FolderSource(Path(export)), at=at)
    """
)


def until_alone(url: str) -> None:
    """Wait until the server has noticed the death of its clients."""
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.parametrize(
    "point",
    ["entries put back", *(pytest.param(point, marks=pytest.mark.long) for point in POINTS)],
)
def test_a_recovery_that_was_killed_is_completed_by_the_next(world, restored, outside, point):
    child = subprocess.run(
        [
            sys.executable, "-W", "ignore", "-c", CHILD, __file__,
            restored, str(outside), str(world.export), point,
        ],
        cwd=Path(__file__).parents[2], check=False, timeout=120,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    until_alone(restored)
    recover(restored, outside, FolderSource(world.export))
    check_back(restored, outside, world)


class EntriesOnly:
    """What the feed has: entries, and nothing that hangs on them."""

    def __init__(self, export: Path) -> None:
        self._files = FileCopies(FolderSource(export))

    def read(self, first: int, count: int):
        found = self._files.read(first, count)
        return [replace(lost, envelope=None, blobs={}) for lost in found]


def test_from_the_feed_alone_it_is_said_what_stays_lost(world, restored, outside):
    terms = Terms(ORIGIN, KEYS, outside)
    with Recovery(restored, terms, EntriesOnly(world.export), request_of) as running:
        survey = running.survey()
        lost = range(survey.entries + 1, world.size + 1)
        assert survey.no_envelope == survey.no_answer == tuple(lost)
        assert {position for position, _ in survey.no_blob} < set(lost)
        running.refill(survey)
        running.reclaim(survey, claims_of)
        running.finish(survey, datetime.now(UTC))
    found = content(restored)
    for table in ("head", "entries", "claims", "tiles"):
        assert found[table] == world.content[table]
    integrate(restored, outside)


def test_a_lost_file_is_written_again_from_a_checkpoint_that_somebody_kept(world, outside):
    url = world.clone(world.url)
    outside.unlink()
    with pytest.raises(OutsideFileMissing, match="vaxledger log recover"):
        Integrator(url, lambda: [SIGNER], outside).start()
    recover(url, outside, notes=[world.note])
    check_back(url, outside, world)


def test_without_any_checkpoint_nothing_can_be_compared(migrated_database, tmp_path):
    url = migrated_database().log
    with pytest.raises(NothingSigned):
        recover(url, tmp_path / "checkpoint")


def test_an_export_that_ends_too_early_is_named_with_the_first_missing_position(
    world, restored, outside
):
    before = content(restored)
    with pytest.raises(TailMissing) as refused:
        recover(restored, outside)
    assert refused.value.position == len(before["entries"]) + 1
    assert content(restored) == before


def test_one_altered_entry_in_the_copy_and_nothing_is_written(world, restored, outside, tmp_path):
    shutil.copytree(world.export, tmp_path / "bent")
    bundle = next((tmp_path / "bent/tile/entries").glob("002.p/*"))
    raw = bundle.read_bytes()
    bundle.write_bytes(raw.replace(b'"division":"410225"', b'"division":"410224"', 1))
    before = content(restored)
    with pytest.raises(CopiesDiffer):
        recover(restored, outside, FolderSource(tmp_path / "bent"))
    assert content(restored) == before


def test_a_bent_envelope_or_blob_counts_as_missing(world, restored, outside, tmp_path):
    shutil.copytree(world.export, tmp_path / "bent")
    for path in sorted((tmp_path / "bent/blobs").rglob("*"))[-1:]:
        path.write_bytes(b"another")
        bent = path.name
    terms = Terms(ORIGIN, KEYS, outside)
    copies = FileCopies(FolderSource(tmp_path / "bent"))
    for path in (tmp_path / "bent/envelopes").rglob("*"):
        if path.is_file() and path.parent.name == "002.p":
            path.write_bytes(path.read_bytes()[:-1] + b"?")  # the last one's last byte
    with Recovery(restored, terms, copies, request_of) as running:
        survey = running.survey()
    assert survey.no_envelope == (world.size,)
    assert [digest for _, digest in survey.no_blob] in ([bent], [])  # perhaps it was not lost


def test_entries_that_were_appended_to_the_restored_database_are_a_fork(world, restored, outside):
    append(restored, range(2_000, 2_002))
    before = content(restored)
    with pytest.raises(Forked) as refused:
        recover(restored, outside, FolderSource(world.export))
    with psycopg.connect(world.backup) as connection:
        ((backed_up,),) = connection.execute("SELECT size FROM ledger.head").fetchall()
    assert refused.value.size == backed_up + 1
    assert content(restored) == before


def test_two_signed_checkpoints_of_one_size_are_a_fork(world, restored, outside):
    other = SIGNER.sign(Checkpoint(ORIGIN, world.size, b"r" * 32), 1)
    with pytest.raises(Forked):
        recover(restored, outside, FolderSource(world.export), notes=[other])


def test_a_checkpoint_of_an_older_fork_is_found_in_the_database(world, restored, outside):
    other = SIGNER.sign(Checkpoint(ORIGIN, 17, b"r" * 32), 1)
    with pytest.raises(Forked) as refused:
        recover(restored, outside, FolderSource(world.export), notes=[other])
    assert refused.value.size == 17


def test_a_checkpoint_under_another_key_counts_for_nothing(world, restored, outside):
    stranger = LogSigner(ORIGIN, b"x" * 32, b"y" * 32)
    with pytest.raises(Forked, match="not signed by this log"):
        recover(restored, outside, notes=[stranger.sign(Checkpoint(ORIGIN, 9, b"r" * 32), 1)])


def test_it_waits_for_nobody_who_works_on_the_log(world, restored, outside):
    source = FolderSource(world.export)
    integrator = Integrator(restored, lambda: [SIGNER], outside.with_name("other"))
    with pytest.raises(OutsideFileMissing):
        lead(integrator)
    with psycopg.connect(restored, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [recovery.LEADER_LOCK])
        with pytest.raises(PartsRunning):
            recover_now(restored, outside, source)
    with (
        psycopg.connect(restored, application_name="vaxledger-writer"),
        pytest.raises(PartsRunning),
    ):
        recover_now(restored, outside, source)
    recover(restored, outside, source)
