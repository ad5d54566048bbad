"""The class register of a school as known at a position, with names joined by handle."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import orjson

from domain.protection import State
from domain.roll_up.register import Dose, PupilCheck
from projections.annex3 import Particulars, Pupil, Subtotals, subtotals
from projections.connection import Connection, Pool
from projections.people import Listed, People
from projections.pieces import OPEN_POSITION
from projections.queries import named_queries

_SQL = named_queries("school_checks.sql")
_REGISTER = _SQL["class_register"].replace(b"%(at)s", b"known.at")
_HEAD = 3
"""Columns of a row of it that tell of the school."""
_HIDING = [State.RESTRICTED, State.SHREDDED]
"""States in which nothing of a person is shown; each is the kind of a claim that the log holds."""


@dataclass(frozen=True)
class Line:
    """A pupil with what annex 3 has no column for (S-37).

    Attributes:
        corrections: Those of the child's doses that count, in the order of their application.
        pupil: Without particulars where the record is restricted or was shredded.
    """

    enrolment: UUID
    record: UUID
    recipient: UUID | None
    admission: str
    joined_on: date
    checked_on: date | None
    reissued_on: date | None
    rechecked_on: date | None
    corrections: Sequence[UUID]
    pupil: Pupil


@dataclass(frozen=True)
class Register:
    """A class register.

    Attributes:
        institution_name: None where there is no such institution.
        position: What was known up to there.
        lines: One a child, in the order of their numbers.
        subtotals: The three rows under them.
    """

    institution: UUID
    institution_name: str | None
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
        check: Callable[[str | None], None] | None = None,
    ) -> Register:
        """Return annex 3 of a class.

        Children who joined another school later stand in that school's register (X-17), so that
        registers add up to the roll-up. Of records that may not be processed now no particulars are
        shown, whatever was known then; subtotals count those children as before.

        Args:
            institution: The school.
            class_name: As the school names it.
            school_year: Year in which the school year starts.
            effective_on: Civil day as of which names read, and corrections count.
            at_position: What was known then; now when absent.
            check: Asked about the school's division, None if there is no such school, before any
                name is read; raises for whoever may not see it.
        """
        asked = {
            "institution": institution,
            "class_name": class_name,
            "school_year": school_year,
            "asked_at": at_position,
            "corrected_at": OPEN_POSITION - 1 if at_position is None else at_position,
            "day": effective_on,
            "states": _HIDING,
        }
        with self._pool.connection() as connection:
            rows = connection.execute(_REGISTER, asked).fetchall()
        at, school, division = rows[0][:_HEAD]
        if check is not None:
            check(division)
        children = [_Child(*row[_HEAD:]) for row in rows if row[_HEAD] is not None]
        names = self._particulars(children, effective_on, at)
        lines = tuple(_line(*one) for one in zip(children, names, strict=True))
        return Register(
            institution,
            school,
            class_name,
            school_year,
            at,
            lines,
            subtotals(line.pupil for line in lines),
        )

    def _particulars(
        self, children: Sequence["_Child"], effective_on: date, at: int
    ) -> list[Particulars]:
        """Join names by handle; the phone is a parent's if there is one, else the child's own."""
        if not children:
            return []
        handles = {child.recipient for child in children if child.recipient is not None}
        handles.update(*(child.guardians for child in children))
        applied, people = self._people.listed(handles, effective_on, at)
        return [_first_cells(child, people, applied) for child in children]


class _Child(NamedTuple):
    """A row of a class as the query tells it."""

    enrolment: UUID
    record: UUID
    number: int
    admission: str
    joined_on: date
    checked_on: date | None
    has_certificate: bool | None
    complete: bool | None
    completed: bool | None
    reissued_on: date | None
    rechecked_on: date | None
    cells: str | None
    recipient: UUID | None
    registered_position: int | None
    guardians: Sequence[UUID]
    corrections: Sequence[UUID]
    states: Sequence[str]


def _first_cells(child: _Child, people: Mapping[UUID, Listed], applied: int) -> Particulars:
    """What may be shown of a child: nothing where its record may not be processed."""
    if State.RESTRICTED in child.states:
        return Particulars(restricted=True)
    if State.SHREDDED in child.states:
        return Particulars(erased=True)
    known = people.get(child.recipient) if child.recipient is not None else None
    if known is None:
        # Not there although its registration was applied: deleted.
        registered = child.registered_position
        return Particulars(erased=registered is not None and registered <= applied)
    phones = (people[one].phone for one in child.guardians if one in people)
    phone = next((phone for phone in phones if phone), known.phone)
    return Particulars(known.name, known.sex, known.birth_date, phone)


def _line(child: _Child, particulars: Particulars) -> Line:
    missing: dict[Dose, date | None] = {}
    exempt = set()
    for group, number, is_exempt, made_up_on in orjson.loads(child.cells or "[]"):
        if is_exempt:
            exempt.add((group, number))
        else:
            missing[group, number] = made_up_on and date.fromisoformat(made_up_on)
    check = PupilCheck(
        checked_on=child.checked_on,
        has_certificate=child.has_certificate,
        complete=child.complete,
        reissued_on=child.reissued_on,
        missing=missing,
        exempt=frozenset(exempt),
    )
    return Line(
        child.enrolment,
        child.record,
        child.recipient,
        child.admission,
        child.joined_on,
        child.checked_on,
        child.reissued_on,
        child.rechecked_on,
        child.corrections,
        Pupil(child.number, particulars, check, child.completed),
    )


def _position(connection: Connection) -> int:
    row = connection.execute(_SQL["position"]).fetchone()
    return row[0] if row else 0
