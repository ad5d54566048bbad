"""Registers and roll-ups as handed in (S-14, S-17): who has, and what they stated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from domain.calendar import civil_day
from domain.roll_up.ratio import Ratio
from domain.roll_up.report import completeness
from domain.roll_up.row import COUNTS, DoseCount
from projections.annex4 import RollUpRow
from projections.change import Change
from projections.connection import Cursor, Pool
from projections.pieces import OPEN_POSITION
from projections.projection import Projection, Table
from projections.queries import named_queries

NAME = "reports"
_SQL = named_queries("reports.sql")

_REGISTERS = "register-report.submitted.v1"
_ROLL_UP = "roll-up-report.submitted.v1"
_PREPARATION = "preparation.recorded.v1"
_AFTER_DIGITS = ":"


def apply(cursor: Cursor, changes: Sequence[Change]) -> None:
    """Add what was handed in."""
    _add(cursor, "copy_register_reports", _REGISTERS, changes)
    _add(cursor, "copy_roll_up_reports", _ROLL_UP, changes)
    _add_preparations(cursor, [one for one in changes if one.entry.topic == _PREPARATION])


def _add(cursor: Cursor, query: str, topic: str, changes: Sequence[Change]) -> None:
    concerned = [change for change in changes if change.entry.topic == topic]
    if concerned:
        with cursor.copy(_SQL[query]) as rows:
            for change in concerned:
                rows.write_row(_head(change) + _body(change.entry.data))


def _add_preparations(cursor: Cursor, done: Sequence[Change]) -> None:
    if not done:
        return
    with cursor.copy(_SQL["copy_preparations"]) as rows:
        for position, entry in done:
            data, derived = entry.data, entry.data["derived"]
            rows.write_row(
                (
                    *(entry.stream, position, data["organisation"], data["division"]),
                    *(data["school_year"], data["task"], data["done_on"]),
                    *(derived["due"], derived["late"], data.get("count")),
                )
            )


def _head(change: Change) -> tuple[Any, ...]:
    entry = change.entry
    return entry.stream, change.position, civil_day(entry.recorded_at)


def _body(data: Mapping[str, Any]) -> tuple[Any, ...]:
    derived = data["derived"]
    shown = (data["position"], data["effective_on"], derived["due"], derived["late"])
    if "edition" in data:
        who = (data["institution"], data["division"], data["school_year"], data["edition"])
        return who + shown
    total = data["total"]
    doses = {one["vaccine_group"]: [one["due"], one["done"]] for one in total["doses"]}
    return (
        *(data["organisation"], data["division"], data["level"], data["school_year"]),
        data["entry_type"],
        *shown,
        [total[name] for name in COUNTS],
        Jsonb(doses),
    )


PROJECTION = Projection(
    NAME,
    (_REGISTERS, _ROLL_UP, _PREPARATION),
    (
        Table("register_reports", ("report",)),
        Table("roll_up_reports", ("report",)),
        Table("preparations", ("preparation",)),
    ),
    apply,
)


@dataclass(frozen=True)
class RegisterReportRow:
    """A copy of a school's registers.

    Attributes:
        position: Of the entry that handed it in.
        shown_position: State of the log that it shows, as of `effective_on`.
    """

    report: UUID
    position: int
    submitted_on: date
    institution: UUID
    division: str
    school_year: int
    edition: str
    shown_position: int
    effective_on: date
    due: date
    late: bool


@dataclass(frozen=True)
class RollUpReportRow:
    """A roll-up as handed in.

    Attributes:
        position: Of the entry that handed it in.
        shown_position: State of the log that it shows, as of `effective_on`.
        counts: Columns 2 to 9 as stated.
        doses: Columns 10 to 29 as stated, by group: due and done.
    """

    report: UUID
    position: int
    submitted_on: date
    organisation: UUID
    division: str
    level: str
    school_year: int
    entry_type: str
    shown_position: int
    effective_on: date
    due: date
    late: bool
    counts: list[int]
    doses: dict[str, list[int]]

    def total(self) -> RollUpRow:
        """Return the row 合计 as stated."""
        doses = {group: DoseCount(*pair) for group, pair in self.doses.items()}
        return RollUpRow("合计", "合计", *self.counts, doses=doses)


@dataclass(frozen=True)
class Reporter:
    """Who was to hand in, and whether they have.

    Attributes:
        versions: How many they handed in; 0 is missing.
        first_on: Civil day of the first.
        late: Whether the first came late: correcting one in time makes nobody late (X-24).
        newest: The one that counts (S-53).
    """

    unit: UUID
    name: str
    division: str
    institution_type: str | None
    versions: int
    first_on: date | None
    late: bool
    newest: UUID | None


@dataclass(frozen=True)
class PreparationRow:
    """A task of an organisation before enrolment, done or not (S-6, S-18)."""

    organisation: UUID
    name: str
    division: str
    task: str
    done_on: date | None
    late: bool | None
    count: int | None


def received(reporters: Sequence[Reporter]) -> Ratio:
    """Return how many of those due have handed in, late ones included (S-47, S-48)."""
    due = [str(one.unit) for one in reporters]
    return completeness(due, [str(one.unit) for one in reporters if one.versions])


@dataclass(frozen=True)
class Known:
    """As of when what was handed in is asked for.

    Attributes:
        at: What was known up to that position; all when absent.
        day: What was handed in by the end of that civil day, or done by then.
    """

    at: int | None = None
    day: date = date.max

    def asked(self) -> Mapping[str, Any]:
        """Return both as the queries name them."""
        return {"at": OPEN_POSITION - 1 if self.at is None else self.at, "day": self.day}


EVERYTHING = Known()


class Reports:
    """Questions about what was handed in, each as it was `known` at a position and on a day.

    Args:
        pool: Connections to the log database that read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def register_report(self, report: UUID) -> RegisterReportRow | None:
        """Return one copy of registers."""
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(RegisterReportRow))
            return cursor.execute(_SQL["register_report"], {"report": report}).fetchone()

    def register_reports(
        self, institution: UUID, school_year: int, known: Known = EVERYTHING
    ) -> list[RegisterReportRow]:
        """Return what a school handed in, oldest first."""
        asked = {"institution": institution, "school_year": school_year, **known.asked()}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(RegisterReportRow))
            return cursor.execute(_SQL["register_reports"], asked).fetchall()

    def roll_up_report(self, report: UUID) -> RollUpReportRow | None:
        """Return one roll-up."""
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(RollUpReportRow))
            return cursor.execute(_SQL["roll_up_report"], {"report": report}).fetchone()

    def roll_up_reports(
        self,
        organisation: UUID,
        school_year: int,
        entry_type: str,
        known: Known = EVERYTHING,
    ) -> list[RollUpReportRow]:
        """Return what a unit handed in, oldest first: the last one counts."""
        asked = {
            "organisation": organisation,
            "school_year": school_year,
            "entry_type": entry_type,
            **known.asked(),
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(RollUpReportRow))
            return cursor.execute(_SQL["roll_up_reports"], asked).fetchall()

    def schools(
        self, division_prefix: str, school_year: int, edition: str, known: Known = EVERYTHING
    ) -> list[Reporter]:
        """Return every school on the roll of a division, and what it handed in (S-14, S-21)."""
        asked = {"school_year": school_year, "edition": edition, **known.asked()}
        return self._reporters("schools", division_prefix, asked)

    def reporters(
        self,
        division_prefix: str,
        kind: str,
        school_year: int,
        entry_type: str,
        known: Known = EVERYTHING,
    ) -> list[Reporter]:
        """Return the organisations of a kind within a division, and what they handed in."""
        asked = {
            "kind": kind,
            "school_year": school_year,
            "entry_type": entry_type,
            **known.asked(),
        }
        return self._reporters("reporters", division_prefix, asked)

    def preparations(
        self, division_prefix: str, school_year: int, known: Known = EVERYTHING
    ) -> list[PreparationRow]:
        """Return every task of the schools and CDCs of a division."""
        asked = {
            "prefix": division_prefix,
            "prefix_end": division_prefix + _AFTER_DIGITS,
            "school_year": school_year,
            **known.asked(),
        }
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(PreparationRow))
            return cursor.execute(_SQL["preparations"], asked).fetchall()

    def _reporters(
        self, query: str, division_prefix: str, asked: Mapping[str, Any]
    ) -> list[Reporter]:
        within = {"prefix": division_prefix, "prefix_end": division_prefix + _AFTER_DIGITS}
        with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Reporter))
            return cursor.execute(_SQL[query], {**asked, **within}).fetchall()
