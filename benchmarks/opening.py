"""The minute at which seats open: 20,000 requests in 30 s against a whole installation.

Whoever would wait too long is sent away at once (429), so that those who are let in are answered
in time. Everybody is somebody else, asks once, and is due at a fixed moment, whatever happens.
"""

import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from uuid import uuid4

import uvloop

from benchmarks.booking import Rush
from benchmarks.contest import Contestant, Pace
from benchmarks.installation import TOKEN_SECONDS, Served
from benchmarks.measuring import Measured, arrivals
from benchmarks.submitting import Task, citizen
from benchmarks.wire import connected, request
from bootstrap.tokens import DevelopmentIssuerWarning
from ledger.jcs import canonical

OPENING = "opening rush, 20,000 requests in 30 s"
REQUESTS, SECONDS = 20_000, 30.0
_CONNECTIONS = 512
_SLOTS, _SEATS = 8, 500
_ADMITTED, _SENT_AWAY = (201, 202, 422), 429
_FIRST = 1_000_000
"""Number of the first of them: nobody of another row."""


def contestants(served: Served, stack: ExitStack, pace: Pace) -> list[Contestant]:
    """The rush, once in full: a second one would find the first one's people."""
    rush = Rush(served.site.parts, stack)
    requests = pace.amount(REQUESTS)
    seconds = SECONDS * requests / REQUESTS
    people = count(_FIRST)
    made: list[bytes] = []

    def prepare() -> None:
        task = Task(0, requests, [rush.open(*[_SEATS] * _SLOTS)], _SLOTS)
        made[:] = _requests(served, task, people)
        served.await_views()

    def run(_: float) -> Measured:
        measured, statuses = uvloop.run(_arrive(served.port, made, seconds))
        strange = {status: n for status, n in statuses.items() if status not in _KNOWN}
        if strange:
            raise RuntimeError(f"Unexpected answers: {strange}")
        told = ", ".join(f"{n:,} answered {status}" for status, n in sorted(statuses.items()))
        opening.note = f"{told}; latency of those who were admitted"
        return measured

    opening = Contestant(OPENING, "answers/s", run, prepare, has_latency=True, turns=1)
    return [opening]


_KNOWN = (*_ADMITTED, _SENT_AWAY)


async def _arrive(port: int, made: list[bytes], seconds: float) -> tuple[Measured, Counter[int]]:
    """Send everything when it is due; a latency counts from then, and only of who was admitted."""
    waiting, statuses = iter(enumerate(made)), Counter[int]()
    admitted: list[float] = []
    a_second = len(made) / seconds
    async with connected(port, _CONNECTIONS) as lines:
        started = time.perf_counter()

        async def step() -> int:
            number, raw = next(waiting)
            answer = await lines.call(raw)
            statuses[answer.status] += 1
            if answer.status != _SENT_AWAY:
                admitted.append(time.perf_counter() - started - number / a_second)
            return 1

        measured = await arrivals(step, a_second, seconds)
    return Measured(measured.count, measured.seconds, admitted), statuses


def _requests(served: Served, task: Task, people: Iterator[int]) -> list[bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DevelopmentIssuerWarning)
        issuer = served.site.parts.issuer
    now = int(time.time())
    made = []
    for number in range(task.people):
        token = issuer.mint(citizen(next(people)), issued_at=now, lifetime_seconds=TOKEN_SECONDS)
        body = canonical(task.wish(number))
        key = str(uuid4())
        made.append(request("POST", "/v1/appointments", token, body, idempotency_key=key))
    return made
