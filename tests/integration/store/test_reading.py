"""What the log shows of itself."""

import random
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest

from ledger.checkpoint import LogSigner, verify_checkpoint
from ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.store.append import Blob
from ledger.store.connections import connect, open_pool
from ledger.store.errors import NoSuchPosition, StoreUnavailable
from ledger.store.integration import Integrator
from ledger.store.listening import APPENDED, await_notice
from ledger.store.reading import ROLE, LogReader

SIGNER = LogSigner("log.example/kaifeng", b"e" * 32, b"m" * 32)


@pytest.fixture
def reader(log_url):
    with open_pool(log_url, ROLE, size=2) as pool:
        yield LogReader(pool)


@pytest.fixture
def integrator(log_url, tmp_path):
    integrator = Integrator(log_url, lambda: [SIGNER], tmp_path / "checkpoint")
    integrator.start()
    yield integrator
    integrator.close()


@pytest.fixture
def fill(writer, make_append, make_event):
    def fill(count: int, **event) -> list[bytes]:
        events = [make_event(uuid4(), **event) for _ in range(count)]
        writer.submit(make_append(*events)).result(30)
        return [event.entry for event in events]

    return fill


def test_only_what_is_published_is_shown(reader, integrator, fill):
    first = fill(3)
    assert (reader.published(), reader.entries(1, 10)) == (0, [])
    with pytest.raises(NoSuchPosition):
        reader.entry(1)
    integrator.round()
    second = fill(2)
    assert reader.entries(1, 10) == [
        (position, entry, leaf_hash(entry)) for position, entry in enumerate(first, 1)
    ]
    integrator.round()
    assert [entry for _, entry, _ in reader.entries(3, 2)] == [first[2], second[0]]
    assert reader.entry(5) == second[1]


def test_a_checkpoint_that_is_not_safe_outside_yet_is_not_shown(
    log_url, tmp_path, reader, integrator, fill
):
    fill(1)
    integrator.round()
    published = reader.checkpoint()
    integrator.close()

    def crash(point: str) -> None:
        if point == "committed":
            raise KeyboardInterrupt

    crashing = Integrator(log_url, lambda: [SIGNER], tmp_path / "checkpoint", at=crash)
    crashing.start()
    fill(1)
    with pytest.raises(KeyboardInterrupt):
        crashing.round()
    crashing.close()
    assert reader.checkpoint() == published
    assert reader.published() == 1


def test_before_the_first_integrator_there_is_no_checkpoint(reader, writer):
    with pytest.raises(StoreUnavailable):
        reader.checkpoint()


def test_every_leaf_of_every_size_has_a_proof(reader, integrator, fill):
    sizes, entries = [], []
    for count in (1, 2, 4, 249, 1, 70, 257):
        entries += fill(count)
        integrator.round()
        _, note = reader.checkpoint()
        sizes.append(verify_checkpoint(note, SIGNER.verifier_keys(), SIGNER.origin))
    chooser = random.Random(7)
    for checkpoint in sizes:
        for index in {0, checkpoint.size - 1, chooser.randrange(checkpoint.size)}:
            proof = reader.inclusion_proof(index, checkpoint.size)
            verify_inclusion(
                index, checkpoint.size, leaf_hash(entries[index]), proof, checkpoint.root
            )
    for old in sizes:
        for new in sizes:
            if old.size <= new.size:
                proof = reader.consistency_proof(old.size, new.size)
                verify_consistency(old.size, new.size, proof, old.root, new.root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (0, 4)])
def test_there_is_no_proof_of_what_is_not_published(reader, integrator, fill, index, size):
    fill(3)
    integrator.round()
    fill(1)
    with pytest.raises(NoSuchPosition):
        reader.inclusion_proof(index, size)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (1, 4), (-1, 2)])
def test_there_is_no_consistency_with_what_is_not_published(reader, integrator, fill, old, new):
    fill(3)
    integrator.round()
    with pytest.raises(NoSuchPosition):
        reader.consistency_proof(old, new)


def test_a_stream_is_shown_as_it_stands_now(reader, writer, make_append, make_event):
    stream = uuid4()
    events = [make_event(stream, version) for version in (1, 2, 3)]
    writer.submit(make_append(*events)).result(30)
    assert [entry for _, entry, _ in reader.stream(stream)] == [e.entry for e in events]


