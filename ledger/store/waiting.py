"""The submissions that wait for the writer: bounded, in order, each with a deadline."""

import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

from ledger.store.append import Append, Appended
from ledger.store.errors import Backlogged, StoreUnavailable, SubmissionTooLarge

FLUSH_EVENTS = 1_000
FLUSH_BYTES = 256_000
SUBMISSION_BYTES = 4 << 20
QUEUE_RETRY_SECONDS = 1


@dataclass(slots=True, eq=False)
class Job:
    """A submission and who waits for it.

    Attributes:
        append: The submission.
        deadline: Monotonic time in seconds after which nobody waits any more.
        size: Its bytes.
        future: Its answer.
        committed: Whether a commit of it was sent, with whatever outcome.
    """

    append: Append
    deadline: float
    size: int
    future: "Future[Appended]" = field(default_factory=Future)
    committed: bool = False

    def answer(self, outcome: Appended | BaseException) -> None:
        """Give the answer, unless there is one: the deadline and the writer may meet here."""
        with suppress(InvalidStateError):
            if isinstance(outcome, BaseException):
                self.future.set_exception(outcome)
            else:
                self.future.set_result(outcome)


class Waiting:
    """A bounded queue of jobs, and those on their way.

    Args:
        limit: Events that may wait.
        patience: Seconds after which a job is answered that the store is unavailable.
    """

    def __init__(self, limit: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._flying: list[Job] = []
        self._events = 0
        self._closed = False

    @property
    def events(self) -> int:
        """Events that wait."""
        return self._events

    def put(self, append: Append) -> "Future[Appended]":
        """Let a submission wait.

        Raises:
            Backlogged: If as many events as may are waiting.
            SubmissionTooLarge: If it alone exceeds what one transaction should hold.
            StoreUnavailable: If the queue was closed.
        """
        size, count = append.size, len(append.events)
        if count > FLUSH_EVENTS or size > SUBMISSION_BYTES:
            raise SubmissionTooLarge(count, size)
        job = Job(append, time.monotonic() + self._patience, size)
        with self._changed:
            if self._closed:
                raise StoreUnavailable
            if self._events + count > self._limit:
                raise Backlogged(QUEUE_RETRY_SECONDS)
            self._jobs.append(job)
            self._events += count
            self._changed.notify()
        return job.future

    def take(self) -> list[Job]:
        """Wait for submissions and return as many as one flush may hold, at least one.

        They count as on their way until the next call. Those that were cancelled meanwhile are
        left out.

        Returns:
            An empty list once the queue is closed and empty.
        """
        with self._changed:
            self._flying = []
            while not self._flying:
                while not self._jobs and not self._closed:
                    self._changed.wait()
                if not self._jobs:
                    return []
                flush = self._pop_flush()
                self._flying = [job for job in flush if job.future.set_running_or_notify_cancel()]
            return list(self._flying)

    def expire(self) -> None:
        """Answer those whose deadline has passed.

        One that only waited is gone for good. One on its way may be stored all the same: its
        answer says so, and its idempotency key brings the true one later.
        """
        now = time.monotonic()
        with self._changed:
            while self._jobs and self._jobs[0].deadline <= now:
                job = self._pop()
                if job.future.set_running_or_notify_cancel():
                    job.answer(StoreUnavailable())
            for job in self._flying:
                if job.deadline <= now:
                    job.answer(StoreUnavailable(in_doubt=True))

    def close(self) -> None:
        """Take nothing more in; what waits is still handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _pop_flush(self) -> list[Job]:
        flush: list[Job] = []
        events = size = 0
        while self._jobs:
            following = self._jobs[0]
            events += len(following.append.events)
            size += following.size
            if flush and (events > FLUSH_EVENTS or size > FLUSH_BYTES):
                break
            flush.append(self._pop())
        return flush

    def _pop(self) -> Job:
        job = self._jobs.popleft()
        self._events -= len(job.append.events)
        return job
