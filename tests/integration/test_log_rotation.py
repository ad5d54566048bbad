"""The log's keys are rotated while it runs, and everybody can follow."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bootstrap.log_keys import log_signers
from bootstrap.log_rotation import introduce_pair, retire_pair
from bootstrap.settings import Settings
from bootstrap.wiring import Parts, publish_verifier_keys, wire
from client.copying import LogCopy
from client.log_keys import follow_keys
from client.sources import FolderSource, StoreSource
from client.trust import Trust
from client.verify import verify_log
from commands.errors import LogKeyRefused
from commands.genesis import open_log
from domain.log_key import OverlapTooShort
from ledger.note import Note, verify_note
from ledger.policy import Log, Policy, Witness
from ledger.store.errors import ClaimTaken, Forked, SigningKeyMissing
from ledger.store.integration import Integrator
from ledger.store.lost import Lost, Terms
from ledger.store.recovery import Recovery
from ledger.treehead import Checkpoint
from ledger.witness import Cosigner
from tests.conftest import Databases
from tests.leading import lead
from tests.second.folders import reader
from tests.second.schemas import load
from tests.second.trust import Trust as SecondTrust
from tests.second.verifier import Given, verify

SCHEMAS = load(Path(__file__).parents[1] / "golden" / "events")


@contextmanager
def opened(urls: Databases, folder: Path) -> Iterator[Parts]:
    settings = Settings(
        data_dir=folder / "data",
        database_url=urls.log,
        keys_url=urls.keys,
        log_key_overlap_hours=0,
    )
    with wire(settings) as parts:
        open_log(parts.services, parts.founder)
        settle(parts)
        yield parts


@pytest.fixture(scope="module")
def installed(
    migrated_database: Callable[[], Databases], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Parts]:
    with opened(migrated_database(), tmp_path_factory.mktemp("installation")) as parts:
        yield parts


@pytest.fixture
def new_parts(migrated_database: Callable[[], Databases], tmp_path: Path) -> Iterator[Parts]:
    """A log of the test's own: with every pair that is kept a start takes longer."""
    with opened(migrated_database(), tmp_path) as parts:
        yield parts


@pytest.fixture
def parts(installed: Parts) -> Iterator[Parts]:
    """The log that all tests rotate, no rotation of which is under way."""
    yield installed
    settle(installed)
    if installed.reader.log_keys(installed.settings.origin).rotation is not None:
        with integrating(installed):
            retire_pair(installed)


def integrator(parts: Parts, **more) -> Integrator:
    outside = parts.settings.data_dir / "outside"
    return Integrator(parts.settings.database_url, log_signers(parts.settings), outside, **more)


@contextmanager
def in_a_thread(work: Callable[[threading.Event], None]):
    stop = threading.Event()
    running = threading.Thread(target=work, args=[stop])
    running.start()
    try:
        yield
    finally:
        stop.set()
        running.join()


def rounds(one: Integrator) -> Callable[[threading.Event], None]:
    """Rounds without the waits of the real loop, which takes a second to hear of its end."""

    def work(stop: threading.Event) -> None:
        lead(one)
        while not stop.wait(0.005):
            one.round()
        one.close()

    return work


def integrating(parts: Parts):
    return in_a_thread(rounds(integrator(parts)))


def settle(parts: Parts) -> None:
    one = integrator(parts)
    lead(one)
    while one.round():
        pass
    one.close()


def trust_now(parts: Parts) -> Trust:
    publish_verifier_keys(parts)
    return Trust.load(parts.settings.data_dir / "log.vkey")


def signers_of(note: bytes, *trusts: Trust) -> list[bool]:
    """Whether all keys of each trust have signed."""
    found = {
        one.key for one in verify_note(Note.parse(note), {k for one in trusts for k in one.keys})
    }
    return [set(one.keys) <= found for one in trusts]


def test_three_rotations_in_a_row_without_a_restart(parts, tmp_path):
    before = parts.reader.published()
    with in_a_thread(integrator(parts).run):
        trusts = [trust_now(parts)]
        for _ in range(3):
            introduced = introduce_pair(parts)
            both = trust_now(parts)
            assert (introduced["published"], len(both.keys)) == (True, 4)
            assert signers_of(parts.reader.checkpoint()[1], trusts[-1], both) == [True, True]
            assert retire_pair(parts)["published"]
            trusts.append(trust_now(parts))
            note = parts.reader.checkpoint()[1]
            assert signers_of(note, *trusts) == [False] * (len(trusts) - 1) + [True]
    source = StoreSource(parts.reader)
    for trusted in trusts:
        assert verify_log(source, trusted).counts.entries == before + 6
        assert follow_keys(trusted, source) == trusts[-1]
    LogCopy(tmp_path / "copy", trusts[0]).extend(source)
    for trusted in trusts:
        assert verify_log(FolderSource(tmp_path / "copy"), trusted).counts.entries == before + 6
        keys = SecondTrust.of_keys(*(key.text() for key in trusted.keys))
        assert verify(reader(tmp_path / "copy"), Given(keys, SCHEMAS)) == []


