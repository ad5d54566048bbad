"""What was signed is lost for good: a new origin adopts the survivors, whoever dies meanwhile."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from bootstrap.copies import FileCopies, FirstOf
from bootstrap.folders import outside_path
from bootstrap.fsck import inspect
from bootstrap.halting import refuse_halted
from bootstrap.log_keys import log_signers, log_terms
from bootstrap.recovery import LossesNotAccepted, Plan, recover, resume
from bootstrap.settings import Settings
from bootstrap.shred_list import shred_list
from bootstrap.succession import successor_of
from bootstrap.wiring import Parts, signing_keys, wire
from client.copying import LogCopy
from client.sources import FolderSource, StoreSource
from client.trust import Trust
from client.verify import Extent, verify_log
from commands.reading import Change
from commands.reclaiming import Reclaiming, request_of
from ledger.checkpoint import Checkpoint, verify_checkpoint
from ledger.entry import Entry
from ledger.log_keys import LogKeys
from ledger.store.errors import RolledBack, WritesHalted
from ledger.store.integration import Integrator
from ledger.store.recovery import Recovery
from ledger.store.recovery_errors import OriginUnusable, OtherOrigin, SuccessionNotNeeded
from ledger.store.shred_list import Shred
from ledger.succession import SUCCEEDED
from tests.conftest import Databases
from tests.founded import founded
from tests.integration.commands.conftest import Author, dose, registration
from tests.leading import lead
from tests.second.notes import TreeHead
from tests.second.trust import Trust as SecondTrust
from tests.second.verifier import Given, verify
from tests.tamper.both_verifiers import SCHEMAS
from tests.tamper.test_second_on_installation import write_everything

NEW = "ledger.example.cn/vax/kaifeng-2"


class Crash(BaseException):
    """Stands for the death of the process: nothing after the point happens."""


@dataclass
class World:
    """An installation that lost its newest entries.

    Attributes:
        settings: With the old origin; data directory and database are the restored ones.
        export: A copy that ends before the newest checkpoint.
        clinic: Who writes.
        known: Checkpoints that were signed: in the backup, of the export, the newest.
        survivors: How many entries the backup has.
    """

    settings: Settings
    export: Path
    clinic: Author
    known: tuple[Checkpoint, ...]
    survivors: int

    def moved(self) -> Settings:
        return self.settings.model_copy(update={"origin": NEW})


def integrate(settings: Settings) -> Checkpoint:
    assert settings.database_url is not None
    outside = outside_path(settings)
    integrator = Integrator(settings.database_url, log_signers(settings), outside)
    lead(integrator)
    while integrator.round():
        pass
    integrator.close()
    return verify_checkpoint(outside.read_bytes(), log_terms(settings).keys, settings.origin)


def again(clinic: Author, parts: Parts) -> Author:
    """The clinic, as it writes to an installation that was started again."""
    return Author(parts, clinic.organisation, clinic.key, clinic.principal)


def write_child(clinic: Author) -> UUID:
    draft, child = registration(clinic)
    clinic.submit(draft)
    clinic.submit(dose(clinic, draft.stream, child, 1))
    return draft.stream


@pytest.fixture(scope="module")
def lost(
    migrated_database: Callable[[], Databases],
    postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Path], World]:
    """A factory: each call restores the old backup beside what remembers more."""
    folder = tmp_path_factory.mktemp("lost")
    urls = migrated_database()

    def clone(source: str) -> str:
        parts = psycopg.conninfo.conninfo_to_dict(source)
        name = f"clone_{uuid4().hex[:8]}"
        with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {parts['dbname']} OWNER vaxledger")
        return str(postgres.url(name, "vaxledger"))

    with founded(urls, folder / "data") as parts:
        clinic = write_everything(parts)
        first = integrate(parts.settings)
        write_child(clinic)
        survivors = parts.journal.recorder.max_notification_id()
    backup = clone(urls.log)
    with wire(parts.settings) as parts:
        clinic = again(clinic, parts)
        write_child(clinic)
        second = integrate(parts.settings)
        trust = Trust.of_keys(signing_keys(parts))
        LogCopy(folder / "export", trust, sealed=True).extend(StoreSource(parts.reader))
        write_child(clinic)
        third = integrate(parts.settings)

    def restore(to: Path) -> World:
        shutil.copytree(folder / "data", to / "data")
        changed = {"data_dir": to / "data", "database_url": clone(backup)}
        settings = parts.settings.model_copy(update=changed)
        return World(settings, folder / "export", clinic, (first, second, third), survivors)

    return restore


@pytest.fixture
def world(lost: Callable[[Path], World], tmp_path: Path) -> World:
    return lost(tmp_path)


def plan(world: World, **changes) -> Plan:
    exports = [FolderSource(world.export)]
    given = {"exports": exports, "has_feed": False, "accepts_losses": True, "new_origin": NEW}
    return Plan(**given | changes)


def until_alone(world: World) -> None:
    """Wait until the server has noticed that whoever worked on the log is gone."""
    deadline = time.monotonic() + 60
    with psycopg.connect(world.settings.database_url, autocommit=True) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'vaxledger-writer'"
        ).fetchone() != (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def go_on(world: World, **changes):
    until_alone(world)
    return recover(world.settings, plan(world, **changes), lambda _done, _size: None)


@contextmanager
def running(world: World) -> Iterator[Parts]:
    """The installation under its new name, started as its parts start it."""
    settings = world.moved()
    refuse_halted(settings)
    integrate(settings)
    with wire(settings) as parts:
        yield parts


def findings(parts: Parts) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    inspect(parts, lambda one: found.append((one.kind, one.position)), lambda *_: None, full=True)
    return found


def check_goes_on(world: World, folder: Path, adopted: int) -> None:
    """Clinics write on, everybody verifies all of it, and old checkpoints are proven."""
    with running(world) as parts:
        record = write_child(again(world.clinic, parts))
        integrate(parts.settings)
        keys = signing_keys(parts)
        LogCopy(folder, Trust.of_keys(keys)).extend(StoreSource(parts.reader))
        known = [one for one in world.known if one.size <= adopted]
        report = verify_log(FolderSource(folder), Trust.of_keys(keys), Extent(known=known))
        assert report.checkpoint.size == adopted + 3 == parts.reader.published()
        given = Given(
            SecondTrust.of_keys(*(key.text() for key in keys)),
            SCHEMAS,
            [TreeHead(one.origin, one.size, one.root) for one in known],
        )
        assert verify(FolderSource(folder).read, given) == []
        assert findings(parts) == []
        for stream in (record, an_old_record(parts, adopted)):
            assert all(
                value is not None
                for value in parts.vault.unseal(changes_of(parts, stream)).values()
            )


def changes_of(parts: Parts, stream: UUID) -> list[Change]:
    return [Change(at, Entry.decode(raw)) for at, raw, _ in parts.reader.stream(stream)]


def an_old_record(parts: Parts, adopted: int) -> UUID:
    entries = [Entry.decode(raw) for _, raw, _ in parts.reader.entries(1, adopted)]
    return next(one.stream for one in entries if one.topic.endswith("record.registered.v1"))


def test_an_export_brings_some_back_and_the_rest_is_given_up_in_the_open(world, tmp_path):
    first, second, third = world.known
    assert first.size < world.survivors < second.size < third.size
    looked = go_on(world, is_dry=True).given_up
    assert (looked.adopted, looked.lost) == (second.size, third.size - second.size)
    with pytest.raises(LossesNotAccepted):
        go_on(world, accepts_losses=False)
    assert go_on(world).given_up == looked
    with running(world) as parts:
        entry = changes_of(parts, uuid_of_succession(parts, second.size + 1))[0].entry
        assert entry.data["predecessor"] == world.settings.origin
        assert entry.data["lost"] == third.size - second.size
    check_goes_on(world, tmp_path / "copy", second.size)


def uuid_of_succession(parts: Parts, position: int) -> UUID:
    ((_, raw, _),) = parts.reader.entries(position, 1)
    entry = Entry.decode(raw)
    assert (entry.topic, entry.origin) == (SUCCEEDED, NEW)
    return entry.stream


def test_without_any_copy_what_is_in_the_database_survives(world, tmp_path):
    gone = Shred(uuid4(), world.survivors + 1, (uuid4(),), (), ())
    shred_list(world.settings).add(gone)
    given_up = go_on(world, exports=[]).given_up
    assert given_up.adopted == world.survivors
    assert gone.record in given_up.undecided
    check_goes_on(world, tmp_path / "copy", world.survivors)


def test_what_was_appended_to_the_restored_database_survives_too(world, tmp_path):
    (world.settings.data_dir / "outside" / "checkpoint").rename(tmp_path / "newest")
    with wire(world.settings) as parts:
        write_child(again(world.clinic, parts))
    (tmp_path / "newest").rename(world.settings.data_dir / "outside" / "checkpoint")
    assert go_on(world).given_up.adopted == world.survivors + 2
    world.known = world.known[:1]  # what others saw signed since is another history
    check_goes_on(world, tmp_path / "copy", world.survivors + 2)


def test_where_everything_can_be_had_the_old_origin_goes_on(world, tmp_path):
    note = (world.export / "checkpoint").read_bytes()
    outside_path(world.settings).write_bytes(note)
    with pytest.raises(SuccessionNotNeeded):
        go_on(world)
    for name in (world.settings.origin, "a name"):
        with pytest.raises(OriginUnusable):
            go_on(world, new_origin=name)


def test_nothing_starts_under_a_name_that_the_log_does_not_have(world):
    moved, old = world.moved(), world.settings
    with pytest.raises(OtherOrigin):
        refuse_halted(moved)
    go_on(world)
    for start in (refuse_halted, resume):
        with pytest.raises(OtherOrigin, match="VAXLEDGER_ORIGIN"):
            start(old)
    refuse_halted(moved)


def test_the_keys_of_the_new_origin_are_its_own_and_rotate_apart(world):
    go_on(world)
    with running(world) as parts:
        names = {key.name for key in signing_keys(parts)}
        assert names == {NEW}
        old = {key.public for key in log_terms(world.settings).keys}
        assert old.isdisjoint(key.public for key in signing_keys(parts))
        assert parts.reader.log_keys(NEW).pairs == LogKeys(NEW).pairs == ()


POINTS = (
    "entries put back",
    "claims put back",
    "entries written",
    "tiles written",
    "checkpoint adopted",
    "tiles put back",
    "file written",
    "file renamed",
    "recovered",
    "writes let in",
)


def succeed(world: World, at: Callable[[str], None] = lambda _: None) -> None:
    """What ``recover`` does, with a way to die on the way."""
    until_alone(world)
    settings = world.settings
    export = FileCopies(FolderSource(world.export))
    terms = log_terms(settings, [export.note])
    assert settings.database_url is not None
    with (
        wire(settings) as parts,
        Recovery(settings.database_url, terms, FirstOf([export]), request_of, at=at) as recovery,
    ):
        successor = successor_of(settings, NEW, is_dry=False)
        final, now = b"", datetime.now(UTC)
        if not recovery.is_succeeded(successor):
            survey, final = recovery.survey_rest()
            recovery.refill(survey)
            recovery.reclaim(survey, Reclaiming(parts.vault, parts.reader).claims_of)
        recovery.succeed(successor, final, now)


def is_halted(settings: Settings) -> bool:
    with psycopg.connect(settings.database_url) as connection:
        return connection.execute("SELECT count(*) FROM ledger.halt").fetchone() != (0,)


@pytest.mark.parametrize(
    ("point", "passed"),
    [*((point, 0) for point in POINTS), ("entries written", 1), ("entries put back", 1)],
)
def test_whatever_the_point_the_next_run_completes_it(world, tmp_path, point, passed):
    seen = 0

    def at(reached: str) -> None:
        nonlocal seen
        seen += reached == point
        if seen > passed:
            raise Crash

    with pytest.raises(Crash):
        succeed(world, at)
    assert is_halted(world.settings) == (point != "writes let in")
    if point != "writes let in":
        with pytest.raises((RolledBack, WritesHalted, OtherOrigin)):
            refuse_halted(world.settings)
    succeed(world)
    with running(world) as parts:
        topics = [row[1] for row in parts.reader.entries(1, 1_000) if SUCCEEDED.encode() in row[1]]
        assert len(topics) == 1
        keys = signing_keys(parts)
        LogCopy(tmp_path / "copy", Trust.of_keys(keys)).extend(StoreSource(parts.reader))
        known = world.known[:2]
        report = verify_log(
            FolderSource(tmp_path / "copy"), Trust.of_keys(keys), Extent(known=known)
        )
        assert report.checkpoint.size == world.known[1].size + 1
        assert findings(parts) == []
