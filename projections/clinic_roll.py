"""The roll of a clinic (在册): who stood on it and how, on any day, as known at any position."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from projections.connection import Pool
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries

_SQL = named_queries("clinic_roll.sql")
_COUNTS, _LINES = (b"\n".join((_SQL["stood"], _SQL[name])) for name in ("counts", "lines"))
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True)
class RollLine:
    """A record on the roll of a clinic.

    Attributes:
        birth_year: As known now.
        status: Where it stands on the roll.
        moved_on: Since when, as reported.
        position: Entry that put it there.
    """

    record: UUID
    recipient: UUID
    kind: str
    birth_year: int
    registered_on: date
    status: str
    moved_on: date
    position: int


class ClinicRolls:
    """Questions about the rolls of clinics.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def counts(self, clinic: UUID, day: date, at_position: int | None = None) -> dict[str, int]:
        """Return how many records stood how on a clinic's roll on a day; arguments as below."""
        with self._pool.connection() as connection:
            asked = _asked(clinic, day, at_position, None)
            return dict(connection.execute(_COUNTS, asked).fetchall())

    def lines(
        self,
        clinic: UUID,
        day: date,
        at_position: int | None = None,
        *,
        status: str | None = None,
        after: UUID | None = None,
        limit: int = 100,
    ) -> list[RollLine]:
        """Return a page of a clinic's roll, oldest record first.

        Args:
            clinic: The clinic.
            day: Civil day on which it is asked for.
            at_position: What was known then; now when absent.
            status: Only these.
            after: The last record already had.
            limit: How many at most.
        """
        asked = _asked(clinic, day, at_position, after) | {"status": status, "limit": limit}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(RollLine))
            return cursor.execute(_LINES, asked).fetchall()


def _asked(clinic: UUID, day: date, at_position: int | None, after: UUID | None) -> dict[str, Any]:
    at = OPEN_POSITION - 1 if at_position is None else at_position
    return {"clinic": clinic, "day": day, "at": at, "after": after or _BEFORE_ALL}
