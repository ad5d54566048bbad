"""The projector's main loop: apply what is published, wait for more.

A notification only shortens the wait; the log is looked at once a second in any case.
"""

import threading
from contextlib import closing

import psycopg
import structlog

from ledger.store.errors import StoreUnavailable
from ledger.store.listening import LISTEN, LOOK_SECONDS, PUBLISHED, await_notice
from projections.loop import BATCH_LIMIT, Projector

_GATHER_SECONDS = 0.05
"""After a batch that was not full, so that a busy log makes fewer and larger ones.

An entry costs a third in a round of twenty of what it costs in one of eight.
"""

_log = structlog.get_logger("projector")


def run(projector: Projector, database_url: str, stop: threading.Event) -> None:
    """Project until told to stop; databases that go away are waited for.

    Args:
        projector: What to run; it is closed at the end.
        database_url: The log database, whose notification `vaxledger_published` wakes the loop.
        stop: Set by whoever wants an end; noticed within a second.
    """
    with closing(projector):
        while not stop.is_set():
            try:
                _follow(projector, database_url, stop)
            except (psycopg.OperationalError, StoreUnavailable) as error:
                _log.warning("database-lost", error=type(error).__qualname__)
                stop.wait(LOOK_SECONDS)


def _follow(projector: Projector, database_url: str, stop: threading.Event) -> None:
    """Apply and wait over one listening connection, for as long as it lasts."""
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute(LISTEN[PUBLISHED])
        while not stop.is_set():
            entries = _advance(projector)
            if not entries:
                await_notice(listener)
            elif entries < BATCH_LIMIT:
                stop.wait(_GATHER_SECONDS)


def _advance(projector: Projector) -> int:
    done = projector.round()
    for parked in done.parked:
        _log.error(
            "stream-parked",
            projection=parked.name,
            stream=str(parked.stream),
            position=parked.position,
            error=parked.error,
        )
    return done.entries
