"""The integrator: what it signs, what it refuses, and that it never goes back or apart."""

import hashlib
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from ledger.checkpoint import LogSigner, verify_checkpoint
from ledger.store import integration
from ledger.store.connections import let_go
from ledger.store.errors import (
    Forked,
    LeadLost,
    OutsideFileMissing,
    RolledBack,
    TamperFound,
)
from ledger.store.integration import Integrator
from ledger.store.outside import OutsideFile
from tests.leading import lead

ORIGIN = "log.example/kaifeng"
SIGNER = LogSigner(ORIGIN, b"e" * 32, b"m" * 32)


def slow_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it is written there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    left, right = slow_root(leaves[:k]), slow_root(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.fixture
def outside(tmp_path) -> Path:
    return tmp_path / "outside" / "checkpoint"


@pytest.fixture
def integrator(log_url, outside):
    integrator = Integrator(log_url, lambda: [SIGNER], outside)
    yield integrator
    integrator.close()


@pytest.fixture
def fill(writer, make_append, make_event):
    def fill(count: int) -> None:
        for first in range(0, count, 500):
            events = [make_event(uuid4()) for _ in range(min(500, count - first))]
            writer.submit(make_append(*events)).result(60)

    return fill


def signed(note: bytes):
    return verify_checkpoint(note, SIGNER.verifier_keys(), ORIGIN)


def test_a_round_signs_the_root_over_all_entries_and_publishes_it(integrator, fill, rows, outside):
    lead(integrator)
    total = 0
    for count in (1, 2, 255, 1, 700):
        fill(count)
        assert integrator.round() == count
        total += count
        leaves = [
            hashlib.sha256(b"\x00" + entry).digest()
            for (entry,) in rows("SELECT entry FROM ledger.entries ORDER BY position")
        ]
        ((size, note, published, published_note),) = rows(
            "SELECT size, note, published, published_note FROM ledger.checkpoint"
        )
        checkpoint = signed(note)
        assert (checkpoint.size, checkpoint.root) == (total, slow_root(leaves))
        assert (size, published) == (total, total)
        assert note == published_note == outside.read_bytes()
    assert integrator.round() == 0


def test_rounds_take_at_most_4096_entries(integrator, fill):
    lead(integrator)
    fill(5_000)
    assert [integrator.round() for _ in range(3)] == [4_096, 904, 0]


def test_a_stored_tile_serves_every_narrower_one(integrator, fill, rows):
    lead(integrator)
    fill(300)
    integrator.round()
    before = dict(rows("SELECT index, hashes FROM ledger.tiles WHERE level = 0"))
    fill(100)
    integrator.round()
    after = dict(rows("SELECT index, hashes FROM ledger.tiles WHERE level = 0"))
    assert before[0] == after[0]
    assert after[1].startswith(before[1])
    assert len(after[1]) == 144 * 32


def test_checkpoints_are_kept_one_a_minute(log_url, outside, fill, rows):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    integrator = Integrator(log_url, lambda: [SIGNER], outside, clock=lambda: now)
    lead(integrator)
    for _ in range(4):
        now += timedelta(seconds=31)
        fill(1)
        integrator.round()
    integrator.close()
    assert rows("SELECT size, made_at FROM ledger.checkpoints ORDER BY size") == [
        (0, datetime(2026, 3, 1, tzinfo=UTC)),
        (2, datetime(2026, 3, 1, 0, 1, 2, tzinfo=UTC)),
        (4, datetime(2026, 3, 1, 0, 2, 4, tzinfo=UTC)),
    ]


def test_only_one_of_two_integrators_leads_and_the_other_follows_on(log_url, outside, fill):
    first, second = (Integrator(log_url, lambda: [SIGNER], outside) for _ in range(2))
    lead(first)
    assert not second.start()
    fill(3)
    assert first.round() == 3
    first.close()
    fill(2)
    lead(second)
    assert second.round() == 2
    second.close()


@pytest.mark.parametrize("victim", [1, 300, 599])
def test_an_entry_changed_before_it_was_signed_halts_the_log(integrator, fill, rows, victim):
    lead(integrator)
    fill(600)
    rows(
        "UPDATE ledger.entries SET entry = replace(convert_from(entry, 'UTF8'), '0.5', '5.0')"
        "::bytea WHERE position = %s RETURNING position",
        victim,
    )
    with pytest.raises(TamperFound) as found:
        integrator.round()
    assert found.value.position == victim
    assert rows("SELECT size, published FROM ledger.checkpoint") == [(0, 0)]
    assert rows("SELECT count(*) FROM ledger.tiles") == [(0,)]


def test_an_entry_taken_out_before_it_was_signed_halts_the_log(integrator, fill, rows):
    lead(integrator)
    fill(5)
    rows("DELETE FROM ledger.entries WHERE position = 3 RETURNING position")
    with pytest.raises(TamperFound) as found:
        integrator.round()
    assert found.value.position == 3


def test_a_changed_tile_of_the_right_edge_is_found_before_anything_is_signed(
    integrator, fill, rows
):
    lead(integrator)
    fill(10)
    integrator.round()
    rows("UPDATE ledger.tiles SET hashes = set_byte(hashes, 40, 7) RETURNING level")
    fill(10)
    with pytest.raises(TamperFound):
        integrator.round()
    assert rows("SELECT size FROM ledger.checkpoint") == [(10,)]
    with pytest.raises(TamperFound):
        lead(integrator)


def test_a_tile_that_the_database_does_not_keep_as_written_is_not_signed(
    integrator, fill, rows, log_url
):
    with psycopg.connect(log_url, autocommit=True) as owner:
        owner.execute(
            """
            CREATE FUNCTION public.forge() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.hashes := set_byte(NEW.hashes, 33, 0); RETURN NEW; END $$;
            CREATE TRIGGER forge BEFORE INSERT OR UPDATE ON ledger.tiles
            FOR EACH ROW EXECUTE FUNCTION public.forge();
            """
        )
    lead(integrator)
    fill(4)
    with pytest.raises(TamperFound, match="not as it was written"):
        integrator.round()
    assert rows("SELECT size FROM ledger.checkpoint") == [(0,)]


def test_a_checkpoint_changed_under_the_integrator_is_a_fork(integrator, fill, rows):
    lead(integrator)
    fill(2)
    integrator.round()
    rows("UPDATE ledger.checkpoint SET note = note || 'x'::bytea RETURNING size")
    fill(1)
    with pytest.raises(Forked):
        integrator.round()


def test_a_database_restored_from_a_backup_is_refused(integrator, fill, rows):
    lead(integrator)
    fill(3)
    integrator.round()
    ((note,),) = rows("SELECT note FROM ledger.checkpoint")
    fill(3)
    integrator.round()
    integrator.close()
    rows(
        "UPDATE ledger.checkpoint SET size = 3, published = 3, note = %s, published_note = %s"
        " RETURNING size",
        note,
        note,
    )
    rows("DELETE FROM ledger.entries WHERE position > 3 RETURNING position")
    with pytest.raises(RolledBack) as refused:
        lead(integrator)
    assert (refused.value.size, refused.value.signed) == (3, 6)


def test_an_emptied_database_beside_a_signed_file_is_refused(integrator, fill, rows):
    lead(integrator)
    fill(3)
    integrator.round()
    integrator.close()
    rows("UPDATE ledger.checkpoint SET size = 0, published = 0, note = NULL RETURNING size")
    with pytest.raises(RolledBack):
        lead(integrator)


def test_entries_lost_below_the_signed_size_are_refused(integrator, fill, rows):
    lead(integrator)
    fill(3)
    integrator.round()
    integrator.close()
    rows("UPDATE ledger.head SET size = 2 RETURNING size")
    with pytest.raises(RolledBack):
        lead(integrator)


def test_a_missing_file_beside_a_signed_log_is_refused(integrator, fill, outside):
    lead(integrator)
    fill(1)
    integrator.round()
    integrator.close()
    outside.unlink()
    with pytest.raises(OutsideFileMissing):
        lead(integrator)
    assert not outside.exists()


def test_a_file_of_another_history_is_refused(integrator, fill, outside, log_url, tmp_path):
    lead(integrator)
    fill(3)
    integrator.round()
    integrator.close()
    from ledger.treehead import Checkpoint

    for size in (2, 3):
        outside.write_bytes(SIGNER.sign(Checkpoint(ORIGIN, size, b"r" * 32), 1))
        with pytest.raises(Forked):
            lead(integrator)


@pytest.mark.parametrize("note", [b"", b"not a note", "stranger"])
def test_a_file_that_this_log_did_not_sign_is_refused(integrator, fill, outside, note):
    from ledger.treehead import Checkpoint

    if note == "stranger":
        stranger = LogSigner(ORIGIN, b"x" * 32, b"y" * 32)
        note = stranger.sign(Checkpoint(ORIGIN, 0, hashlib.sha256(b"").digest()), 1)
    outside.parent.mkdir()
    outside.write_bytes(note)
    with pytest.raises(Forked):
        lead(integrator)
    assert outside.read_bytes() == note


def test_a_file_that_only_lags_is_brought_up_to_date(integrator, fill, outside, rows):
    lead(integrator)
    fill(3)
    integrator.round()
    old = outside.read_bytes()
    fill(3)
    integrator.round()
    integrator.close()
    new = outside.read_bytes()
    outside.write_bytes(old)
    lead(integrator)
    assert outside.read_bytes() == new


def test_one_that_slept_does_not_put_the_file_back(integrator, fill, outside, log_url):
    def sleep(point: str) -> None:
        if point == "committed":
            # Its session ends, as the server ends that of a process that froze; another one leads.
            let_go(sleeper._connection)
            fill(1)
            lead(integrator)
            assert integrator.round() == 1

    sleeper = Integrator(log_url, lambda: [SIGNER], outside, at=sleep)
    sleeper.start()
    fill(2)
    with pytest.raises(LeadLost):
        sleeper.round()
    assert signed(outside.read_bytes()).size == 3


def test_it_runs_until_told_to_stop_and_wakes_at_each_append(
    integrator, writer, make_append, rows, monkeypatch
):
    monkeypatch.setattr(integration, "LOOK_SECONDS", 3_600.0)  # by notifications alone
    stop = threading.Event()
    thread = threading.Thread(target=integrator.run, args=(stop,))
    thread.start()
    for expected in range(1, 21):
        writer.submit(make_append()).result(60)
        deadline = time.monotonic() + 60
        while rows("SELECT published FROM ledger.checkpoint") != [(expected,)]:
            assert time.monotonic() < deadline
    stop.set()
    writer.submit(make_append()).result(60)
    thread.join(60)
    assert not thread.is_alive()


def test_a_halted_log_stops_the_loop(integrator, fill, rows):
    fill(2)
    rows("UPDATE ledger.entries SET leaf = sha256(leaf) WHERE position = 2 RETURNING position")
    with pytest.raises(TamperFound) as found:
        integrator.run(threading.Event())
    assert found.value.position == 2


def test_the_outside_file_is_never_seen_half_written(tmp_path):
    file = OutsideFile(tmp_path / "f")
    notes = [bytes([n]) * 9_000 for n in range(200)]
    seen, stop = set(), threading.Event()

    def watch() -> None:
        while not stop.is_set():
            content = file.read()
            if content is not None:
                seen.add(content)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for note in notes:
        file.replace(note, lambda _: None)
    stop.set()
    watcher.join()
    assert seen <= set(notes)
    assert file.read() == notes[-1]
