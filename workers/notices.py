"""Notices: tells people outside what the log has to tell them, each thing once.

What is to be told is put into the outbox with the position up to which the log was looked at; what
is due is taken out of it and handed to a provider. A failure postpones, and after two days gives up
with an error in the log: nothing is dropped in silence.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime

import psycopg
import structlog

from commands.notices import TELLING, Notice, Notices
from commands.reading import Change
from domain.booking.notice import NoticeRules
from ledger.entry import Entry
from ledger.store.errors import StoreError
from ledger.store.outbox import Message, Outbox, Outcome
from ledger.store.reading import Located, LogReader
from workers.providers import NoticeRefused, NoticeUnavailable, Provider

LOOK_SECONDS = 2.0
ENTRIES = 1_000
AT_ONCE = 50

_MARKS = tuple(f'"topic":"{topic}"'.encode() for topic in TELLING)
_log = structlog.get_logger("notices")


class Telling:
    """The way from the log to the provider.

    Args:
        log: The log.
        outbox: What waits.
        notices: Reads and words what is to be told.
        provider: Who delivers.
        rules: When it is tried again.
        clock: The time in UTC.
    """

    def __init__(
        self,
        log: LogReader,
        outbox: Outbox,
        notices: Notices,
        provider: Provider,
        *,
        rules: NoticeRules,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._outbox = outbox
        self._notices = notices
        self._provider = provider
        self._rules = rules
        self._clock = clock

    def look(self, projected: int) -> bool:
        """Put in what the next entries tell; returns whether there may be more of them.

        Args:
            projected: Position up to which the view of bookings is applied.
        """
        after = self._outbox.position()
        located = [
            one for one in self._log.entries(after + 1, ENTRIES) if one[0] <= max(projected, after)
        ]
        if not located:
            return False
        messages = [one for change in _telling(located) for one in self._notices.told_by(change)]
        self._outbox.put(messages, after=after, upto=located[-1][0])
        # Died before: looked at again, and the same ids. Died here: nothing to repair.
        return len(located) == ENTRIES

    def deliver(self) -> int:
        """Hand over what is due; returns how much was taken."""
        taken = self._outbox.take(self._clock(), AT_ONCE)
        for message in taken:
            self._one(message)
        return len(taken)

    def _one(self, message: Message) -> None:
        try:
            notice = self._notices.notice(message)
            if isinstance(notice, Notice):
                # Died after this: handed over again when the lease is over, under the same id.
                self._provider.send(notice)
        except NoticeRefused as refused:
            self._settle(message, Outcome.FAILED, refused.problem)
        except NoticeUnavailable as failed:
            self._try_later(message, failed.problem)
        except (StoreError, psycopg.OperationalError):
            raise
        except Exception as error:  # noqa: BLE001  the others shall not wait for this one
            self._try_later(message, type(error).__qualname__)
        else:
            outcome = Outcome.SENT if isinstance(notice, Notice) else notice
            self._settle(message, outcome, "")

    def _try_later(self, message: Message, problem: str) -> None:
        pauses = [self._rules.pause(n) for n in range(1, message.attempts + 1)]
        if sum(pause.total_seconds() for pause in pauses) > self._rules.give_up_hours * 3600:
            self._settle(message, Outcome.FAILED, problem)
            return
        due_at = self._rules.send_at(self._clock() + pauses[-1])
        self._outbox.postpone(message.id, due_at, problem)
        _log.warning("notice-postponed", kind=message.kind, problem=problem)

    def _settle(self, message: Message, outcome: Outcome, problem: str) -> None:
        self._outbox.settle(message.id, outcome, self._clock(), problem)
        if outcome is Outcome.FAILED:
            _log.error("notice-failed", kind=message.kind, problem=problem)
        elif outcome is Outcome.UNREACHABLE:
            _log.warning("notice-unreachable", kind=message.kind)


def run(telling: Telling, projected: Callable[[], int], stop: threading.Event) -> None:
    """Work until told to stop; databases that go away are waited for.

    Args:
        telling: What is done in each round.
        projected: Position up to which the view of bookings is applied.
        stop: Set by whoever wants an end; noticed within two seconds.
    """
    has_more = False
    while has_more or not stop.wait(LOOK_SECONDS):
        try:
            has_more = telling.look(projected()) and not stop.is_set()
            while not stop.is_set() and telling.deliver():
                pass
        except (psycopg.OperationalError, StoreError) as error:
            has_more = False
            _log.warning("round-failed", error=type(error).__qualname__)


def _telling(located: Iterable[Located]) -> list[Change]:
    """Those entries that may have something to tell; the others are not even decoded."""
    return [
        Change(position, Entry.decode(raw))
        for position, raw, _ in located
        if any(mark in raw for mark in _MARKS)
    ]
