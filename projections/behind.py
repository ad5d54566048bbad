"""The children behind a number of annex 4, and what changed in it between two states of the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from projections.connection import Connection, Pool
from projections.queries import named_queries

_SQL = named_queries("behind.sql")
_AFTER_DIGITS = ":"

CHANGES = 1_000
"""How many changed children are told at most."""

CAUSES = (
    "correction.applied.v1",
    "vaccination-record.dose-corrected.v1",
    "vaccination-record.merged.v1",
    "vaccination-record.merged-into.v1",
    "vaccination-record.separated.v1",
    "vaccination-record.separated-from.v1",
)
"""Entries of other streams that a class table may follow."""


class Column(StrEnum):
    """Which children of a unit (columns 4 to 29 of annex 4, and what is derived from them)."""

    ENROLLED = "enrolled"
    CHECKED = "checked"
    UNCHECKED = "unchecked"
    WITH_CERTIFICATE = "with_certificate"
    WITHOUT_CERTIFICATE = "without_certificate"
    CERTIFICATES_REISSUED = "certificates_reissued"
    FULLY_VACCINATED = "fully_vaccinated"
    NOT_FULLY_VACCINATED = "not_fully_vaccinated"
    MAKEUP_COMPLETED = "makeup_completed"
    DUE = "due"
    DONE = "done"


OF_DOSES = frozenset((Column.DUE, Column.DONE))
"""Columns that count doses of a vaccine group."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Which annex 4 is asked about.

    Attributes:
        institution: This one alone; all of the division when absent.
        at: State of the log.
    """

    division_prefix: str
    entry_type: str
    school_year: int
    at: int
    institution: UUID | None = None

    def asked(self) -> dict[str, Any]:
        """Return the parameters of a query."""
        return {
            "prefix": self.division_prefix,
            "prefix_end": self.division_prefix + _AFTER_DIGITS,
            "entry_type": self.entry_type,
            "school_year": self.school_year,
            "institution": self.institution,
            "at": self.at,
        }


@dataclass(frozen=True)
class Behind:
    """One child, or one dose of it, that a number counts.

    Attributes:
        enrolled_position: Goes on from here.
        dose_number: Of columns 10 to 29 alone.
        made_up_on: Likewise; None while it is not.
    """

    enrolled_position: int
    enrolment: UUID
    record: UUID
    institution: UUID
    class_name: str
    number: int
    checked_on: date | None
    dose_number: int | None
    made_up_on: date | None
    recipient: UUID | None


@dataclass(frozen=True)
class State:
    """What a child adds to annex 4.

    Attributes:
        counted: Whether at this school; else another has received it (X-17).
        due: Missed doses.
        done: And made up of these.
    """

    enrolment: UUID
    institution: UUID
    class_name: str
    number: int
    counted: bool
    checked_on: date | None
    has_certificate: bool | None
    reissued_on: date | None
    complete: bool | None
    completed: bool | None
    due: int
    done: int


@dataclass(frozen=True)
class Cause:
    """An entry that a change came with."""

    stream: UUID
    position: int
    topic: str
    recorded_at: datetime


@dataclass(frozen=True)
class Changed:
    """A child that counts otherwise than before.

    Attributes:
        before: None where it was not enrolled yet.
        causes: Its entries in between, and corrections of its record, oldest first.
    """

    enrolment: UUID
    record: UUID
    before: State | None
    after: State | None
    causes: tuple[Cause, ...]


class Behinds:
    """Questions about what stands behind the numbers.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def children(
        self, sheet: Sheet, column: Column, *, after: int, limit: int, vaccine_group: str | None
    ) -> list[Behind]:
        """Return the children, or doses, that a column counts, in the order of enrolment.

        Args:
            sheet: Which form.
            column: Which number.
            after: `enrolled_position` of the last one seen; 0 for the first page.
            limit: How many at most; all doses of the last child are returned.
            vaccine_group: For `due` and `done`.
        """
        query = "doses" if column in OF_DOSES else "children"
        asked = sheet.asked() | {
            "column": str(column),
            "after": after,
            "limit": limit,
            "vaccine_group": vaccine_group,
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Behind))
            return cursor.execute(_SQL[query], asked).fetchall()

    def changes(self, sheet: Sheet, since: int) -> list[Changed]:
        """Return the children that count otherwise at the sheet's position than at an earlier one.

        Args:
            sheet: Which form, now.
            since: The earlier position.
        """
        asked = sheet.asked() | {"since": since, "until": sheet.at, "limit": CHANGES}
        with self._pool.connection() as connection:
            found = connection.execute(_SQL["changed"], asked).fetchall()
            enrolments = [enrolment for enrolment, _ in found]
            before = _states(connection, enrolments, since)
            after = _states(connection, enrolments, sheet.at)
            asked |= {
                "records": [record for _, record in found],
                "enrolments": enrolments,
                "topics": list(CAUSES),
            }
            causes: dict[UUID, list[Cause]] = {}
            for record, *cause in connection.execute(_SQL["causes"], asked):
                causes.setdefault(record, []).append(Cause(*cause))
        return [
            Changed(one, record, before.get(one), after.get(one), tuple(causes.get(record, ())))
            for one, record in found
            if before.get(one) != after.get(one)
        ]


def _states(connection: Connection, enrolments: Sequence[UUID], at: int) -> Mapping[UUID, State]:
    asked = {"enrolments": list(enrolments), "at": at}
    return {row[0]: State(*row) for row in connection.execute(_SQL["states"], asked)}
