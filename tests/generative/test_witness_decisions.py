"""Whatever a log asks, in whatever order: cosigned sizes never fall, and a size has one root."""

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint import LogSigner
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash, node_hash
from ledger.merkle import consistency_proof
from ledger.treehead import Checkpoint
from ledger.witness import AddCheckpoint, Malformed, OtherSize, Refused, Seen

ORIGIN = "log.example/kaifeng"
LOG = LogSigner(ORIGIN, b"e" * 32, b"m" * 32)
LARGEST = 40
FORKS = (0, 7, 16)
"""Leaf index from which each history differs from the first; the first differs nowhere."""


@cache
def leaves(history: int) -> list[bytes]:
    fork = FORKS[history] if history else LARGEST
    return [leaf_hash(f"{history if index >= fork else 0}/{index}".encode()) for index in range(40)]


@cache
def root(history: int, size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(leaves(history)[:size])
    return frontier.root()


@cache
def proof(history: int, old: int, new: int) -> tuple[bytes, ...]:
    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves(history)[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return tuple(consistency_proof(old, new, node)) if 0 < old <= new else ()


@cache
def note(history: int, size: int) -> bytes:
    return LOG.sign(Checkpoint(ORIGIN, size, root(history, size)), 1)


SIZES = st.integers(0, LARGEST)
HISTORIES = st.sampled_from(range(len(FORKS)))
REQUESTS = st.tuples(
    HISTORIES,
    SIZES,
    st.none() | SIZES,  # the size asked from; None for the right one
    st.sampled_from(("honest", "honest", "other history", "cut", "longer")),
)


def ask(history: int, new: int, old: int, kind: str) -> AddCheckpoint:
    hashes = proof((history + 1) % 3 if kind == "other history" else history, old, new)
    if kind == "cut":
        hashes = hashes[:-1]
    if kind == "longer":
        hashes = (*hashes, bytes(32))
    return AddCheckpoint.parse(AddCheckpoint.of(old, hashes, note(history, new)).encode())


def refusal(request: AddCheckpoint, seen: Seen) -> Refused | None:
    try:
        request.check_growth(seen)
    except Refused as refused:
        return refused
    return None


@settings(max_examples=150, deadline=None)
@given(st.lists(REQUESTS, max_size=25))
def test_sizes_never_fall_and_a_size_has_one_root(requests):
    seen = Seen()
    cosigned: dict[int, bytes] = {}
    for history, new, old, kind in requests:
        request = ask(history, new, seen.size if old is None else old, kind)
        refused = refusal(request, seen)
        assert isinstance(refused, Malformed) == (request.old > new)
        if request.old <= new:
            assert isinstance(refused, OtherSize) == (request.old != seen.size)
        if refused is not None:
            assert refused.status != 409 or refused.size == seen.size
            continue
        assert new >= seen.size
        assert cosigned.setdefault(new, root(history, new)) == root(history, new)
        # One history explains all that was ever cosigned.
        assert any(
            all(root(one, size) == kept for size, kept in cosigned.items())
            for one in range(len(FORKS))
        )
        seen = Seen(new, root(history, new))


@settings(max_examples=150, deadline=None)
@given(HISTORIES, st.lists(SIZES, max_size=12))
def test_an_honest_log_is_never_refused(history, sizes):
    seen = Seen()
    for size in sorted(sizes):
        ask(history, size, seen.size, "honest").check_growth(seen)
        seen = Seen(size, root(history, size))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: b"old 1\n" + tail))
def test_a_body_is_read_and_written_again_exactly_or_malformed(raw):
    try:
        request = AddCheckpoint.parse(raw)
    except Malformed:
        return
    assert request.encode() == raw


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_was_written_is_read(old, hashes):
    request = AddCheckpoint.of(old, hashes, note(0, 3))
    assert AddCheckpoint.parse(request.encode()) == request
