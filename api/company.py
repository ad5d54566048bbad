"""Signed writes that arrive together: one thread reads, decides and hands in for all of them.

A thread for each was woken for its body, for its turn and for its commit: at 64 connections
seventeen switches of context a dose. Alone, a write waits for nobody; those that arrive while
others are decided are decided next.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from anyio import CapacityLimiter, to_thread

from api.gathering import Gathering
from commands.ahead import Admitted, Flight
from commands.answering import Written
from commands.desk import Desk


class Submission(Protocol):
    """A signed write that somebody waits for; both steps run in a thread."""

    def admit(self) -> Admitted:
        """Read it, and let it in; raises whatever it is refused for."""

    def alone(self, admitted: Admitted) -> Written:
        """Decide it by itself."""


@dataclass(slots=True, eq=False)
class _Member:
    """A write, and what was found of it so far.

    Attributes:
        submission: The write.
        answered: Done when there is something to go on with.
        admitted: Once it is let in.
        flight: Once it is handed in; None for one that is to be decided by itself.
        error: What it is refused for.
    """

    submission: Submission
    answered: "asyncio.Future[None]"
    admitted: Admitted | None = None
    flight: Flight | None = None
    error: Exception | None = None

    def check(self) -> None:
        """Raise what it is refused for, once: kept, it would hold this write until a collection."""
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None


class Company:
    """Takes signed writes.

    Args:
        desk: Decides.
        threads: Bounds the threads of those that are decided by themselves.
    """

    def __init__(self, desk: Desk, threads: CapacityLimiter) -> None:
        self._desk = desk
        self._threads = threads
        self._gathering = Gathering(self._decide)
        self._leader = CapacityLimiter(1)
        self._settled: deque[asyncio.Future[None]] = deque()
        self._is_rung = False

    async def write(self, submission: Submission) -> Written:
        """Take one write; return where it stands once its commit is durable.

        Raises:
            Exception: What it is refused for, see `Submission` and `Desk.submit`.
        """
        mine = _Member(submission, asyncio.get_running_loop().create_future())
        self._gathering.join(mine)
        await mine.answered
        mine.check()
        written = self._desk.land(mine.flight) if mine.flight is not None else None
        if written is None:
            assert mine.admitted is not None, "it is let in, or refused"
            written = await to_thread.run_sync(
                submission.alone, mine.admitted, limiter=self._threads
            )
        return written

    async def _decide(self, company: Sequence[_Member]) -> None:
        """Let a thread take them."""
        loop = asyncio.get_running_loop()
        try:
            await to_thread.run_sync(self._take, company, loop, limiter=self._leader)
        except Exception as error:  # noqa: BLE001  each of them waits for an answer
            _refuse(company, error)

    def _take(self, company: Sequence[_Member], loop: asyncio.AbstractEventLoop) -> None:
        """Admit and hand in; runs in a thread. Everyone is settled, whatever becomes of it."""
        going: list[tuple[_Member, Admitted]] = []
        for one in company:
            try:
                one.admitted = one.submission.admit()
            except Exception as error:  # noqa: BLE001  raised to whoever handed it in
                one.error = error
            if one.admitted is not None and one.admitted.is_for_company:
                going.append((one, one.admitted))
            else:
                self._settle(one.answered, loop)
        flights = self._desk.hand_in([admitted for _, admitted in going])
        for (one, _), flight in zip(going, flights, strict=True):
            one.flight = flight
            if flight is None:
                self._settle(one.answered, loop)
            else:
                # Nothing that holds the flight, or both would stay until a collection.
                flight.appended.add_done_callback(partial(self._settle, one.answered, loop))

    def _settle(
        self, answered: "asyncio.Future[None]", loop: asyncio.AbstractEventLoop, _: object = None
    ) -> None:
        """Let a write go on; runs in any thread, and wakes the loop once for as many as it can."""
        self._settled.append(answered)
        if not self._is_rung:
            self._is_rung = True
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._is_rung = False  # first: whoever settles from here on rings again
        while self._settled:
            answered = self._settled.popleft()
            if not answered.done():
                answered.set_result(None)


def _refuse(company: Sequence[_Member], error: Exception) -> None:
    """Raise to all who were not answered that no thread could be had for them."""
    for one in company:
        if not one.answered.done():
            one.error = error
            one.answered.set_result(None)
