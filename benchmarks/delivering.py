"""From the commit of a dose to its delivery: twenty subscribers, all at work or one of them not."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from benchmarks.contest import Contestant, Pace
from benchmarks.ground import Ground
from benchmarks.measuring import Measured
from benchmarks.site import Site, founded
from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.nats_users import NatsUsers
from bootstrap.floors import Floors
from bootstrap.subscribers import Subscribers
from client.continuity import Continuity
from client.credentials import Credentials
from client.feed import FeedServer
from client.subscribe import Subscription
from workers.publisher import Publisher

ALL_AT_WORK = "commit to delivery, 20 subscribers"
ONE_STOPPED = "commit to delivery, one of 20 subscribers stopped"

_SUBSCRIBERS = 20
_A_SECOND = 200
_SECONDS = 8.0
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.02


@dataclass(slots=True)
class _Times:
    """When each position was committed, and when each subscriber got it."""

    committed: dict[int, float] = field(default_factory=dict)
    delivered: list[tuple[int, float]] = field(default_factory=list)

    def latencies(self) -> list[float]:
        """Seconds from commit to delivery; a delivery may overtake the news of its commit."""
        return [
            max(at - self.committed[position], 0.0)
            for position, at in self.delivered
            if position in self.committed
        ]


def contestants(ground: Ground, pace: Pace) -> list[Contestant]:
    """The same load twice."""
    seconds = _SECONDS * pace.scale
    return [
        Contestant(
            name,
            "deliveries/s",
            lambda _, stopped=stopped: _measure(ground, seconds, stopped),  # type: ignore[misc]
            beside=beside,
            note=f"{_A_SECOND} doses a second, synced; one process publishes and receives",
            has_latency=True,
        )
        for name, stopped, beside in ((ALL_AT_WORK, 0, ""), (ONE_STOPPED, 1, ALL_AT_WORK))
    ]


def _measure(ground: Ground, seconds: float, stopped: int) -> Measured:
    server = EmbeddedNats.start(ground.new_folder("feed"))
    try:
        with founded(ground) as site, site.following():
            place = FeedServer(server.url, server.user, server.password, (server.monitor_url,))
            stop, times = asyncio.Event(), _Times()
            publisher = Publisher(site.parts.reader, place, site.parts.settings.database_url)
            with _beside(lambda: publisher.run(stop), stop):
                _await(lambda: publisher.inspections > 0)
                admin = Subscribers(place, "", Floors(server.home / "f"), NatsUsers(server.home))
                kept = [asyncio.run(admin.add(f"s{n}", "")) for n in range(_SUBSCRIBERS)]
                ended = asyncio.Event()
                with _beside(lambda: _follow(kept[stopped:], times, ended), ended):
                    _give(site, int(seconds * _A_SECOND), times)
                    wanted = max(times.committed)
                    _await(lambda: _is_delivered(times, wanted, _SUBSCRIBERS - stopped))
            latencies = times.latencies()
            return Measured(len(latencies), seconds, latencies)
    finally:
        server.stop()


def _give(site: Site, count: int, times: _Times) -> None:
    """Append doses one by one at the pace, and note when each was committed."""
    doses = chain.from_iterable(site.clinic.doses(site.clinic.register(-(-count // 4))))
    started = time.perf_counter()
    futures = []
    for number, dose in zip(range(count), doses, strict=False):
        time.sleep(max(0.0, started + number / _A_SECOND - time.perf_counter()))
        future = site.writer.submit(site.clinic.dose_append(dose, site.parts.services.clock()))
        future.add_done_callback(
            lambda done: times.committed.update({done.result().first_position: time.perf_counter()})
        )
        futures.append(future)
    for future in futures:
        future.result(_PATIENCE_SECONDS)


async def _follow(kept: list[Credentials], times: _Times, ended: asyncio.Event) -> None:
    tasks = [asyncio.create_task(_receive(one, times)) for one in kept]
    await ended.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _receive(credentials: Credentials, times: _Times) -> None:
    subscription = Subscription(credentials.server(), Continuity(), durable=credentials.durable)
    async with aclosing(subscription.events()) as events:
        async for event in events:
            times.delivered.append((event.position, time.perf_counter()))
            await event.ack()


def _is_delivered(times: _Times, position: int, subscribers: int) -> bool:
    return sum(one == position for one, _ in times.delivered[-4_000:]) >= subscribers


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("The feed does not follow.")
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _beside(work: Callable[[], Coroutine[Any, Any, None]], stop: asyncio.Event) -> Iterator[None]:
    """Run a coroutine in a thread of its own until its event is set."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(work()))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_PATIENCE_SECONDS)
        loop.close()
