"""The log asks its witnesses: honest ones cosign, hostile ones neither harm nor hold it up."""

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from structlog.testing import CapturingLogger

import workers.cosigning
from ledger.note import Note
from ledger.policy import Policy
from ledger.store.cosigning import CosignatureStore, Failure
from ledger.witness import MAX_ANSWER_BYTES, AddCheckpoint, Cosigner
from tests.integration.witness.asked_log import Answer, AskedLog, Hostile, policy_of, until
from tests.integration.witness.conftest import NAME, ServedWitness, Tree, served
from tests.integration.witness.test_witness_server import keys_of

HOSTILE = Cosigner("hostile.example", b"h" * 32, b"i" * 32)


@pytest.fixture
def make_log(migrated_database, tmp_path) -> Iterator[Callable[[], AskedLog]]:
    made: list[AskedLog] = []

    def make() -> AskedLog:
        urls = migrated_database()
        made.append(AskedLog(urls.log, tmp_path / f"outside-{len(made)}" / "checkpoint"))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def asked(make_log) -> AskedLog:
    return make_log()


@pytest.fixture
def make_hostile() -> Iterator[Callable[[Answer], Hostile]]:
    made: list[Hostile] = []

    def make(answer: Answer) -> Hostile:
        made.append(Hostile(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def policy_for(*witnesses: ServedWitness, needed: str = "all") -> Policy:
    return policy_of(*((one.url, keys_of(one.folder)) for one in witnesses), needed=needed)


def is_witnessed(log: AskedLog, policy: Policy, size: int) -> bool:
    found = log.reader.witnessed()
    return found is not None and found[0] == size and policy.verify(found[1]).witnessed


def test_a_growing_log_is_cosigned_and_shows_it(asked, witness):
    policy = policy_for(witness)
    with asked.asking(policy):
        for count in (1, 2, 300):
            size = asked.grow(count)
            until(lambda size=size: is_witnessed(asked, policy, size), "it is not cosigned")
            assert policy.verify(asked.reader.checkpoint()[1]).witnessed
    standing = asked.standing(NAME)
    assert standing is not None
    assert (standing.cosigned, standing.alarm, standing.problem) == (size, None, None)
    asked.grow(1)
    newest = policy.verify(asked.reader.checkpoint()[1])
    assert (newest.checkpoint.size, newest.witnessed) == (size + 1, False)
    assert is_witnessed(asked, policy, size)


def test_a_witness_that_stands_elsewhere_is_asked_from_there(asked, witness):
    """Somebody else, say a monitor, has shown it a checkpoint that we did not."""
    asked.grow(5)
    note = asked.reader.checkpoint()[1]
    assert witness.add(AddCheckpoint.of(0, [], note).encode()).status_code == 200
    size = asked.grow(20)
    policy = policy_for(witness)
    with asked.asking(policy):
        until(lambda: is_witnessed(asked, policy, size), "it is not cosigned")
    standing = asked.standing(NAME)
    assert (standing.refusals, standing.alarms, standing.problem) == (1, 0, None)


def test_a_witness_that_was_away_is_asked_again_when_it_is_back(asked, make_witness):
    folder = make_witness()
    with served(folder) as witness:
        policy, port = policy_for(witness), witness.port
    size = asked.grow(3)
    with asked.asking(policy):
        until(lambda: asked.standing(NAME), "it was not asked")
        until(lambda: asked.standing(NAME).problem == "unreachable", "its absence is not noted")
        asked.grow(1)
        with served(folder, port):
            until(lambda: is_witnessed(asked, policy, size + 1), "it is not cosigned")
    assert asked.standing(NAME).failing_since is None


def test_a_quorum_needs_no_witness_that_is_dead(asked, witness, make_hostile, monkeypatch):
    monkeypatch.setattr(workers.cosigning, "ANSWER_SECONDS", 2.0)
    hanging = make_hostile(Answer(body=b"x" * 1000, seconds=0.1))
    keys = list(HOSTILE.verifier_keys())
    pairs = ((witness.url, keys_of(witness.folder)), (hanging.url, keys))
    policy = policy_of(*pairs, needed="1")
    with asked.asking(policy):
        for _ in range(3):
            size = asked.grow(1)  # a round of the integrator takes no notice
            until(lambda size=size: is_witnessed(asked, policy, size), "it is not cosigned")
        until(lambda: asked.standing(HOSTILE.name).problem == "timeout", "it is waited for")


def lines_of(cosigner: Cosigner, asked: bytes) -> bytes:
    lines = cosigner.cosign(AddCheckpoint.parse(asked).checkpoint, 1)
    return "".join(one.line() for one in lines).encode()


def well(asked: bytes) -> bytes:
    return lines_of(HOSTILE, asked)


def of_another_tree(cosigner: Cosigner, _: bytes) -> bytes:
    return lines_of(cosigner, AddCheckpoint.of(0, [], Tree("fork").note(3)).encode())


def by_another_key(cosigner: Cosigner, asked: bytes) -> bytes:
    return lines_of(Cosigner(cosigner.name, b"j" * 32, b"k" * 32), asked)


def after_another_text(cosigner: Cosigner, asked: bytes) -> bytes:
    return b"something\n\n" + lines_of(cosigner, asked)


SIZE = "text/x.tlog.size"
HOSTILITIES = [
    (Answer(body=by_another_key), "bad-cosignature"),
    (Answer(body=of_another_tree), "bad-cosignature"),
    (Answer(body=after_another_text), "bad-cosignature"),
    (Answer(body=b"\x00\xff garbage"), "bad-cosignature"),
    (Answer(), "bad-cosignature"),
    (Answer(body=b"x" * (MAX_ANSWER_BYTES * 40)), "answer-too-long"),
    (
        Answer(body=gzip.compress(b"x" * 10_000_000), headers=(("Content-Encoding", "gzip"),)),
        "bad-cosignature",
    ),
    (Answer(body=b"x" * 1000, seconds=0.1), "timeout"),
    (Answer(500, b"oops"), "status-500"),
    (Answer(403, b"who are you?"), "status-403"),
    (Answer(404, b"where?"), "status-404"),
    (Answer(302, headers=(("Location", "http://127.0.0.1:1/elsewhere"),)), "status-302"),
    (Answer(409, b"2\n", SIZE), "other-size"),
    (Answer(409, b"2\n"), "status-409"),
    (Answer(409, b"two\n", SIZE), "status-409"),
    (Answer(409, b"9" * 30 + b"\n", SIZE), "status-409"),
]


def test_hostile_witnesses_are_not_believed_and_hold_nobody_up(
    asked, witness, make_hostile, monkeypatch
):
    """All of them at once, beside an honest one."""
    monkeypatch.setattr(workers.cosigning, "ANSWER_SECONDS", 5.0)
    expected, listed = {}, [(witness.url, keys_of(witness.folder))]
    for number, (answer, problem) in enumerate(HOSTILITIES):
        cosigner = Cosigner(f"{HOSTILE.name}/{number}", bytes((number,)) * 32, b"i" * 32)
        expected[cosigner.name] = problem
        if callable(answer.body):
            answer = replace(answer, body=partial(answer.body, cosigner))  # noqa: PLW2901  its own
        listed.append((make_hostile(answer).url, list(cosigner.verifier_keys()[:1])))
    policy = policy_of(*listed, needed="1")
    size = asked.grow(3)
    with asked.asking(policy):
        until(lambda: is_witnessed(asked, policy, size), "the honest one is not heard")
        # Whoever was too slow for an answer at first is asked again.
        until(lambda: problems(asked) == expected, "not all problems are noted")
    assert all(one.alarm is None for one in asked.reader.witnesses())
    assert len(Note.parse(asked.reader.checkpoint()[1]).signatures) == 4


def problems(log: AskedLog) -> dict[str, str]:
    return {one.name: one.problem for one in log.reader.witnesses() if one.problem}


@pytest.mark.parametrize(
    ("answer", "alarm"),
    [(Answer(422, b"no"), "forked"), (Answer(409, b"1000\n", SIZE), "rolled-back")],
)
def test_a_witness_that_holds_another_history_is_an_alarm(
    asked, make_hostile, monkeypatch, answer, alarm
):
    hostile = make_hostile(answer)
    policy = policy_of((hostile.url, list(HOSTILE.verifier_keys())))
    asked.grow(3)
    monkeypatch.setattr(workers.cosigning, "_log", logger := CapturingLogger())
    with asked.asking(policy):
        until(lambda: asked.standing(HOSTILE.name), "it is not asked")
        until(lambda: asked.standing(HOSTILE.name).alarm, "there is no alarm")
        asked.grow(1)
        hostile.answer = Answer(body=well)
        until(lambda: asked.standing(HOSTILE.name).alarm is None, "the alarm does not end")
    critical = [call.kwargs for call in logger.calls if call.method_name == "critical"]
    assert critical
    assert all((one["witness"], one["kind"]) == (HOSTILE.name, alarm) for one in critical)
    assert asked.standing(HOSTILE.name).alarms >= 1


def test_a_database_that_was_set_back_is_found_by_the_witness(make_log, witness):
    """And with it the outside file: nothing else of the installation remembers."""
    before, after = make_log(), make_log()
    policy = policy_for(witness)
    size = before.grow(8)
    with before.asking(policy):
        until(lambda: is_witnessed(before, policy, size), "it is not cosigned")
    after.grow(3)
    with after.asking(policy):
        until(lambda: after.standing(NAME), "it is not asked")
        until(lambda: after.standing(NAME).alarm == "rolled-back", "nobody notices")
        after.grow(10)  # and goes on with another history
        until(lambda: after.standing(NAME).alarm == "forked", "nobody notices")
    assert after.reader.witnessed() is None


def test_a_witness_is_asked_once_a_second_and_once_at_a_time_by_all_processes(asked, make_hostile):
    hostile = make_hostile(Answer(body=well))
    policy = policy_of((hostile.url, list(HOSTILE.verifier_keys())))
    started = time.monotonic()
    with asked.asking(policy), asked.asking(policy):
        until(lambda: asked.grow(1) and len(hostile.times) > 3, "it is not asked")
    # A request that is late is later still, so this holds however slow the machine is.
    assert hostile.times[3] - started >= 3
    assert hostile.most_at_once == 1


def test_the_newest_only_is_asked_for(asked, make_hostile):
    hostile = make_hostile(Answer(body=well))
    policy = policy_of((hostile.url, list(HOSTILE.verifier_keys())))
    for _ in range(5):
        size = asked.grow(2)
    with asked.asking(policy):
        until(lambda: is_witnessed(asked, policy, size), "it is not cosigned")
    assert [AddCheckpoint.parse(one).checkpoint.size for one in hostile.bodies] == [size]


class Keeping:
    """A store under a clock of the test's own, and cosignatures to keep in it."""

    def __init__(self, log: AskedLog) -> None:
        self.log = log
        self.now = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
        self.store = CosignatureStore(log.pool, lambda: self.now)

    def keep(self, cosigner: Cosigner, *, quorum: bool) -> int:
        size, raw = self.store.newest()
        claim = self.store.claim(cosigner.name, size, 1)
        lines = cosigner.cosign(AddCheckpoint.of(0, [], raw).checkpoint, 5)
        self.store.succeed(claim, size, raw, lines, lambda _: quorum)
        return size

    def kept(self) -> list[tuple[int, bool]]:
        with self.log.pool.connection() as connection:
            statement = "SELECT size, quorum FROM ledger.cosigned ORDER BY size"
            return connection.execute(statement).fetchall()


def test_one_cosigned_checkpoint_a_minute_is_kept_and_the_newest(asked):
    keeping = Keeping(asked)
    for _ in range(13):
        asked.grow(1)
        keeping.keep(HOSTILE, quorum=True)
        keeping.now += timedelta(seconds=20)
    # 12:00:05, then each 20 s: the first of each minute, and those less than a minute old.
    assert keeping.kept() == [(size, True) for size in (1, 4, 7, 10, 11, 12, 13)]
    asked.grow(1)
    keeping.now += timedelta(minutes=30)
    keeping.keep(HOSTILE, quorum=False)
    assert keeping.kept() == [*((size, True) for size in (1, 4, 7, 10, 13)), (14, False)]


def test_cosignatures_of_two_witnesses_come_together(asked):
    keeping, other = Keeping(asked), Cosigner("other.example", b"o" * 32, b"p" * 32)
    size = asked.grow(4)
    for _ in range(2):
        for cosigner in (HOSTILE, other):
            keeping.keep(cosigner, quorum=False)
        keeping.now += timedelta(seconds=61)
    found_size, raw = asked.reader.checkpoint()
    names = [one.name for one in Note.parse(raw).signatures]
    assert found_size == size
    assert sorted(names) == sorted(
        [*[asked.integrator._signer.origin] * 2, *[HOSTILE.name] * 2, *[other.name] * 2]
    )


def test_claims_keep_off_others_and_end_by_themselves(asked):
    keeping = Keeping(asked)
    size = asked.grow(1)
    store = keeping.store
    assert store.claim("w", size, 10) is not None
    assert store.claim("w", size, 10) is None
    keeping.now += timedelta(seconds=10)
    assert store.claim("w", size, 10) is not None  # whoever claimed it has died
    store.fail("w", Failure("timeout", refused=False), 30)
    keeping.now += timedelta(seconds=29)
    assert store.claim("w", size, 10) is None
    keeping.now += timedelta(seconds=1)
    claim = store.claim("w", size, 10)
    assert (claim.holds, claim.failures) == (0, 1)
    store.fail("w", Failure("other-size", holds=7, refused=True), 0)
    claim = store.claim("w", size, 10)
    assert (claim.holds, claim.failures) == (7, 2)


def test_what_was_cosigned_is_renewed_after_a_minute_only(asked):
    keeping = Keeping(asked)
    size = asked.grow(1)
    keeping.keep(HOSTILE, quorum=True)
    keeping.now += timedelta(seconds=59)
    assert keeping.store.claim(HOSTILE.name, size, 1) is None
    assert keeping.store.claim(HOSTILE.name, size + 1, 1) is not None
    keeping.now += timedelta(seconds=1)
    assert keeping.store.claim(HOSTILE.name, size, 1) is not None


def test_a_stricter_policy_is_met_by_nothing_of_before(asked, witness):
    policy = policy_for(witness)
    size = asked.grow(2)
    with asked.asking(policy):
        until(lambda: is_witnessed(asked, policy, size), "it is not cosigned")
    stricter = policy_of(
        (witness.url, keys_of(witness.folder)),
        ("http://127.0.0.1:1", list(HOSTILE.verifier_keys())),
    )
    with asked.asking(stricter):
        until(lambda: asked.reader.witnessed() is None, "the old quorum is still believed")
    assert len(Note.parse(asked.reader.checkpoint()[1]).signatures) == 4
