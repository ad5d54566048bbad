"""The recorder that the event-sourcing library stores and loads through."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)

from ledger.store.append import Append, Appended
from ledger.store.connections import Pool, Row, cursor_of
from ledger.store.listening import APPENDED, await_notice
from ledger.store.queries import load_queries
from ledger.store.writer import Writer

PAGE = 500

_QUERIES = load_queries("recorder.sql")
_NO_LIMIT = 2**63 - 1


class LedgerRecorder(ApplicationRecorder):
    """Appends through the writer, reads through a pool.

    A stored event's state is the entry, its notification id the position in the log. What it reads
    is committed, not yet necessarily under a checkpoint: decisions are made on the newest state.

    Args:
        pool: Connections of role ``vaxledger_read``.
        writer: This process's writer.
    """

    def __init__(self, pool: Pool, writer: Writer) -> None:
        self._pool = pool
        self._writer = writer

    def submit(self, append: Append) -> "Future[Appended]":
        """Let a submission be appended; see ``Writer.submit``."""
        return self._writer.submit(append)

    def append(self, append: Append) -> Appended:
        """Append and wait for the answer.

        Raises:
            StoreError: See ``Writer.submit``.
        """
        return self.submit(append).result()

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        """Append what ``append=`` carries and return the positions of its events.

        Args:
            stored_events: The same events, as the library sees them.
            **kwargs: ``append``, the submission with all that belongs to it.

        Raises:
            StoreError: See ``Writer.submit``; a conflict is an ``IntegrityError`` as well.
            ProgrammingError: If the submission is missing or of other events.
        """
        append = kwargs.get("append")
        if not isinstance(append, Append) or len(append.events) != len(stored_events):
            raise ProgrammingError("Events are appended together with their submission.")
        appended = self.append(append)
        return range(appended.first_position, appended.first_position + appended.count)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of a stream.

        Raises:
            StoreUnavailable: If the database cannot be reached.
        """
        query = _QUERIES["select_events_backwards" if desc else "select_events"]
        above = 0 if gt is None else gt
        upto = _NO_LIMIT if lte is None else lte
        with cursor_of(self._pool) as cursor:
            cursor.execute(query, [originator_id, above, upto, limit], prepare=True)
            return [StoredEvent(*row) for row in cursor]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events in the order of the log.

        Raises:
            StoreUnavailable: If the database cannot be reached.
        """
        first = 1 if start is None else start + (not inclusive_of_start)
        last = _NO_LIMIT if stop is None else stop
        with cursor_of(self._pool) as cursor:
            if topics:
                query, parameters = "select_notifications_of_topics", [first, last, list(topics)]
            else:
                query, parameters = "select_notifications", [first, last]
            cursor.execute(_QUERIES[query], [*parameters, limit], prepare=True)
            return [_notification(row) for row in cursor]

    def max_notification_id(self) -> int | None:
        """Return the newest position, or None for an empty log.

        Raises:
            StoreUnavailable: If the database cannot be reached.
        """
        with cursor_of(self._pool) as cursor:
            row = cursor.execute(_QUERIES["newest_position"], prepare=True).fetchone()
        return row[0] if row else None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Return an iterator over the events after a position, which waits for new ones."""
        return _LedgerSubscription(self, gt, topics)

    def wait_for_append(self, position: int) -> None:
        """Wait until the log has grown past a position, at most a second.

        Raises:
            StoreUnavailable: If the database cannot be reached.
        """
        with cursor_of(self._pool) as cursor:
            cursor.execute(f"LISTEN {APPENDED}")
            try:
                # Looked at after LISTEN took hold, so that no growth falls in between.
                row = cursor.execute(_QUERIES["newest_position"]).fetchone()
                if row and (row[0] or 0) > position:
                    return
                await_notice(cursor.connection)
            finally:
                if not cursor.connection.closed:
                    cursor.execute(f"UNLISTEN {APPENDED}")


class _LedgerSubscription(Subscription[ApplicationRecorder]):
    """Pulls pages; a notification only shortens the wait for the next look."""

    def __init__(self, recorder: LedgerRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder, gt, topics)
        self._ledger = recorder
        self._after = gt or 0
        self._page: list[Notification] = []

    def __next__(self) -> Notification:
        while not self._page and not self._has_been_stopped:
            self._pull()
        if self._has_been_stopped:
            raise StopIteration
        notification = self._page.pop()
        self._after = notification.id
        return notification

    def _pull(self) -> None:
        """Fetch the next page, or wait a little where there is none."""
        seen = self._ledger.max_notification_id() or 0
        page = self._ledger.select_notifications(
            self._after, PAGE, seen, self._topics, inclusive_of_start=False
        )
        if not page:
            self._after = max(self._after, seen)  # nothing of these topics up to there
            self._ledger.wait_for_append(seen)
        self._page = list(reversed(page))


def _notification(row: Row) -> Notification:
    stream, version, topic, entry, position = row
    return Notification(stream, version, topic, entry, position)
