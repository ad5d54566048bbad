"""How often somebody may ask, and how often may be asked about one thing.

Kept in the memory of each process: several API processes allow as many times as much.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from api.errors import AskedTooOften

MOST_KEPT = 100_000
"""Of whom or what is remembered; the one that was asked longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and as many again after so many seconds."""

    burst: int
    seconds: float


class Limiter:
    """Lets a key through at a rate (a token bucket for each).

    Args:
        rate: How often.
        clock: Seconds that never go back.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._spent: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable) -> None:
        """Count one more.

        Raises:
            AskedTooOften: There were too many; says when to come again.
        """
        self._spend(key, 1)

    def check(self, key: Hashable) -> None:
        """Count nothing.

        Raises:
            AskedTooOften: One more would be too many; says when to come again.
        """
        self._spend(key, 0)

    def _spend(self, key: Hashable, count: int) -> None:
        now, burst = self._clock(), self._rate.burst
        each = self._rate.seconds / burst
        with self._lock:
            spent, at = self._spent.pop(key, (0.0, now))
            spent = max(0.0, spent - (now - at) / each)
            is_allowed = spent + 1 <= burst
            self._spent[key] = (spent + count * is_allowed, now)
            while len(self._spent) > MOST_KEPT:
                self._spent.popitem(last=False)
        if not is_allowed:
            wait = str(1 + int((spent + 1 - burst) * each))
            raise AskedTooOften({"Retry-After": wait}, per_seconds=int(self._rate.seconds))
