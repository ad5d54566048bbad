"""Who got a lot: for its recall (law article 73)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import class_row

from projections.connection import Pool
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries

_SQL = named_queries("lots.sql")


@dataclass(frozen=True)
class LotRow:
    """A dose of a lot, and who keeps the record of the person who got it.

    Attributes:
        division: Of the record, as managed now.
        merged_into: The record that reads as this one too, if it was merged.
        guardians: Handles, in the order in which they were entered.
    """

    dose: UUID
    record: UUID
    vaccine: str
    product: str | None
    occurred_on: date
    clinic: UUID
    provenance: str
    recipient: UUID
    division: str
    managing_organisation: UUID
    roll: str
    merged_into: UUID | None
    guardians: list[UUID]


@dataclass(frozen=True)
class Lot:
    """A lot as a package names it."""

    maker: str
    lot: str


class Lots:
    """Questions about lots.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def doses(
        self,
        lot: Lot,
        day: date,
        at_position: int | None = None,
        *,
        division: str = "",
        after: UUID | None = None,
        limit: int = 100,
    ) -> list[LotRow]:
        """Return a page of the doses of a lot, in the order of their ids.

        Args:
            lot: Which.
            day: Civil day as of which doses read: one that was corrected to another lot is gone.
            at_position: What was known then; now when absent.
            division: First digits of the divisions whose records count.
            after: The last dose already had.
            limit: How many at most.
        """
        asked = {
            "lot": lot.lot,
            "maker": lot.maker,
            "day": day,
            "at": OPEN_POSITION - 1 if at_position is None else at_position,
            "division": division,
            "after": after or UUID(int=0),
            "limit": limit,
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(LotRow))
            return cursor.execute(_SQL["doses_of_lot"], asked).fetchall()
