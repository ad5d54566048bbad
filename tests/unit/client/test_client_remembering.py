"""What a subscriber remembers: it comes back as it was, and nothing else is taken for it."""

import json

import pytest

from client.errors import RememberedError
from client.remembering import Memory
from ledger.frontier import Frontier
from tests.unit.client.signed_log import ORIGIN, small_log

LOG = small_log()


def whole(position):
    frontier = Frontier()
    frontier.extend(LOG.leaves[:position])
    return Memory(ORIGIN, "", position, frontier.encode(), LOG.note())


@pytest.mark.parametrize(
    "memory",
    [
        Memory(ORIGIN),
        Memory(ORIGIN, "4102"),
        whole(7),
        Memory(ORIGIN, "41", 5, checkpoint=LOG.note()),
    ],
)
def test_a_memory_comes_back_as_it_was(memory):
    assert Memory.decode(memory.encode()) == memory


def test_it_knows_the_tree_that_was_believed():
    assert whole(3).tree == LOG.checkpoint()
    assert Memory(ORIGIN).tree is None


@pytest.mark.parametrize(
    "changes",
    [
        {"position": 8},  # not where the frontier is
        {"position": -1},
        {"division": "410205"},  # which has no frontier
        {"division": "4"},
        {"checkpoint": ""},  # nothing covers the position
        {"checkpoint": LOG.note(5).decode()},
        {"origin": "another.example.cn/log"},
        {"frontier": "AAAA"},
        {"v": 2},
        {"more": 1},
    ],
)
def test_a_memory_that_contradicts_itself_is_refused(changes):
    given = json.loads(whole(7).encode()) | changes
    raw = json.dumps(given, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(RememberedError):
        Memory.decode(raw)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", whole(7).encode()[:-1]])
def test_what_is_no_memory_is_refused(raw):
    with pytest.raises(RememberedError):
        Memory.decode(raw)
