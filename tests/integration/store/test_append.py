"""The append: dense positions, one winner a version, one answer a key."""

import subprocess
import sys
import textwrap
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.merkle import leaf_hash
from ledger.store.append import Append, Blob, Claim, Guard
from ledger.store.errors import (
    Backlogged,
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyReused,
    StoreUnavailable,
    SubmissionRefused,
    SubmissionTooLarge,
    VersionConflict,
)
from ledger.store.writer import Writer

WAIT = 30


def test_an_entry_is_stored_as_it_was_submitted_with_its_leaf(
    writer, make_event, make_append, rows
):
    event = make_event(uuid4())
    appended = writer.submit(make_append(event)).result(WAIT)
    assert (appended.first_position, appended.count, appended.replayed) == (1, 1, False)
    assert appended.leaves == (leaf_hash(event.entry),)
    assert rows(
        "SELECT position, stream, version, topic, division, known_at, leaf, entry "
        "FROM ledger.entries"
    ) == [(1, event.stream, 1, event.topic, "410225", event.recorded_at, event.leaf, event.entry)]
    assert rows("SELECT size, recorded_at FROM ledger.head") == [(1, event.recorded_at)]


def test_all_that_belongs_to_a_submission_is_stored_with_it(writer, make_event, make_append, rows):
    first, second, person = uuid4(), uuid4(), uuid4()
    writer.submit(make_append()).result(WAIT)
    append = make_append(
        make_event(first),
        make_event(second),
        claims=(Claim("package-code", b"81", second),),
        envelopes=(b"signed", b"signed too"),
        blobs=(Blob(person, b"secret", 1),),
    )
    assert writer.submit(append).result(WAIT).first_position == 2
    assert rows("SELECT kind, key, stream, position FROM ledger.claims") == [
        ("package-code", b"81", second, 2)
    ]
    assert rows("SELECT sha256, subject, position, blob FROM ledger.blobs") == [
        (sha256(b"secret").digest(), person, 3, b"secret")
    ]
    assert sorted(rows("SELECT envelope FROM ledger.envelopes")) == [(b"signed",), (b"signed too",)]
    assert rows(
        "SELECT first_position, count FROM ledger.idempotency WHERE key = %s", append.key
    ) == [(2, 2)]


def test_an_envelope_may_sign_several_submissions(writer, make_append, rows):
    for _ in range(3):
        writer.submit(make_append(envelopes=(b"a batch envelope",))).result(WAIT)
    assert rows("SELECT count(*) FROM ledger.envelopes") == [(1,)]


def test_a_stale_version_loses_and_burns_no_position(writer, make_event, make_append, rows):
    stream = uuid4()
    writer.submit(make_append(make_event(stream, 1))).result(WAIT)
    with pytest.raises(VersionConflict) as conflict:
        writer.submit(make_append(make_event(stream, 1), envelopes=(b"lost",))).result(WAIT)
    assert (conflict.value.expected, conflict.value.actual) == (0, 1)
    with pytest.raises(VersionConflict):
        writer.submit(make_append(make_event(stream, 3))).result(WAIT)
    assert writer.submit(make_append(make_event(stream, 2))).result(WAIT).first_position == 2
    assert rows("SELECT count(*) FROM ledger.envelopes") == [(0,)]


def test_eight_threads_race_on_one_stream_and_each_version_has_one_winner(
    writer, make_event, make_append, rows
):
    stream, versions, threads = uuid4(), 20, 8

    def race(_: int) -> Counter:
        tally: Counter = Counter()
        for version in range(1, versions + 1):
            try:
                writer.submit(make_append(make_event(stream, version))).result(WAIT)
                tally["won"] += 1
            except VersionConflict:
                tally["lost"] += 1
        return tally

    with ThreadPoolExecutor(threads) as pool:
        total = sum(pool.map(race, range(threads)), Counter())
    assert total == {"won": versions, "lost": versions * (threads - 1)}
    assert rows(
        "SELECT array_agg(version ORDER BY position), min(position), max(position) "
        "FROM ledger.entries"
    ) == [(list(range(1, versions + 1)), 1, versions)]


