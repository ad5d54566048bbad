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

    def due(self, day: date) -> Iterator[Due]:
        """Yield what is due on a civil day, page by page as it is asked for."""
        last: Due = (_FIRST, _FIRST)
        while rows := self._after(last, day):
            yield from rows
            last = rows[-1]

    def _after(self, last: Due, day: date) -> list[Due]:
        asked = {"day": day, "enrolment": last[0], "correction": last[1], "limit": PAGE}
        with self._pool.connection() as connection:
            return [(row[0], row[1]) for row in connection.execute(_SQL["due_restatements"], asked)]
