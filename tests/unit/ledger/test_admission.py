"""Who of a batch gets into the log."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.store.admission import Admitted, Earlier, Facts, admit
from ledger.store.append import Append, Appended, Claim, Guard, NewEvent
from ledger.store.errors import (
    Backlogged,
    ClaimNotHeld,
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyReused,
    VersionConflict,
    WritesHalted,
)

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
EMPTY = Facts(0, NOW, 0, {}, {}, {})
AUTHOR = UUID(int=1)


def stream(number: int) -> UUID:
    return UUID(int=1_000 + number)


def event(number: int, version: int = 1, seconds: float = 0) -> NewEvent:
    leaf = bytes([number]) * 31 + bytes([version])
    recorded_at = NOW + timedelta(seconds=seconds)
    return NewEvent(stream(number), version, "a.b.v1", "410225", recorded_at, b"entry", leaf)


def append(key: int, *events: NewEvent, request: bytes = b"r", **other) -> Append:
    return Append(AUTHOR, UUID(int=key), request, events, **other)


def take(number: int, key: bytes = b"k") -> Claim:
    return Claim("kind", key, stream(number))


def give(number: int, key: bytes = b"k") -> Claim:
    return Claim("kind", key, stream(number), release=True)


def verdicts(*batch: Append, facts: Facts = EMPTY) -> list:
    return admit(batch, facts).verdicts


def positions(*batch: Append, facts: Facts = EMPTY) -> list[int | type]:
    return [
        verdict.appended.first_position if isinstance(verdict, Admitted) else type(verdict)
        for verdict in verdicts(*batch, facts=facts)
    ]


def test_winners_stand_one_after_the_other_behind_the_head():
    facts = replace(EMPTY, size=41)
    batch = [append(1, event(1), event(1, 2)), append(2, event(2)), append(3, event(1, 3))]
    decision = admit(batch, facts)
    assert [one.appended for one in decision.winners] == [
        Appended(42, 2, (event(1).leaf, event(1, 2).leaf)),
        Appended(44, 1, (event(2).leaf,)),
        Appended(45, 1, (event(1, 3).leaf,)),
    ]
    assert decision.size == 45


def test_a_halted_log_takes_nothing_and_still_answers_repetitions():
    first = append(1, event(1))
    earlier = {(AUTHOR, first.key): Earlier(first.request, Appended(1, 1, (event(1).leaf,)))}
    facts = replace(EMPTY, size=1, earlier=earlier, halted="TamperFound")
    repeated, refused = verdicts(first, append(2, event(2)), facts=facts)
    assert repeated == Appended(1, 1, (event(1).leaf,), replayed=True)
    assert isinstance(refused, WritesHalted)
    assert refused.kind == "TamperFound"


def test_of_two_on_one_version_the_first_wins_and_the_second_burns_nothing():
    assert positions(append(1, event(1)), append(2, event(1)), append(3, event(2))) == [
        1,
        VersionConflict,
        2,
    ]


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_version_must_follow_the_stream(version):
    facts = replace(EMPTY, versions={stream(1): 2})
    (conflict,) = verdicts(append(1, event(1, version)), facts=facts)
    assert (conflict.stream, conflict.expected, conflict.actual) == (stream(1), version - 1, 2)


def test_versions_within_a_submission_must_follow_each_other():
    assert positions(append(1, event(1, 1), event(1, 3))) == [VersionConflict]
    assert positions(append(1, event(1, 1), event(1, 1))) == [VersionConflict]


def test_a_refused_submission_leaves_no_trace_at_all():
    bad = append(1, event(1), event(2, 9), claims=(take(1),))
    later = append(2, event(1), claims=(take(1),), guards=(Guard(stream(2), 0),))
    assert positions(bad, later, append(1, event(2))) == [VersionConflict, 1, 2]


def test_a_guard_sees_what_the_batch_has_written():
    guarded = append(2, event(2), guards=(Guard(stream(1), 0),))
    assert positions(guarded) == [1]
    assert positions(append(1, event(1)), guarded) == [1, GuardFailed]
    assert positions(append(1, event(1)), append(2, event(2), guards=(Guard(stream(1), 1),))) == [
        1,
        2,
    ]


def test_a_guard_on_a_stream_that_is_written_too_means_its_version_before():
    assert positions(append(1, event(1), guards=(Guard(stream(1), 0),))) == [1]


def test_the_same_key_gets_the_first_answer_within_the_batch():
    first, again = append(1, event(1)), append(1, event(2))
    won, replay = verdicts(first, again)
    assert replay == replace(won.appended, replayed=True)


def test_the_same_key_gets_the_first_answer_whatever_has_happened_since():
    before = Appended(7, 1, (b"leaf",))
    facts = replace(
        EMPTY,
        size=100_000,
        recorded_at=NOW + timedelta(days=1),
        versions={stream(1): 5},
        earlier={(AUTHOR, UUID(int=1)): Earlier(b"r", before)},
    )
    assert verdicts(append(1, event(1)), facts=facts) == [replace(before, replayed=True)]


def test_the_same_key_for_another_request_is_refused():
    assert positions(append(1, event(1)), append(1, event(2), request=b"other")) == [1, KeyReused]
    facts = replace(
        EMPTY, earlier={(AUTHOR, UUID(int=1)): Earlier(b"other", Appended(7, 1, (b"leaf",)))}
    )
    assert positions(append(1, event(1)), facts=facts) == [KeyReused]


def test_keys_of_two_authors_are_two_keys():
    mine, theirs = append(1, event(1)), replace(append(1, event(2)), author=UUID(int=2))
    assert positions(mine, theirs) == [1, 2]


def test_the_key_of_a_refused_submission_is_still_free():
    assert positions(append(1, event(1, 5)), append(1, event(1), request=b"fixed")) == [
        VersionConflict,
        1,
    ]


def test_a_claim_has_one_owner():
    batch = [append(n, event(n), claims=(take(n),)) for n in (1, 2)]
    assert positions(*batch) == [1, ClaimTaken]
    facts = replace(EMPTY, owners={("kind", b"k"): stream(9)})
    (taken,) = verdicts(batch[0], facts=facts)
    assert taken.stream == stream(9)
    assert b"k" not in taken.fields.values()


def test_a_claim_can_be_taken_again_once_it_was_released():
    facts = replace(EMPTY, versions={stream(1): 1}, owners={("kind", b"k"): stream(1)})
    released = append(1, event(1, 2), claims=(give(1),))
    decision = admit([released, append(2, event(2), claims=(take(2),))], facts)
    assert len(decision.winners) == 2
    assert decision.owners == {("kind", b"k"): stream(2)}


def test_only_the_owner_releases():
    facts = replace(EMPTY, owners={("kind", b"k"): stream(1)})
    assert positions(append(1, event(2), claims=(give(2),)), facts=facts) == [ClaimNotHeld]
    assert positions(append(1, event(2), claims=(give(2),))) == [ClaimNotHeld]


def test_a_claim_taken_and_released_in_one_batch_changes_nothing():
    batch = [
        append(1, event(1), claims=(take(1),)),
        append(2, event(1, 2), claims=(give(1),)),
    ]
    assert admit(batch, EMPTY).owners == {}
    held = replace(EMPTY, versions={stream(1): 1}, owners={("kind", b"k"): stream(1)})
    assert admit([append(1, event(1, 2), claims=(give(1), take(1)))], held).owners == {}


def test_known_at_is_the_running_maximum_and_two_seconds_are_tolerated():
    batch = [
        append(1, event(1, seconds=5)),
        append(2, event(2, seconds=3)),
        append(3, event(3, seconds=2.999)),
        append(4, event(4, seconds=6), event(4, 2, seconds=4)),
    ]
    decision = admit(batch, EMPTY)
    assert [one.known_at for one in decision.winners] == [
        (NOW + timedelta(seconds=5),),
        (NOW + timedelta(seconds=5),),
        (NOW + timedelta(seconds=6), NOW + timedelta(seconds=6)),
    ]
    assert isinstance(decision.verdicts[2], ClockBehind)
    assert decision.recorded_at == NOW + timedelta(seconds=6)


def test_nothing_new_is_admitted_while_too_much_lacks_a_checkpoint():
    facts = replace(EMPTY, size=12, published=2)
    batch = [append(1, event(1), event(2)), append(2, event(3)), append(1, event(1))]
    kinds = [type(verdict) for verdict in admit(batch, facts, unpublished_limit=11).verdicts]
    assert kinds == [Admitted, Backlogged, Appended]


NUMBERS = st.integers(0, 2)
SUBMISSIONS = st.builds(
    lambda key, events, guards, claims, request: append(
        key, *events, guards=tuple(guards), claims=tuple(claims), request=request
    ),
    st.integers(0, 5),
    st.lists(
        st.builds(event, NUMBERS, st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=2
    ),
    st.lists(st.builds(lambda n, v: Guard(stream(n), v), NUMBERS, NUMBERS), max_size=1),
    st.lists(st.one_of(st.builds(take, NUMBERS), st.builds(give, NUMBERS)), max_size=2),
    st.sampled_from([b"r", b"s"]),
)


@given(st.lists(SUBMISSIONS, max_size=8))
def test_a_batch_decides_as_if_each_had_its_own_transaction(batch):
    together = admit(batch, EMPTY)
    facts, alone = EMPTY, []
    for one in batch:
        decision = admit([one], facts)
        alone += decision.verdicts
        owners = {**facts.owners, **decision.owners}
        facts = Facts(
            decision.size,
            decision.recorded_at,
            0,
            facts.versions | {e.stream: e.version for w in decision.winners for e in one.events},
            facts.earlier
            | {(AUTHOR, w.append.key): Earlier(one.request, w.appended) for w in decision.winners},
            {key: owner for key, owner in owners.items() if owner is not None},
        )
    assert [repr(verdict) for verdict in together.verdicts] == [repr(one) for one in alone]
    assert (together.size, together.recorded_at) == (facts.size, facts.recorded_at)
    assert {k: v for k, v in together.owners.items() if v is not None} == facts.owners