def test_positions_stay_dense_under_conflicts_and_refusals(writer, make_event, make_append, rows):
    streams = [uuid4() for _ in range(5)]

    def mixed(worker: int) -> int:
        won = 0
        for step in range(40):
            stream = streams[(worker + step) % len(streams)]
            append = make_append(
                make_event(uuid4()),
                make_event(stream, 1 + step // 8),
                claims=(Claim("seat", bytes([step % 13]), stream),),
            )
            try:
                won += writer.submit(append).result(WAIT).count
            except (VersionConflict, ClaimTaken):
                continue
        return won

    with ThreadPoolExecutor(8) as pool:
        won = sum(pool.map(mixed, range(8)))
    assert won > 0
    assert rows("SELECT count(*), min(position), max(position) FROM ledger.entries") == [
        (won, 1, won)
    ]
    assert rows("SELECT size FROM ledger.head") == [(won,)]


def test_the_same_key_gets_the_first_answer_for_ever(writer, make_event, make_append, rows):
    stream = uuid4()
    first = make_append(make_event(stream, 1), make_event(stream, 2))
    original = writer.submit(first).result(WAIT)
    writer.submit(make_append(make_event(stream, 3))).result(WAIT)
    # A client that never saw the answer decides anew, later, with the same request.
    again = make_append(make_event(stream, 4), key=first.key, request=first.request)
    replay = writer.submit(again).result(WAIT)
    assert replay.replayed
    assert (replay.first_position, replay.count) == (1, 2)
    assert replay.leaves == original.leaves
    assert rows("SELECT size FROM ledger.head") == [(3,)]


def test_the_same_key_for_another_request_is_refused(writer, make_append):
    first = make_append()
    writer.submit(first).result(WAIT)
    with pytest.raises(KeyReused):
        writer.submit(make_append(key=first.key)).result(WAIT)
    other_author = make_append(key=first.key, author=UUID(int=8))
    assert not writer.submit(other_author).result(WAIT).replayed


def test_a_hundred_copies_of_one_request_store_it_once(writer, make_event, make_append, rows):
    model = make_append()
    copies = [
        make_append(make_event(uuid4()), key=model.key, request=model.request) for _ in range(100)
    ]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda copy: writer.submit(copy).result(WAIT), copies))
    assert {(answer.first_position, answer.leaves) for answer in answers} == {
        (1, answers[0].leaves)
    }
    assert sum(not answer.replayed for answer in answers) == 1
    assert rows("SELECT size FROM ledger.head") == [(1,)]


def test_a_guarded_stream_that_moved_refuses_the_decision(writer, make_event, make_append):
    organisation = uuid4()
    writer.submit(make_append(make_event(organisation, 1))).result(WAIT)
    writer.submit(make_append(guards=(Guard(organisation, 1),))).result(WAIT)
    writer.submit(make_append(make_event(organisation, 2))).result(WAIT)
    with pytest.raises(GuardFailed) as failed:
        writer.submit(make_append(guards=(Guard(organisation, 1),))).result(WAIT)
    assert failed.value.stream == organisation
    writer.submit(make_append(guards=(Guard(uuid4(), 0),))).result(WAIT)


def test_of_many_that_claim_one_thing_exactly_one_gets_it(writer, make_event, make_append, rows):
    streams = [uuid4() for _ in range(40)]

    def claim(stream: UUID) -> bool:
        append = make_append(make_event(stream), claims=(Claim("id-number", b"digest", stream),))
        try:
            writer.submit(append).result(WAIT)
        except ClaimTaken as taken:
            return taken.stream not in streams
        return True

    with ThreadPoolExecutor(8) as pool:
        winners = [s for s, won in zip(streams, pool.map(claim, streams), strict=True) if won]
    assert rows("SELECT stream FROM ledger.claims") == [(winners[0],)]
    assert len(winners) == 1


def test_a_claim_changes_hands_within_one_submission(writer, make_event, make_append, rows):
    old, new = uuid4(), uuid4()
    writer.submit(make_append(make_event(old), claims=(Claim("holder", b"c", old),))).result(WAIT)
    hand_over = make_append(
        make_event(old, 2),
        make_event(new),
        claims=(Claim("holder", b"c", old, release=True), Claim("holder", b"c", new)),
    )
    writer.submit(hand_over).result(WAIT)
    assert rows("SELECT stream, position FROM ledger.claims") == [(new, 2)]


def test_a_clock_more_than_two_seconds_behind_is_refused(writer, make_event, make_append, rows):
    now = datetime.now(UTC)
    writer.submit(make_append(make_event(uuid4(), recorded_at=now))).result(WAIT)
    late = make_event(uuid4(), recorded_at=now - timedelta(seconds=2))
    writer.submit(make_append(late)).result(WAIT)
    too_late = make_event(uuid4(), recorded_at=now - timedelta(seconds=2, microseconds=1))
    with pytest.raises(ClockBehind) as behind:
        writer.submit(make_append(too_late)).result(WAIT)
    assert behind.value.behind == timedelta(seconds=2, microseconds=1)
    assert rows("SELECT known_at FROM ledger.entries ORDER BY position") == [(now,), (now,)]


def test_the_one_bad_submission_of_a_batch_does_not_harm_the_others(
    log_url, make_event, make_append, rows
):
    bad = replace(make_event(uuid4()), leaf=b"no hash")
    with psycopg.connect(log_url) as holder:
        holder.execute("SELECT size FROM ledger.head FOR UPDATE")  # so that a batch gathers
        writer = Writer(log_url)
        futures = [writer.submit(make_append(*([bad] if n == 7 else ()))) for n in range(10)]
    outcomes = [future.exception(WAIT) for future in futures]
    writer.close()
    assert [type(outcome) for outcome in outcomes if outcome] == [SubmissionRefused]
    assert outcomes[7].sqlstate == "23514"
    assert rows("SELECT count(*), max(position) FROM ledger.entries") == [(9, 9)]


