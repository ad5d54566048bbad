"""Large bodies, and work for whoever has not said who it is: one at a time, in a thread.

The event loop answers others meanwhile, and no more than one such thread takes the interpreter
from it. After each the place stays empty for three times as long as that one took: however many
ask, three quarters of the interpreter are left to everybody else.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from ledger.store.errors import Backlogged

MOST_WAITING = 32
"""Beyond so many, whoever has not said who it is is sent away."""
REST = 3.0
"""How much longer nobody has the place than somebody had it."""
_RETRY_SECONDS = 1

T = TypeVar("T")


class Aside:
    """The one thread."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(1)
        self._free_at = 0.0

    def check(self) -> None:
        """Refuse whoever has not said who it is while many wait.

        Raises:
            Backlogged: Too many do.
        """
        if self._limiter.statistics().tasks_waiting >= MOST_WAITING:
            raise Backlogged(_RETRY_SECONDS)

    async def run(self, act: Callable[[], T]) -> T:
        """Act when it is this one's turn."""
        async with self._limiter:
            await asyncio.sleep(self._free_at - time.monotonic())
            began = time.monotonic()
            try:
                return await to_thread.run_sync(act)
            finally:
                ended = time.monotonic()
                self._free_at = ended + REST * (ended - began)
