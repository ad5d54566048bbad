"""The calendar: turns minutes and days into events (DESIGN section 8), safe to run twice."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
import structlog

from ledger.store.errors import StoreError

_LOOK_SECONDS = 0.25

_log = structlog.get_logger("calendar")


@dataclass(slots=True)
class Turn:
    """Something that time brings about.

    Attributes:
        name: Under which it is logged.
        every: Seconds from one look to the next, at least.
        work: Brings about what is due; returns how much there was.
    """

    name: str
    every: float
    work: Callable[[], int]
    _due: float = 0.0

    def take(self) -> bool:
        """Do it, if it is time to; return whether there was anything."""
        if time.monotonic() < self._due:
            return False
        count = 0
        try:
            if count := self.work():
                _log.info(self.name, count=count)
        except (psycopg.OperationalError, StoreError) as error:
            _log.warning("turn-failed", turn=self.name, error=type(error).__qualname__)
        self._due = time.monotonic() + self.every
        return count > 0


def run(turns: Sequence[Turn], stop: threading.Event) -> None:
    """Work until told to stop; databases that go away are waited for.

    After something was due it looks again at once: more may have come meanwhile.

    Args:
        turns: What is to be looked at.
        stop: Set by whoever wants an end; noticed within a moment.
    """
    pause = _LOOK_SECONDS
    while not stop.wait(pause):
        found = [turn.take() for turn in turns]
        pause = 0.0 if any(found) else _LOOK_SECONDS
