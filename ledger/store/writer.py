"""The writer: one thread and one connection that append for a whole process.

Group commit without a timer: whatever was submitted while the last commit ran is the next batch.
PostgreSQL cannot batch these commits itself, because the head lock and NOTIFY let only one
transaction commit at a time.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from functools import partial

import psycopg
import structlog
from psycopg.errors import ReadOnlySqlTransaction

from ledger.entry import CLOCK_TOLERANCE
from ledger.store.admission import UNPUBLISHED_LIMIT, Admitted, Verdict
from ledger.store.append import Append, Appended
from ledger.store.connections import Connection
from ledger.store.errors import ClockApart, SubmissionRefused
from ledger.store.pace import Pace
from ledger.store.transaction import append_batch, open_connection, time_of_server
from ledger.store.waiting import Job, Waiting

QUEUE_LIMIT = 5_000
PATIENCE_SECONDS = 10.0

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_DEADLINE_TICK_SECONDS = 0.25
_LOG = structlog.get_logger(__name__)


class Writer:
    """Appends submissions to the log, in the order in which they arrive.

    Any number of writers in any number of processes may work on one log. An answer is given when
    the commit is durable, or when it is certain that nothing was stored, or, past the deadline,
    with the words that it is not known.

    Args:
        url: Libpq URL of the log's database.
        queue_limit: Events that may wait before submissions are refused.
        patience: Seconds after which a submission is answered that the store is unavailable.
        unpublished_limit: Entries that may lack a checkpoint before submissions are refused.
        look: Called before each new connection: another database may stand there than before.
        pace: Says before each batch whether this process's clock may be believed; None believes it.
        at: Called at named points, where tests make it fail.
    """

    def __init__(  # noqa: PLR0913  each is a choice of its own
        self,
        url: str,
        *,
        queue_limit: int = QUEUE_LIMIT,
        patience: float = PATIENCE_SECONDS,
        unpublished_limit: int = UNPUBLISHED_LIMIT,
        look: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
        at: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._url = url
        self._look = look
        self._pace = pace
        self._at = at
        self._unpublished_limit = unpublished_limit
        self._waiting = Waiting(queue_limit, patience)
        self._connection: Connection | None = None
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="vaxledger-writer", daemon=True),
            threading.Thread(target=self._watch, name="vaxledger-deadlines", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def queued(self) -> int:
        """Events that wait to be appended."""
        return self._waiting.events

    def submit(self, append: Append) -> "Future[Appended]":
        """Let a submission be appended.

        The future brings an ``Appended``, or one of ``VersionConflict``, ``GuardFailed``,
        ``ClaimTaken``, ``ClaimNotHeld``, ``KeyReused``, ``ClockBehind``, ``ClockApart``,
        ``Backlogged``, ``SubmissionRefused`` (nothing was stored) and ``StoreUnavailable`` (see its
        ``in_doubt``). Cancelling it works as long as the submission waits.

        Raises:
            Backlogged: If too many events wait.
            SubmissionTooLarge: If it is more than one transaction should hold.
            StoreUnavailable: If the writer was closed.
        """
        return self._waiting.put(append)

    def close(self) -> None:
        """Refuse new submissions, answer all that wait, and end."""
        self._waiting.close()
        writing, watching = self._threads
        writing.join()
        self._stopped.set()
        watching.join()
        self._disconnect()

    def _run(self) -> None:
        while jobs := self._waiting.take():
            self._settle(jobs)

    def _watch(self) -> None:
        """Answer at the deadline even while the writing thread hangs in a dead connection."""
        while not self._stopped.wait(_DEADLINE_TICK_SECONDS):
            self._waiting.expire()

    def _settle(self, jobs: Sequence[Job]) -> None:
        """Append a batch, as often as it takes, until each of its jobs has an answer."""
        pause = _FIRST_PAUSE_SECONDS
        while jobs := [job for job in jobs if not job.future.done()]:
            try:
                self._append(jobs)
            except Exception as error:  # noqa: BLE001  whatever it is, somebody waits for an answer
                if self._is_passing(error):
                    # The commit may have been stored although its answer was lost. The next turn
                    # reads the idempotency rows under the head lock and so learns the truth.
                    _LOG.warning("store_unreachable", error=type(error).__name__)
                    self._disconnect()
                    time.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                else:
                    self._settle_singly(jobs, error)

    def _settle_singly(self, jobs: Sequence[Job], error: Exception) -> None:
        """Find the culprit of an unexpected error; the others are innocent."""
        if len(jobs) > 1:
            for job in jobs:
                self._settle([job])
            return
        _LOG.error("submission_refused", error=type(error).__name__)
        if isinstance(error, psycopg.Error):
            error = SubmissionRefused(error.sqlstate)
        jobs[0].answer(error)

    def _append(self, jobs: Sequence[Job]) -> None:
        if self._connection is None:
            self._look()
            self._connection = open_connection(self._url)
        if self._pace is not None:
            now = self._pace.check(partial(time_of_server, self._connection))
            jobs = [job for job in jobs if not _is_refused_ahead(job, now)]
        if not jobs:
            return

        def committing() -> None:
            for job in jobs:
                job.committed = True

        batch = [job.append for job in jobs]
        limit = self._unpublished_limit
        stored = append_batch(self._connection, batch, limit, committing, self._at)
        for job, verdict in zip(jobs, stored.verdicts, strict=True):
            job.answer(_answer(job, verdict))

    def _is_passing(self, error: Exception) -> bool:
        """Tell whether the same batch may succeed later, on another connection or a better disk."""
        if self._connection is not None and self._connection.closed:
            return True
        # What lies outside the database could not be read; nothing was appended.
        passing = psycopg.OperationalError | ReadOnlySqlTransaction | OSError
        return isinstance(error, passing)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _is_refused_ahead(job: Job, now: datetime) -> bool:
    """Refuse what was decided while the clock was wrong, although it is right again.

    Stored, it would keep everybody from writing until all clocks are where this one was.
    """
    ahead = max(event.recorded_at for event in job.append.events) - now
    if job.committed or ahead <= CLOCK_TOLERANCE:
        return False
    job.answer(ClockApart(-ahead))
    return True


def _answer(job: Job, verdict: Verdict) -> Appended | Exception:
    if isinstance(verdict, Admitted):
        return verdict.appended
    if isinstance(verdict, Appended) and job.committed:
        # Its own commit, whose acknowledgement was lost, is no replay.
        own = tuple(event.leaf for event in job.append.events)
        return replace(verdict, replayed=verdict.leaves != own)
    return verdict