def test_envelopes_and_blobs_are_found_by_what_entries_say_of_them(
    reader, writer, make_append, make_event
):
    blobs = [bytes([n]) * 70 for n in range(3)]
    writer.submit(
        make_append(
            make_event(uuid4()),
            envelopes=(b"envelope",),
            blobs=tuple(Blob(uuid4(), blob, 0) for blob in blobs),
        )
    ).result(30)
    names = [sha256(blob).hexdigest() for blob in blobs]
    assert reader.blobs(iter([*names, "0" * 64])) == dict(zip(names, blobs, strict=True))
    assert reader.blobs([]) == {}
    assert reader.envelope(sha256(b"envelope").hexdigest()) == b"envelope"
    assert reader.envelope("0" * 64) is None


def test_missing_tiles_are_left_out(reader, integrator, fill):
    fill(2)
    integrator.round()
    assert set(reader.tiles([(0, 0), (0, 1), (5, 0)])) == {(0, 0)}


def test_known_at_is_the_last_position_recorded_by_then(
    reader, integrator, writer, make_event, make_append
):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    seconds = [0, 10, 10, 9, 30]  # the fourth came from a clock one second behind
    for second in seconds:
        event = make_event(uuid4(), recorded_at=start + timedelta(seconds=second))
        writer.submit(make_append(event)).result(30)
    integrator.round()
    asked = [-1, 0, 9, 10, 29, 30, 99]
    assert [reader.known_at(start + timedelta(seconds=s)) for s in asked] == [0, 1, 1, 4, 4, 5, 5]


def test_the_previous_positions_of_a_division_are_those_of_a_slow_search(
    reader, writer, make_append, make_event, integrator
):
    chooser = random.Random(11)
    divisions = [
        chooser.choice(["410225", "410225001", "410221", "410102", "420101", "110101"])
        for _ in range(300)
    ]
    writer.submit(
        make_append(*(make_event(uuid4(), division=division) for division in divisions))
    ).result(30)

    def slow(position: int) -> tuple[int, ...]:
        own = divisions[position - 1]
        return tuple(
            max((p for p in range(1, position) if divisions[p - 1][:n] == own[:n]), default=0)
            for n in (2, 4, 6)
        )

    expected = {position: slow(position) for position in range(1, 301)}
    assert reader.previous_many(1, 300) == expected
    assert reader.previous_many(120, 140) == {p: expected[p] for p in range(120, 141)}
    for position in (1, 2, 77, 300):
        assert reader.previous(position, divisions[position - 1]) == expected[position]
    integrator.round()
    some = [3, 77, 298]
    assert reader.previous_of(some) == {p: expected[p] for p in some}
    assert [p for p, _, _ in reader.entries_at([298, 3, 77, 999])] == some
    for prefix in {division[:digits] for division in divisions for digits in (2, 3, 4, 5, 6, 9)}:
        wanted = [p for p in range(20, 281) if divisions[p - 1].startswith(prefix)]
        found = reader.entries_within(prefix, 20, 280, 1_000)
        assert found == reader.entries_at(wanted)
        assert reader.entries_within(prefix, 20, 280, 2) == found[:2]


@pytest.mark.parametrize(("digits", "index"), [(2, "province"), (4, "city"), (6, "county")])
def test_the_look_up_of_previous_positions_reads_one_index(log_url, digits, index):
    with connect(log_url, ROLE) as connection:
        plan = connection.execute(
            f"EXPLAIN SELECT max(position) FROM ledger.entries"
            f" WHERE left(division, {digits}) = '4102' AND position < 40"
        ).fetchall()
    assert any(
        f"Index Only Scan Backward using entries_of_{index}" in line for (line,) in plan
    ) or (any(f"Index Scan Backward using entries_of_{index}" in line for (line,) in plan)), plan


def test_a_reader_survives_the_loss_of_its_connections(reader, integrator, fill, rows):
    fill(1)
    integrator.round()
    assert reader.published() == 1
    rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend' AND application_name <> 'vaxledger-writer'"
    )
    assert reader.published() == 1


def test_a_wait_takes_all_that_was_notified_meanwhile(log_url):
    with connect(log_url, ROLE) as connection:
        connection.execute(f"LISTEN {APPENDED}")
        for number in range(3):  # each is delivered with the answer to its own statement
            connection.execute(f"NOTIFY {APPENDED}, '{number}'")
        await_notice(connection, 60)
        assert list(connection.notifies(timeout=0)) == []
