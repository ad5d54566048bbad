"""The calendar: turns minutes and days into events (DESIGN section 8), safe to run twice."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
import structlog

from ledger.store.errors import StoreError
from ledger.store.listening import LISTEN, LOOK_SECONDS, PROJECTED, await_notice

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


def run(turns: Sequence[Turn], database_url: str, stop: threading.Event) -> None:
    """Work until told to stop; databases that go away are waited for.

    Args:
        turns: What is to be looked at.
        database_url: The log database, whose notification `vaxledger_projected` shortens a wait.
        stop: Set by whoever wants an end; noticed within a moment.
    """
    while not stop.is_set():
        try:
            _follow(turns, database_url, stop)
        except psycopg.OperationalError as error:
            _log.warning("database-lost", error=type(error).__qualname__)
            stop.wait(LOOK_SECONDS)


def _follow(turns: Sequence[Turn], database_url: str, stop: threading.Event) -> None:
    """Look and wait over one listening connection, for as long as it lasts.

    After something was due it looks again at once: more may have come meanwhile.
    """
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute(LISTEN[PROJECTED])
        while not stop.is_set():
            found = [turn.take() for turn in turns]
            if not any(found):
                await_notice(listener, _LOOK_SECONDS)
