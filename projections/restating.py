"""Checks that no longer rest on the record as it stands: it was corrected since."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from projections.connection import Pool
from projections.queries import named_queries

PAGE = 500

_SQL = named_queries("restating.sql")
_FIRST = UUID(int=0)

Due = tuple[UUID, UUID]
"""An enrolment, and a correction that counts since it was checked."""


class Restatements:
    """Questions about checks to be looked at again.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def reached(self) -> int:
        """Return up to which position corrections are known."""
        with self._pool.connection() as connection:
            row = connection.execute(_SQL["reached"]).fetchone()
        return int(row[0]) if row else 0

    def due(self, day: date, since: int = 0) -> Iterator[Due]:
        """Yield what is due on a civil day, page by page as it is asked for.

        Args:
            day: The day.
            since: Of corrections that were applied after this position.
        """
        last: Due = (_FIRST, _FIRST)
        while rows := self._after(last, day, since):
            yield from rows
            last = rows[-1]

    def _after(self, last: Due, day: date, since: int) -> list[Due]:
        asked = {
            "day": day,
            "since": since,
            "enrolment": last[0],
            "correction": last[1],
            "limit": PAGE,
        }
        with self._pool.connection() as connection:
            return [(row[0], row[1]) for row in connection.execute(_SQL["due_restatements"], asked)]
