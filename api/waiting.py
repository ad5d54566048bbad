"""Waiting without holding a thread: for a checkpoint to cover a position, or a view to reach it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import structlog
from anyio import to_thread

PAUSE_SECONDS = 1.0
REST_SECONDS = 0.05
"""How long a position that nobody waits for is not looked at again."""

log = structlog.get_logger("api")


class Milestone:
    """A position that only grows, and those who wait for it.

    Args:
        read: Reads the position now; called in a thread.
        wakeups: Says when to look again.
    """

    def __init__(self, read: Callable[[], int], wakeups: Callable[[], AsyncIterator[None]]) -> None:
        self._read = read
        self._wakeups = wakeups
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._wanted = asyncio.Event()
        self.reached = 0

    async def follow(self) -> None:
        """Follow the position for ever; whatever fails is tried again, or nobody was answered."""
        while True:
            try:
                async for _ in self._wakeups():
                    if not self._waiting:
                        await self._rest()
                    self._advance(await to_thread.run_sync(self._read))
            except Exception as error:  # noqa: BLE001  the followers of a position cannot go on without it
                log.warning("position-not-read", error=type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS)

    async def wait(self, position: int, seconds: float) -> bool:
        """Whether the position was reached within that time."""
        if self.reached >= position:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = position
        self._wanted.set()
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.pop(future, None)
        return True

    async def _rest(self) -> None:
        """Let wakeups gather until somebody waits: under load there are hundreds a second."""
        self._wanted.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(REST_SECONDS):
                await self._wanted.wait()

    def _advance(self, reached: int) -> None:
        """Release those whose position is covered; waiters are few enough to look at all."""
        self.reached = max(self.reached, reached)
        for future, position in self._waiting.items():
            if position <= self.reached and not future.done():
                future.set_result(None)
