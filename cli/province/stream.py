"""A simulated province over HTTP, at a chosen pace.

Events come due one after the other at the pace, whatever the server does (an open loop), and a
latency counts from that moment. A child's events wait for each other. Where the server falls
behind by more than ``MAX_WAITING`` events, they wait for it: then the rate that was reached is
told by the outcome.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from cli.demo.actors import Place
from cli.demo.writes import Write
from cli.province.events import Writing
from cli.province.organisations import Organisations
from cli.province.repeatable import signed
from client.errors import ClientError
from domain.schedules.schedule import Schedule
from simulation.province import Province
from simulation.years import years

MAX_WAITING = 512

_KEPT_LATENCIES = 100_000

Stop = Callable[[], bool]


@dataclass(slots=True)
class Streamed:
    """What came of it so far.

    Attributes:
        writes: Written, each with a verified receipt.
        seconds: From the first event to the last receipt.
        latencies: Seconds from the moment at which an event was due to its last receipt, of the
            newest events.
    """

    writes: int = 0
    seconds: float = 0.0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_LATENCIES))

    @property
    def rate(self) -> float:
        """Writes a second."""
        return self.writes / self.seconds if self.seconds else 0.0


async def stream(
    place: Place,
    province: Province,
    schedule: Schedule,
    rate: float,
    told: Streamed,
    *,
    is_over: Stop = lambda: False,
) -> None:
    """Admit the province's organisations, then write its years.

    What a run that was ended has written is answered as such when it is sent again.

    Args:
        place: Where.
        province: Who lives there.
        schedule: By which the clinics vaccinate.
        rate: Events a second.
        told: Kept up to date.
        is_over: Asked before each event; what is under way is still waited for.

    Raises:
        ClientError: The first write that the server refused or did not prove.
    """
    size = f"{province.children}/{province.years}/{province.first_day}"
    name = f"simulation/{province.seed}/{size}/{schedule.edition.id}"
    organisations = Organisations(place, province, name)
    try:
        for one in organisations.admissions():
            await _submit(one)
        writing = Writing(province, organisations)
        lanes = (
            (child.number, list(writing.writes(child, event)))
            for child, event in years(province, schedule)
        )
        await _Pacer(rate, told).run(lanes, is_over)
    finally:
        await organisations.close()


class _Pacer:
    """Sends events when they are due, a child's one after the other.

    Args:
        rate: Events a second.
        told: Kept up to date.
    """

    def __init__(self, rate: float, told: Streamed) -> None:
        self._rate = rate
        self._told = told
        self._slots = asyncio.Semaphore(MAX_WAITING)
        self._newest: dict[int, asyncio.Task[None]] = {}

    async def run(self, events: Iterable[tuple[int, Sequence[Write]]], is_over: Stop) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                for number, (child, writes) in enumerate(events):
                    due = started + number / self._rate
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    if is_over():
                        break
                    await self._slots.acquire()
                    before = self._newest.get(child)
                    task = group.create_task(self._send(child, before, writes, due))
                    self._newest[child] = task
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        finally:
            self._told.seconds = loop.time() - started

    async def _send(
        self, child: int, before: asyncio.Task[None] | None, writes: Sequence[Write], due: float
    ) -> None:
        try:
            if before is not None:
                await before
            for one in writes:
                await _submit(one)
                self._told.writes += 1
            self._told.latencies.append(asyncio.get_running_loop().time() - due)
        finally:
            self._slots.release()
            if self._newest.get(child) is asyncio.current_task():
                del self._newest[child]


async def _submit(one: Write) -> None:
    try:
        await one.author.client.submit(one.path, signed(one))
    except ClientError as error:
        error.add_note(f"{one.draft.topic} {one.draft.stream}")
        raise
