"""One booking command after the other, each in a process that may be killed on its way.

    python -m tests.crash.booking_nursery

Reads an order a line and answers a line: what came of it, or that the process was killed. Each is
carried out by a fork, which connects by itself and kills itself with SIGKILL where it is told to.
"""

import json
import os
import signal
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from bootstrap.settings import Settings
from bootstrap.wiring import event_codec, rules, wire
from commands.bookings import Bookings
from commands.principal import Principal, Role, VerifiedIdentity
from domain.booking.refusal import BookingRefused
from ledger.store.journal import Journal
from ledger.store.recorder import LedgerRecorder
from ledger.store.writer import Writer

KEYS_KEPT = "keys kept"
POINTS = (KEYS_KEPT, "head locked", "batch written", "batch committed")
"""Where a process may be killed; only past the last one is anything stored."""


class Order(NamedTuple):
    """What a process is to do.

    Attributes:
        url: Of the log.
        keys_url: Of the keys.
        data_dir: Of the installation.
        now: The time, ISO 8601.
        number: Identity number of the citizen who asks.
        key: Idempotency key.
        step: Method of `Bookings`.
        arguments: Of it, past caller and key; identifiers as text.
        killed_at: One of the points; empty to live on.
    """

    url: str
    keys_url: str
    data_dir: str
    now: str
    number: str
    key: str
    step: str
    arguments: list[Any]
    killed_at: str


def _carry_out(order: Order) -> dict[str, Any]:
    settings = Settings(
        data_dir=Path(order.data_dir), database_url=order.url, keys_url=order.keys_url
    )

    def at(point: str) -> None:
        if point == order.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with wire(settings) as parts, closing(Writer(order.url, at=at)) as writer:
        recorder = _Recorder(parts.pool, writer, at)
        journal = Journal(recorder, origin=settings.origin, codec=event_codec())
        now = datetime.fromisoformat(order.now)
        bookings = Bookings(replace(parts.services, journal=journal, clock=lambda: now))
        identity = VerifiedIdentity("周正", order.number, "13900000000", face_verified=True)
        caller = Principal(f"citizen {order.number}", Role.ADULT, None, "", identity)
        arguments = [UUID(one) if isinstance(one, str) else one for one in order.arguments]
        try:
            written = getattr(bookings, order.step)(caller, UUID(order.key), *arguments)
        except BookingRefused as refused:
            return {"refused": refused.facts["reason"]}
        return {"stream": str(written.stream), "replayed": written.replayed}


class _Recorder(LedgerRecorder):
    """Tells when the keys of a decision are kept, and its events are about to be handed in."""

    def __init__(self, pool, writer, at):
        super().__init__(pool, writer)
        self._at = at

    def append(self, append):
        self._at(KEYS_KEPT)
        return super().append(append)

    def submit(self, append):
        self._at(KEYS_KEPT)
        return super().submit(append)


def _in_a_fork(order: Order) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as answer:
            answer.write(json.dumps(_carry_out(order)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        told = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return json.dumps({"killed": os.WTERMSIG(status)})
    return told or json.dumps({"failed": status})


if __name__ == "__main__":
    rules(Settings())  # read once, for every fork
    for line in sys.stdin:
        print(_in_a_fork(Order(*json.loads(line))), flush=True)
