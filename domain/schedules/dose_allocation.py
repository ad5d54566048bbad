"""Which dose counts where: every given dose gets its place in the register, or a reason why not.

Only counts matter (S-23): no minimum age, no interval. The result does not depend on the order in
which doses are listed, and one more dose never takes a filled column away:

1. Doses before birth or after the check, and those of kinds that the list does not name, are out.
2. A group takes one dose a day. What counts by itself goes before a part of a substitute course.
3. A vaccine that fills the first group with room (AC conjugate: MenA, then MenAC) is placed after
   all others, so that one dose is never counted in two columns (S-32).
4. The earliest doses fill the columns; the rest is surplus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, pairwise
from typing import Literal, NamedTuple

from domain.errors import UnknownVaccine, shown
from domain.schedules.counting import Counting, Mode
from domain.schedules.entry_requirements import EntryRequirements

Outcome = Literal[
    "counted",
    "course-part",
    "toward-course",
    "surplus",
    "same-day",
    "before-birth",
    "after-check",
    "not-listed",
]


class Dose(NamedTuple):
    """A dose given: catalogue code of the vaccine, civil date."""

    vaccine: str
    date: date


class Placement(NamedTuple):
    """What became of a dose in one group, or of the whole dose where it has none.

    Attributes:
        outcome: ``counted`` fills the column; ``course-part`` fills it together with a later dose;
            ``toward-course`` waits for more doses of its substitute course; the others explain why
            the dose does not count.
        group: The group, or None where the dose counts for none.
        number: Column of the register, or number in the substitute course for ``toward-course``.
        rule: Number of the rule by which the vaccine counts for the group.
    """

    outcome: Outcome
    group: str | None = None
    number: int | None = None
    rule: str | None = None


class PlacedDose(NamedTuple):
    """A dose and what became of it, one placement a group that it could count for."""

    dose: Dose
    placements: tuple[Placement, ...]


class GroupDoses(NamedTuple):
    """The doses of one group that count.

    Attributes:
        columns: For each filled column, in order, the doses that fill it.
        begun: Doses of a substitute course that fill no column yet.
        course_given: Doses of the substitute course, all told, that are not surplus.
    """

    columns: tuple[tuple[Dose, ...], ...]
    begun: tuple[Dose, ...]
    course_given: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """The doses of a child in their places."""

    groups: Mapping[str, GroupDoses]
    doses: tuple[PlacedDose, ...]


@dataclass(slots=True)
class _Given:
    """A dose while it is being placed; identical doses stay two."""

    dose: Dose
    placements: list[Placement] = field(default_factory=list)


@dataclass(slots=True)
class _Claim:
    """A dose that may count for some groups in one way."""

    given: _Given
    way: Counting

    @property
    def day(self) -> date:
        return self.given.dose.date

    def settle(self, outcome: Outcome, group: str, number: int | None = None) -> None:
        self.given.placements.append(Placement(outcome, group, number, self.way.rule))


@dataclass(slots=True)
class _Group:
    """A group while it is being filled: at most one claim a day."""

    code: str
    columns: int
    filling_doses: tuple[int, ...]
    direct: dict[date, _Claim] = field(default_factory=dict)
    course: dict[date, _Claim] = field(default_factory=dict)

    def takes(self, day: date) -> bool:
        return day not in self.direct and day not in self.course

    def add(self, claim: _Claim) -> None:
        """Let a claim in, or settle it where the day is taken."""
        if self.takes(claim.day):
            (self.course if claim.way.mode == "course" else self.direct)[claim.day] = claim
        else:
            claim.settle("same-day", self.code)

    def room(self) -> int:
        filled = sum(number <= len(self.course) for number in self.filling_doses)
        return self.columns - len(self.direct) - filled

    def close(self) -> GroupDoses:
        """Fill the columns, the earliest doses first, and settle every claim."""
        course = sorted(self.course.values(), key=_day)
        ends = [number for number in self.filling_doses if number <= len(course)]
        used = ends[-1] if ends else 0
        units = [[claim] for claim in self.direct.values()]
        units += [course[start:end] for start, end in pairwise((0, *ends))]
        units.sort(key=lambda unit: unit[-1].day)
        columns, beyond = units[: self.columns], units[self.columns :]
        is_open = len(columns) < self.columns and len(ends) < len(self.filling_doses)
        begun = course[used:] if is_open else []
        for number, unit in enumerate(columns, 1):
            for claim in unit:
                outcome: Outcome = "counted" if claim is unit[-1] else "course-part"
                claim.settle(outcome, self.code, number)
        for number, claim in enumerate(begun, used + 1):
            claim.settle("toward-course", self.code, number)
        for claim in (*chain.from_iterable(beyond), *course[used + len(begun) :]):
            claim.settle("surplus", self.code)
        return GroupDoses(
            columns=tuple(tuple(claim.given.dose for claim in unit) for unit in columns),
            begun=tuple(claim.given.dose for claim in begun),
            course_given=used + len(begun),
        )


def allocate(
    requirements: EntryRequirements,
    row: int | None,
    period: tuple[date, date],
    doses: Sequence[Dose],
) -> Allocation:
    """Put every dose in its place.

    Args:
        requirements: The rules of counting.
        row: Row of the table that judges the child, or None below it.
        period: Birth and check; doses of both days count.
        doses: In any order.

    Raises:
        UnknownVaccine: For a vaccine that is no code of the catalogue.
    """
    given = [_Given(dose) for dose in sorted(doses, key=lambda dose: (dose.date, dose.vaccine))]
    groups = {
        code: _Group(code, group.columns, _filling_doses(requirements, row, code))
        for code, group in requirements.groups.items()
    }
    claims: dict[Mode, list[_Claim]] = {"each": [], "course": [], "first": []}
    for item in given:
        if outcome := _outside(requirements, period, item.dose):
            item.placements.append(Placement(outcome))
            continue
        for way in requirements.counting[item.dose.vaccine]:
            claims[way.mode].append(_Claim(item, way))
    for claim in (*claims["each"], *claims["course"]):
        for code in claim.way.fills:
            groups[code].add(claim)
    _place_in_first_with_room(groups, claims["first"])
    filled = {code: group.close() for code, group in groups.items()}
    placed = tuple(PlacedDose(item.dose, tuple(item.placements)) for item in given)
    return Allocation(filled, placed)


def _place_in_first_with_room(groups: Mapping[str, _Group], claims: Sequence[_Claim]) -> None:
    """Place claims in the first of their groups with room, a surplus in the last (S-26, S-32)."""
    waiting: dict[tuple[tuple[str, ...], date], _Claim] = {}
    for claim in claims:
        if (claim.way.fills, claim.day) in waiting:
            claim.settle("same-day", claim.way.fills[0])
        else:
            waiting[claim.way.fills, claim.day] = claim
    for fills in dict.fromkeys(fills for fills, _ in waiting):
        queue = [claim for (chain_of, _), claim in waiting.items() if chain_of == fills]
        for position, code in enumerate(fills[:-1]):
            group, later = groups[code], fills[position + 1 :]
            # Of several, those go first whose day is taken in all later groups: they fit nowhere
            # else, and the others still do.
            fitting = sorted(
                (claim for claim in queue if group.takes(claim.day)),
                key=lambda claim: (any(groups[c].takes(claim.day) for c in later), claim.day),
            )[: max(group.room(), 0)]
            for claim in fitting:
                group.add(claim)
                queue.remove(claim)
        for claim in queue:
            groups[fills[-1]].add(claim)


def _filling_doses(requirements: EntryRequirements, row: int | None, group: str) -> tuple[int, ...]:
    course = requirements.courses.get(group)
    return course.filling_doses(row) if course else ()


def _outside(
    requirements: EntryRequirements, period: tuple[date, date], dose: Dose
) -> Outcome | None:
    """Return why a dose cannot count at all, or None."""
    if dose.vaccine not in requirements.catalogue:
        raise UnknownVaccine(vaccine=shown(dose.vaccine))
    if dose.date < period[0]:
        return "before-birth"
    if dose.date > period[1]:
        return "after-check"
    return None if dose.vaccine in requirements.counting else "not-listed"


def _day(claim: _Claim) -> date:
    return claim.day
