"""Measuring: one caller, many threads, many tasks, or arrivals at a fixed rate.

Every measurement is bounded twice, by seconds and by what there is to do.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Step = Callable[[], int]
"""Does some work and tells how much; 0 when nothing is left."""
AsyncStep = Callable[[], Awaitable[int]]

_JOIN_SECONDS = 60.0


@dataclass(slots=True)
class Measured:
    """What came out.

    Attributes:
        count: Events, requests or bytes.
        seconds: From the first call to the last answer.
        latencies: Seconds of each call.
    """

    count: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds if self.seconds else 0.0


def alone(step: Step, seconds: float) -> Measured:
    """Call again and again from this thread."""
    measured = Measured()
    started = now = time.perf_counter()
    deadline = started + seconds
    while now < deadline and (done := step()):
        measured.count += done
        before, now = now, time.perf_counter()
        measured.latencies.append(now - before)
    measured.seconds = now - started
    return measured


def once(work: Callable[[], int]) -> Measured:
    """Do one piece of work and count what it says."""
    started = time.perf_counter()
    count = work()
    return Measured(count, time.perf_counter() - started)


def threads(steps: list[Step], seconds: float) -> Measured:
    """Call each step from a thread of its own, all at the same time.

    Raises:
        Exception: What the first thread that failed met.
    """
    ready = threading.Barrier(len(steps) + 1)
    done: list[Measured] = []
    failures: list[Exception] = []

    def work(step: Step) -> None:
        ready.wait()
        try:
            done.append(alone(step, seconds))
        except Exception as error:  # noqa: BLE001  raised again by the caller below
            failures.append(error)

    running = [threading.Thread(target=work, args=(step,), daemon=True) for step in steps]
    for thread in running:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in running:
        thread.join(seconds + _JOIN_SECONDS)
    elapsed = time.perf_counter() - started
    if failures:
        raise failures[0]
    if len(done) < len(steps):
        raise TimeoutError("A caller did not come back.")
    latencies = [one for measured in done for one in measured.latencies]
    return Measured(sum(measured.count for measured in done), elapsed, latencies)


async def tasks(step: AsyncStep, callers: int, seconds: float) -> Measured:
    """Call a step from so many tasks at the same time."""
    measured = Measured()
    started = time.perf_counter()
    deadline = started + seconds

    async def work() -> None:
        before = time.perf_counter()
        while before < deadline and (done := await step()):
            now = time.perf_counter()
            measured.count += done
            measured.latencies.append(now - before)
            before = now

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(work())
    measured.seconds = time.perf_counter() - started
    return measured


async def arrivals(step: AsyncStep, a_second: float, seconds: float) -> Measured:
    """Start a step at fixed moments, however long the others take (an open loop).

    A latency counts from the moment at which the step was due, so that a stall is paid for by all
    who came meanwhile.
    """
    measured = Measured()
    started = time.perf_counter()

    async def work(due: float) -> None:
        done = await step()
        measured.count += done
        measured.latencies.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as group:
        for number in range(int(a_second * seconds)):
            due = started + number / a_second
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            group.create_task(work(due))
    measured.seconds = time.perf_counter() - started
    return measured
