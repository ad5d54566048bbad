"""A rush for seats: whoever would wait too long is told so at once (429)."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.errors import Rushed
from ledger.store.errors import Backlogged

PATIENCE_SECONDS = 0.5
"""What an admitted booking may be expected to wait for its thread."""
ANSWER_SECONDS = 1.5
"""From a booking's arrival to its answer; what no checkpoint covers by then is answered 202."""
FIRST_GUESS_SECONDS = 0.05
_WEIGHT = 0.1

T = TypeVar("T")


class Rush:
    """Threads of their own for bookings, and who may wait for one.

    Args:
        threads: How many bookings are decided at once.

    Attributes:
        seconds: What a booking took lately; the newest counts a tenth.
    """

    def __init__(self, threads: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self.seconds = FIRST_GUESS_SECONDS

    @property
    def waiting(self) -> int:
        """How many wait for a thread."""
        return self._limiter.statistics().tasks_waiting

    def check(self) -> None:
        """Refuse whoever would wait too long for a thread.

        Raises:
            Rushed: See `run`.
        """
        ahead = self.waiting
        expected = (ahead + 1) * self.seconds / self._limiter.total_tokens
        if ahead and expected > PATIENCE_SECONDS:
            raise Rushed({"Retry-After": str(math.ceil(expected) + 1)})

    async def run(self, act: Callable[[], T]) -> T:
        """Run a booking in a thread.

        Raises:
            Rushed: So many wait that this one's turn would come too late. Asking again at once
                gains nothing: nobody's place is kept. Or too many writes wait to be stored.
        """
        self.check()
        try:
            return await to_thread.run_sync(self._timed, act, limiter=self._limiter)
        except Backlogged as full:
            raise Rushed({"Retry-After": str(full.retry_after)}) from full

    def _timed(self, act: Callable[[], T]) -> T:
        started = time.monotonic()
        try:
            return act()
        finally:
            self.seconds += _WEIGHT * (time.monotonic() - started - self.seconds)