def test_a_full_queue_refuses_at_once(log_url, make_append):
    with psycopg.connect(log_url) as holder:
        holder.execute("SELECT size FROM ledger.head FOR UPDATE")
        writer = Writer(log_url, queue_limit=20)
        flying = writer.submit(make_append())
        while not flying.running():
            time.sleep(0.001)
        accepted = [writer.submit(make_append()) for _ in range(20)]
        with pytest.raises(Backlogged) as refused:
            writer.submit(make_append())
        assert refused.value.retry_after >= 1
    assert {future.result(WAIT).count for future in accepted} == {1}
    writer.close()


def test_submissions_wait_for_the_integrator_when_it_lags(log_url, make_append, rows):
    writer = Writer(log_url, unpublished_limit=3)
    first = make_append()
    assert writer.submit(first).result(WAIT).first_position == 1
    for _ in range(2):
        writer.submit(make_append()).result(WAIT)
    with pytest.raises(Backlogged):
        writer.submit(make_append()).result(WAIT)
    assert writer.submit(first).result(WAIT).replayed
    rows("UPDATE ledger.checkpoint SET size = 3, published = 3 RETURNING size")
    assert writer.submit(make_append()).result(WAIT).first_position == 4
    writer.close()


def test_a_submission_beyond_one_transaction_is_refused_at_the_door(
    writer, make_event, make_append
):
    with pytest.raises(SubmissionTooLarge):
        writer.submit(make_append(*(make_event(uuid4()) for _ in range(1_001))))
    with pytest.raises(SubmissionTooLarge):
        writer.submit(make_append(envelopes=(bytes(5 << 20),)))
    big = make_append(*(make_event(uuid4()) for _ in range(1_000)), envelopes=(bytes(3 << 20),))
    assert writer.submit(big).result(WAIT).count == 1_000


def test_closing_answers_everything_that_was_accepted(log_url, make_append, rows):
    writer = Writer(log_url)
    futures = [writer.submit(make_append()) for _ in range(2_000)]
    writer.close()
    assert [future.result(0).first_position for future in futures] == list(range(1, 2_001))
    with pytest.raises(StoreUnavailable):
        writer.submit(make_append())


def test_a_cancelled_submission_is_not_stored(log_url, make_append, rows):
    with psycopg.connect(log_url) as holder:
        holder.execute("SELECT size FROM ledger.head FOR UPDATE")
        writer = Writer(log_url)
        flying = writer.submit(make_append())
        while not flying.running():
            time.sleep(0.001)
        waiting = [writer.submit(make_append()) for _ in range(3)]
        assert waiting[1].cancel()
        assert not flying.cancel()
    writer.close()
    assert [waiting[0].result(0).first_position, waiting[2].result(0).first_position] == [2, 3]


def test_two_writers_in_two_processes_share_one_order(log_url, writer, make_append, rows):
    other = textwrap.dedent(
        """
        import sys
        from datetime import UTC, datetime
        from uuid import uuid4
        from ledger.entry import Author, Entry
        from ledger.store.append import Append, NewEvent
        from ledger.store.writer import Writer

        writer, futures = Writer(sys.argv[1]), []
        for _ in range(1_000):
            entry = Entry("log.example/kaifeng", "a.b.v1", uuid4(), 1, "410225",
                          datetime.now(UTC), Author(str(uuid4()), "1" * 64, "2" * 64), {}, ())
            event = NewEvent.of(entry)
            futures.append(writer.submit(Append(uuid4(), uuid4(), bytes(32), (event,))))
        print(*(future.result(30).first_position for future in futures))
        writer.close()
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", other, log_url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    mine = []
    while process.poll() is None:
        mine.append(writer.submit(make_append()).result(WAIT).first_position)
    theirs = [int(position) for position in process.communicate()[0].split()]
    assert len(theirs) == 1_000
    assert sorted(mine + theirs) == list(range(1, len(mine) + len(theirs) + 1))
    assert theirs == sorted(theirs)


def test_a_cluster_that_does_not_wait_for_the_disk_is_made_to(log_url, writer, make_append, rows):
    with psycopg.connect(log_url, autocommit=True) as owner:
        owner.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
        try:
            lazy = Writer(log_url)
            lazy.submit(make_append()).result(WAIT)
            assert lazy._connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
            lazy.close()
        finally:
            owner.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


def test_an_empty_submission_is_no_submission():
    with pytest.raises(ValueError, match="at least one event"):
        Append(UUID(int=1), UUID(int=2), bytes(32), ())
