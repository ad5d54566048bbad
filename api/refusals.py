"""Refused and failed requests in the log: of a flood a few lines each second, and a count."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog

MOST_A_SECOND = 5
"""Lines of one kind. What is beyond is counted in one more line; `/metrics` counts all."""

log = structlog.get_logger("http")


class Kind(NamedTuple):
    """What says the same: those of another address or status are never hidden by a flood of it."""

    method: str
    route: str
    status: int


class Refusals:
    """Says each, or how many were left out; for one thread.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._seen: Counter[Kind] = Counter()

    def say(self, level: int, kind: Kind, **facts: Any) -> None:
        """Log one, unless this second has had enough of its kind.

        What a second left out is told with the first that comes after it, of whatever kind.

        Args:
            level: Of the line, as the standard library counts them.
            kind: Stands in the line.
            facts: So do these.
        """
        now = self._clock()
        if now - self._began >= 1:
            self._tell_left_out()
            self._began = now
        self._seen[kind] += 1
        if self._seen[kind] <= MOST_A_SECOND:
            log.log(level, "request", **kind._asdict(), **facts)

    def _tell_left_out(self) -> None:
        for kind, count in self._seen.items():
            if count > MOST_A_SECOND:
                log.warning("requests-alike", **kind._asdict(), count=count - MOST_A_SECOND)
        self._seen.clear()
