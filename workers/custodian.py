"""The custodian: carries out what was decided about personal data, and closes who read it.

It destroys what the log says is shredded, within about a second; logs the root of each past minute
of the access journal; issues credentials anew on the day a correction takes effect (C-21); and once
a minute looks whether a restored backup has brought anything back.
"""

import threading
import time
from collections.abc import Callable

import psycopg
import structlog

from bootstrap.erasure import Eraser
from ledger.store.errors import StoreError

_LOOK_SECONDS = 1.0
_SLOW_SECONDS = 15.0
_SLOW_ROUNDS = 4
"""Every so many slow rounds the shred list is applied again."""

_log = structlog.get_logger("custodian")


def run(
    eraser: Eraser,
    close: Callable[[], int],
    renew: Callable[[], int],
    sweep: Callable[[], int],
    stop: threading.Event,
) -> None:
    """Work until told to stop; databases that go away are waited for.

    Args:
        eraser: Carries out shreds.
        close: Logs the past minutes of the access journal.
        renew: Issues anew the credentials whose content was corrected; returns how many.
        sweep: Destroys once more what was destroyed; returns how many keys had come back.
        stop: Set by whoever wants an end; noticed within a second.
    """
    slow, rounds = time.monotonic(), 0
    while not stop.wait(_LOOK_SECONDS):
        try:
            for shred in eraser.round():
                _log.info("record-shredded", stream=str(shred.record), position=shred.position)
            if time.monotonic() - slow < _SLOW_SECONDS:
                continue
            slow, rounds = time.monotonic(), rounds + 1
            close()
            if renewed := renew():
                _log.info("credentials-renewed", count=renewed)
            if rounds % _SLOW_ROUNDS == 0 and (returned := sweep()):
                _log.error("destroyed-keys-returned", count=returned)
        except (psycopg.OperationalError, StoreError) as error:
            _log.warning("round-failed", error=type(error).__qualname__)
