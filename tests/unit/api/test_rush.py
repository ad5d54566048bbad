"""Who waits in a rush, and who is told to come again."""

import asyncio
import threading
from types import SimpleNamespace

import pytest
from starlette.responses import Response

from api.errors import Rushed
from api.rush import PATIENCE_SECONDS, Rush
from api.shedding import Shedding
from ledger.store.errors import Backlogged


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  what is waited for sets no event
            await asyncio.sleep(0.001)


def test_nobody_is_sent_away_while_a_thread_is_free():
    async def scene():
        rush = Rush(1)
        rush.seconds = 100 * PATIENCE_SECONDS
        return await rush.run(lambda: "held")

    assert asyncio.run(scene()) == "held"


def test_who_would_wait_too_long_is_sent_away_and_the_others_are_served():
    async def scene():
        rush, gate = Rush(1), threading.Event()
        tasks = [asyncio.create_task(rush.run(gate.wait)) for _ in range(2)]
        await until(lambda: rush.waiting == 1)
        rush.seconds = PATIENCE_SECONDS
        with pytest.raises(Rushed) as refused:
            await rush.run(gate.wait)
        rush.seconds = PATIENCE_SECONDS / 10
        tasks.append(asyncio.create_task(rush.run(gate.wait)))
        await until(lambda: rush.waiting == 2)
        gate.set()
        return refused.value.headers, await asyncio.gather(*tasks)

    headers, served = asyncio.run(scene())
    assert headers == {"Retry-After": "2"}
    assert served == [True, True, True]


def test_who_meets_a_full_queue_of_writes_is_sent_away_too():
    def full():
        raise Backlogged(3)

    async def scene():
        with pytest.raises(Rushed) as refused:
            await Rush(1).run(full)
        return refused.value.headers

    assert asyncio.run(scene()) == {"Retry-After": "3"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/appointments", 429), ("GET", "/v1/appointments", 204), ("POST", "/book", 204)],
)
def test_of_whom_is_sent_away_nothing_is_read(method, path, status):
    async def scene():
        rush, gate, sent = Rush(1), threading.Event(), []
        tasks = [asyncio.create_task(rush.run(gate.wait)) for _ in range(2)]
        await until(lambda: rush.waiting == 1)
        rush.seconds = PATIENCE_SECONDS
        app = SimpleNamespace(state=SimpleNamespace(serving=SimpleNamespace(rush=rush)))
        scope = {"type": "http", "method": method, "path": path, "headers": [], "app": app}

        async def receive():
            raise AssertionError("the body is not read")

        async def send(message):
            sent.append(message)

        async def routes(scope, receive, send):
            await Response(status_code=204)(scope, receive, send)

        await Shedding(routes)(scope, receive, send)
        gate.set()
        await asyncio.gather(*tasks)
        return sent

    start, *_ = asyncio.run(scene())
    assert start["status"] == status
    assert (b"retry-after", b"2") in start["headers"] or status == 204


def test_slow_bookings_are_remembered_and_forgotten():
    async def scene():
        rush = Rush(1)
        rush.seconds = 10.0
        for _ in range(100):
            await rush.run(lambda: None)
        return rush.seconds

    assert asyncio.run(scene()) < 1.0
