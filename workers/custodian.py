"""The custodian: carries out what was decided about personal data.

It destroys what the log says is shredded, within about a second, and once a minute looks whether
a restored backup has brought anything back.
"""

import threading
import time
from collections.abc import Callable

import psycopg
import structlog

from bootstrap.erasure import Eraser
from ledger.store.errors import StoreUnavailable

_LOOK_SECONDS = 1.0
_SWEEP_SECONDS = 60.0

_log = structlog.get_logger("custodian")


def run(eraser: Eraser, sweep: Callable[[], int], stop: threading.Event) -> None:
    """Work until told to stop; databases that go away are waited for.

    Args:
        eraser: Carries out shreds.
        sweep: Destroys once more what was destroyed; returns how many keys had come back.
        stop: Set by whoever wants an end; noticed within a second.
    """
    swept = time.monotonic()
    while not stop.wait(_LOOK_SECONDS):
        try:
            for shred in eraser.round():
                _log.info("record-shredded", stream=str(shred.record), position=shred.position)
            if time.monotonic() - swept >= _SWEEP_SECONDS:
                swept = time.monotonic()
                returned = sweep()
                if returned:
                    _log.error("destroyed-keys-returned", count=returned)
        except (psycopg.OperationalError, StoreUnavailable) as error:
            _log.warning("database-lost", error=type(error).__qualname__)
