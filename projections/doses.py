"""Doses, contraindications and adverse events: effective on a day, known at a position."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from psycopg.rows import class_row

from projections.connection import Pool
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries

_SQL = named_queries("doses.sql")


@dataclass(frozen=True)
class DoseRow:
    """A dose as it reads on a day.

    Attributes:
        from_position: Entry that made it read so.
        effective_from: First day on which it reads so.
        provenance: `given` here, or transcribed: `paper`, `other-province`, `other-system`.
    """

    dose: UUID
    record: UUID
    from_position: int
    effective_from: date
    vaccine: str
    national_code: str | None
    dose_number: int | None
    product: str | None
    maker: str | None
    lot: str | None
    expires_on: date | None
    occurred_on: date
    site: str | None
    route: str | None
    quantity: str | None
    clinic: UUID
    source_system: str
    provenance: str
    evidence_kind: str | None
    province: str | None


@dataclass(frozen=True)
class ContraindicationRow:
    """A contraindication as known at a position."""

    contraindication: UUID
    record: UUID
    from_position: int
    vaccine_groups: list[str]
    lasting: bool
    valid_from: date
    valid_to: date | None
    lifted_on: date | None
    clinic: UUID


@dataclass(frozen=True)
class AdverseEventRow:
    """A suspected adverse event as known at a position."""

    adverse_event: UUID
    record: UUID
    dose: UUID
    from_position: int
    onset_on: date
    is_serious: bool
    organisation: UUID
    classification: str | None


class Doses:
    """Questions about doses, contraindications and adverse events.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def of_record(
        self, record: UUID, effective_on: date, at_position: int | None = None
    ) -> list[DoseRow]:
        """Return a record's doses as effective on a day, in the order in which they were given.

        Args:
            record: The record.
            effective_on: Civil day.
            at_position: What was known then; now when absent.
        """
        asked = {"record": record, "day": effective_on, "at": _or_newest(at_position)}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(DoseRow))
            return cursor.execute(_SQL["doses_of_record"], asked).fetchall()

    def of_ids(
        self, doses: Sequence[str], effective_on: date, at_position: int | None = None
    ) -> list[DoseRow]:
        """Return doses by their ids; those that do not read on that day are left out."""
        asked = {"doses": list(doses), "day": effective_on, "at": _or_newest(at_position)}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(DoseRow))
            return cursor.execute(_SQL["doses_of_ids"], asked).fetchall()

    def contraindications(
        self, record: UUID, valid_on: date | None = None, at_position: int | None = None
    ) -> list[ContraindicationRow]:
        """Return a record's contraindications, those that hold on a day when one is given."""
        asked = {"record": record, "day": valid_on, "at": _or_newest(at_position)}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(ContraindicationRow))
            return cursor.execute(_SQL["contraindications_of_record"], asked).fetchall()

    def adverse_events(
        self, doses: Collection[UUID], at_position: int | None = None
    ) -> list[AdverseEventRow]:
        """Return the suspected adverse events after doses, by the day they began."""
        asked = {"doses": list(doses), "at": _or_newest(at_position)}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(AdverseEventRow))
            return cursor.execute(_SQL["adverse_events_of_doses"], asked).fetchall()


def _or_newest(at_position: int | None) -> int:
    """Return a position at which only what is still known is known."""
    return OPEN_POSITION - 1 if at_position is None else at_position
