"""The calendar: turns minutes and days into events (DESIGN section 8), safe to run twice."""

import threading
from collections.abc import Callable

import psycopg
import structlog

from ledger.store.errors import StoreError

_LOOK_SECONDS = 2.0

_log = structlog.get_logger("calendar")


def run(turn: Callable[[], int], stop: threading.Event) -> None:
    """Work until told to stop; databases that go away are waited for.

    Args:
        turn: Ends what is over; returns how much there was.
        stop: Set by whoever wants an end; noticed within two seconds.
    """
    while not stop.wait(_LOOK_SECONDS):
        try:
            if ended := turn():
                _log.info("appointments-ended", count=ended)
        except (psycopg.OperationalError, StoreError) as error:
            _log.warning("turn-failed", error=type(error).__qualname__)
