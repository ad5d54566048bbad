"""A follower of a log's server alone: what it goes on through, and what ends it."""

from contextlib import closing

import pytest

from cli.conformance.log_server import TOKEN, LogServer
from cli.conformance.made_log import DOSE, MadeLog
from client.access import Access
from client.errors import ProblemError, RefutedError, TrustError
from client.exchange import Patience
from client.feed import FeedServer
from client.follow import Follower, follow
from client.http import Caller
from client.remembering import Memory

ORIGIN = "follow.example.cn/vax"
NOBODY = FeedServer("nats://127.0.0.1:9")  # the discard port: nothing listens


class Stumbling(LogServer):
    """Answers some addresses with a status first, as a replica that lags does."""

    def __init__(self):
        super().__init__()
        self.stumbles = []

    def answer(self, target, authorization):
        for at, (beginning, status) in enumerate(self.stumbles):
            if target.startswith(beginning):
                del self.stumbles[at]
                return status, b"{}"
        return super().answer(target, authorization)


@pytest.fixture
def server():
    with closing(Stumbling()) as serving:
        yield serving


def access(server, division="", token=TOKEN):
    caller = Caller(server.url, token, MadeLog(ORIGIN).trust, patience=Patience(attempts=2))
    return Access(NOBODY, caller, division)


def positions(server, until, *, memory=None, alarms=None, **options):
    told = [] if alarms is None else alarms
    follower = Follower(access(server, **options), memory, told.append)
    batches = list(follow(follower, until))
    return [event.position for batch in batches for event in batch.events], batches[-1].memory


@pytest.mark.parametrize("division", ["", "410205"])
def test_it_goes_on_through_a_server_that_stumbles(server, division):
    log = MadeLog.of_doses(ORIGIN, 700)
    server.show(log.first(300))
    first, memory = positions(server, 300, division=division)
    server.show(log)
    server.stumbles = [
        ("/checkpoint", 503),
        ("/v1/proofs/consistency", 404),
        ("/v1/entries", 500),
        ("/tile", 404),
    ]
    second, memory = positions(server, 700, division=division, memory=memory)
    entries = enumerate(log.raws, 1)
    wanted = [p for p, raw in entries if f'"division":"{division}'.encode() in raw]
    assert first + second == wanted
    assert Memory.decode(memory.encode()) == memory


@pytest.mark.parametrize("token", ["", "expired"])
def test_a_token_that_is_refused_ends_it(server, token):
    server.show(MadeLog.of_doses(ORIGIN, 3))
    with pytest.raises(ProblemError):
        positions(server, 3, token=token)


@pytest.mark.parametrize("division", ["", "410205"])
def test_entries_that_the_signed_tree_does_not_hold_end_it(server, division):
    log = MadeLog.of_doses(ORIGIN, 600)
    server.show(log.altered(301), log.note())  # 301 lies in the county
    alarms = []
    with pytest.raises(RefutedError, match="not-in-the-tree"):
        positions(server, 600, division=division, alarms=alarms)
    assert [alarm.kind for alarm in alarms] == ["not-in-the-tree"]


def test_a_remembered_tree_that_is_not_extended_ends_it(server):
    log = MadeLog.of_doses(ORIGIN, 20)
    server.show(log)
    _, memory = positions(server, 20)
    longer = MadeLog(ORIGIN, tuple(log.altered(3).raws))
    longer.add(DOSE)
    server.show(longer)
    with pytest.raises(RefutedError, match="forked"):
        positions(server, 21, memory=memory)


def test_a_memory_of_another_log_is_refused(server):
    with pytest.raises(TrustError):
        Follower(access(server), Memory("another.example.cn/log"))
