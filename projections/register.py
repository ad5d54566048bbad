"""The class register of a school as known at a position, with names joined by handle."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain.roll_up.register import PupilCheck
from projections.annex3 import Particulars, Pupil, Subtotals, subtotals
from projections.connection import Connection, Pool
from projections.people import People, Person
from projections.queries import named_queries

_SQL = named_queries("school_checks.sql")


@dataclass(frozen=True)
class Line:
    """A pupil with what annex 3 has no column for (S-37)."""

    enrolment: UUID
    record: UUID
    recipient: UUID | None
    admission: str
    joined_on: date
    checked_on: date | None
    reissued_on: date | None
    rechecked_on: date | None
    pupil: Pupil


@dataclass(frozen=True)
class Register:
    """A class register.

    Attributes:
        position: What was known up to there.
        lines: One a child, in the order of their numbers.
        subtotals: The three rows under them.
    """

    institution: UUID
    class_name: str
    school_year: int
    position: int
    lines: tuple[Line, ...]
    subtotals: Subtotals

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the whole table, 30 cells a row: children, then subtotals."""
        return (*(line.pupil.row() for line in self.lines), *self.subtotals.rows())


@dataclass(frozen=True)
class ClassRow:
    """A class of a school: how many children, and how far check and make-up are.

    Attributes:
        not_full: Of those checked, found without the full course.
        completed: Of these, with everything made up.
        told: Children whose parents were given the notice (S-6).
    """

    class_name: str
    enrolled: int
    checked: int
    not_full: int
    completed: int
    told: int


@dataclass(frozen=True)
class NoticeRow:
    """A notice as it was given (S-6).

    Attributes:
        requirement: Edition of the requirements that it set out, with its version; None where the
            entry is older than that field.
        position: Of the entry.
    """

    given_on: date
    channel: str
    requirement: str | None
    requirement_version: int | None
    position: int


@dataclass(frozen=True)
class PlaceRow:
    """Where a child stands in a school's registers."""

    enrolment: UUID
    class_name: str
    school_year: int


class Registers:
    """Class registers.

    Args:
        pool: Connections to the log database that read.
        people: Names, from the key database.
    """

    def __init__(self, pool: Pool, people: People) -> None:
        self._pool = pool
        self._people = people

    def position(self) -> int:
        """Return up to where school checks are applied."""
        with self._pool.connection() as connection:
            return _position(connection)

    def has_enrolled(self, institution: UUID, record: UUID) -> bool:
        """Tell whether a school has ever enrolled a child."""
        asked = {"institution": institution, "record": record}
        with self._pool.connection() as connection:
            row = connection.execute(_SQL["is_enrolled"], asked).fetchone()
        return bool(row and row[0])

    def classes(
        self, institution: UUID, school_year: int, at_position: int | None = None
    ) -> list[ClassRow]:
        """Return the classes of a school."""
        with self._pool.connection() as connection:
            at = _position(connection) if at_position is None else at_position
            asked = {"institution": institution, "school_year": school_year, "at": at}
            return [ClassRow(*row) for row in connection.execute(_SQL["classes"], asked)]

    def notices(
        self, enrolments: Collection[UUID], at_position: int
    ) -> Mapping[UUID, Sequence[NoticeRow]]:
        """Return the notices of each enrolment that has any, in the order of their entries."""
        asked = {"enrolments": list(enrolments), "at": at_position}
        found: defaultdict[UUID, list[NoticeRow]] = defaultdict(list)
        with self._pool.connection() as connection:
            for enrolment, *given in connection.execute(_SQL["notices"], asked):
                found[enrolment].append(NoticeRow(*given))
        return found

    def place(
        self, record: UUID, institution: UUID, at_position: int | None = None
    ) -> PlaceRow | None:
        """Return the class that a child was last enrolled in at a school."""
        with self._pool.connection() as connection:
            at = _position(connection) if at_position is None else at_position
            asked = {"record": record, "institution": institution, "at": at}
            row = connection.execute(_SQL["place_of_record"], asked).fetchone()
            return PlaceRow(*row) if row else None

    def register(
        self,
        institution: UUID,
        class_name: str,
        *,
        school_year: int,
        effective_on: date,
        at_position: int | None = None,
    ) -> Register:
        """Return annex 3 of a class.

        Children who joined another school later stand in that school's register (X-17), so that
        registers add up to the roll-up.

        Args:
            institution: The school.
            class_name: As the school names it.
            school_year: Year in which the school year starts.
            effective_on: Civil day as of which names read.
            at_position: What was known then; now when absent.
        """
        with self._pool.connection() as connection:
            at = _position(connection) if at_position is None else at_position
            asked: dict[str, Any] = {
                "institution": institution,
                "class_name": class_name,
                "school_year": school_year,
                "at": at,
            }
            pupils = connection.execute(_SQL["pupils"], asked).fetchall()
            cells = connection.execute(
                _SQL["cells_of_pupils"], {"enrolments": [row[0] for row in pupils], "at": at}
            ).fetchall()
        names = self._particulars(pupils, effective_on, at)
        cells_of: defaultdict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
        for enrolment, *cell in cells:
            cells_of[enrolment].append(tuple(cell))
        lines = tuple(
            _line(row, child, cells_of[row[0]]) for row, child in zip(pupils, names, strict=True)
        )
        return Register(
            institution,
            class_name,
            school_year,
            at,
            lines,
            subtotals(line.pupil for line in lines),
        )

    def _particulars(
        self, pupils: list[tuple[Any, ...]], effective_on: date, at: int
    ) -> list[Particulars]:
        """Join names by handle; the phone is a parent's if there is one, else the child's own."""
        applied = self._people.position()  # before the look-up: never ahead of what it finds
        handles = {row[11] for row in pupils} | {person for row in pupils for person in row[13]}
        people = self._people.lookup(handles - {None}, effective_on, at)
        joined = []
        for row in pupils:
            recipient, registered, guardians = row[11:14]
            child = people.get(recipient)
            if child is None:
                # Not there although its registration was applied: deleted.
                joined.append(Particulars(erased=registered is not None and registered <= applied))
                continue
            parents = (people.get(person, Person()).phone for person in guardians)
            phone = next((number for number in parents if number), child.phone)
            joined.append(Particulars(child.name, child.sex, child.birth_date, phone))
        return joined


def _line(row: tuple[Any, ...], child: Particulars, cells: list[tuple[Any, ...]]) -> Line:
    (enrolment, record, number, has_certificate, checked_on, complete, completed, reissued_on) = (
        row[:8]
    )
    joined_on, admission, rechecked_on, recipient = row[8:12]
    check = PupilCheck(
        checked_on=checked_on,
        has_certificate=has_certificate,
        complete=complete,
        reissued_on=reissued_on,
        missing={(group, dose): day for group, dose, exempt, day in cells if not exempt},
        exempt=frozenset((group, dose) for group, dose, exempt, _ in cells if exempt),
    )
    return Line(
        enrolment,
        record,
        recipient,
        admission,
        joined_on,
        checked_on,
        reissued_on,
        rechecked_on,
        Pupil(number, child, check, completed),
    )


def _position(connection: Connection) -> int:
    row = connection.execute(_SQL["position"]).fetchone()
    return row[0] if row else 0