def test_the_policy_of_the_own_witness_follows_a_rotation(parts):
    witness = Cosigner("log.example/own/witness", b"w" * 32, b"x" * 32).verifier_keys()[0]
    path = parts.settings.data_dir / "policy"
    old = trust_now(parts)
    logs, asked = tuple(map(Log, old.keys)), Witness("own", witness, "http://127.0.0.1:1")
    path.write_bytes(Policy(logs, (asked,), (), "own").encode())
    with integrating(parts):
        introduce_pair(parts)
        assert Trust.parse(path.read_bytes()).keys == trust_now(parts).keys
        retire_pair(parts)
    found = Policy.parse(path.read_bytes())
    assert {log.key for log in found.logs} == set(trust_now(parts).keys)
    assert set(old.keys).isdisjoint(log.key for log in found.logs)
    assert found.witnesses == (asked,)
    path.unlink()


def test_a_new_start_goes_on_in_the_middle_of_a_rotation(parts):
    old, before = trust_now(parts), parts.reader.published()
    with integrating(parts):
        introduce_pair(parts)
    with integrating(parts):
        retire_pair(parts)
    settle(parts)
    assert verify_log(StoreSource(parts.reader), old).counts.entries == before + 2


def test_one_rotation_at_a_time_and_none_ends_that_has_not_begun(parts):
    with integrating(parts):
        with pytest.raises(LogKeyRefused, match="keys do not allow"):
            retire_pair(parts)
        introduce_pair(parts)
        with pytest.raises(LogKeyRefused) as refused:
            introduce_pair(parts)
        assert refused.value.facts == {"reason": "rotation-under-way"}
        retire_pair(parts)
        with pytest.raises(LogKeyRefused) as refused:
            retire_pair(parts)
        assert refused.value.facts == {"reason": "no-rotation-under-way"}


def test_two_rotations_that_did_not_see_each_other_have_one_winner(parts, monkeypatch):
    monkeypatch.setattr("bootstrap.log_rotation._WAIT_SECONDS", 0)
    assert introduce_pair(parts)["published"] is False
    with pytest.raises(ClaimTaken):
        introduce_pair(parts)
    settle(parts)
    assert len(trust_now(parts).keys) == 4


def test_a_pair_is_not_retired_before_its_time(parts):
    object.__setattr__(parts.services, "log_key_overlap", timedelta(hours=1))
    try:
        with integrating(parts):
            introduce_pair(parts)
            with pytest.raises(OverlapTooShort):
                retire_pair(parts)
    finally:
        object.__setattr__(parts.services, "log_key_overlap", timedelta(0))


def test_a_pair_whose_introduction_no_checkpoint_covers_is_not_retired(parts, monkeypatch):
    monkeypatch.setattr("bootstrap.log_rotation._WAIT_SECONDS", 0)
    introduce_pair(parts)
    with pytest.raises(LogKeyRefused) as refused:
        retire_pair(parts)
    assert refused.value.facts == {"reason": "no-rotation-under-way"}


def test_without_the_pair_that_the_log_names_nothing_is_signed_until_it_is_back(parts, monkeypatch):
    monkeypatch.setattr("bootstrap.log_rotation._WAIT_SECONDS", 0)
    introduce_pair(parts)
    kept = max((parts.settings.data_dir / "secrets").glob("log-pair-*"))
    lost = kept.rename(kept.with_name("lost"))
    before = parts.reader.checkpoint()
    one = integrator(parts)
    lead(one)
    with pytest.raises(SigningKeyMissing):
        one.round()
    one.close()
    assert parts.reader.checkpoint() == before
    lost.rename(kept)
    settle(parts)
    assert signers_of(parts.reader.checkpoint()[1], trust_now(parts)) == [True]


POINTS = (
    "entries read",
    "tiles written",
    "tiles verified",
    "signed",
    "committing",
    "committed",
    "file replaced",
    "published",
)


class Crash(Exception):
    pass


def test_a_crash_anywhere_in_the_round_of_a_rotation_is_mended_by_the_next_start(
    new_parts, monkeypatch
):
    parts = new_parts
    old, before = trust_now(parts), parts.reader.published()
    monkeypatch.setattr("bootstrap.log_rotation._WAIT_SECONDS", 0)
    for point in POINTS:
        for change in (introduce_pair, retire_pair):
            change(parts)
            crash(parts, point)
            settle(parts)
    assert verify_log(StoreSource(parts.reader), old).counts.entries == before + 2 * len(POINTS)


def crash(parts: Parts, point: str) -> None:
    def strike(reached: str) -> None:
        if reached == point and armed:
            raise Crash

    armed: list[bool] = []
    one = integrator(parts, at=strike)
    lead(one)
    armed.append(True)
    with pytest.raises(Crash):
        one.round()
    one.close()


class NoCopies:
    def read(self, first: int, count: int) -> list[Lost]:
        return []


def test_a_recovery_believes_no_checkpoint_that_only_a_retired_pair_has_signed(
    migrated_database, tmp_path
):
    urls = migrated_database()
    with opened(urls, tmp_path) as parts:
        founding = log_signers(parts.settings)()[0]
        with integrating(parts):
            introduce_pair(parts)
            retire_pair(parts)
        settings, now = parts.settings, parts.reader.checkpoint()[1]
    keys = [key for one in log_signers(settings)() for key in one.verifier_keys()]
    stolen = founding.sign(Checkpoint.parse(Note.parse(now).text), 1_780_000_000)

    def surveyed(note: bytes) -> int:
        terms = Terms(settings.origin, keys, tmp_path / "outside", [note])
        with Recovery(urls.log, terms, NoCopies(), lambda _entry, _payload: None) as recovery:
            return recovery.survey().signed

    assert surveyed(now) == 4
    with pytest.raises(Forked, match="retired"):
        surveyed(stolen)
