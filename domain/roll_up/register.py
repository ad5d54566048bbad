"""The register of a class (annex 3): its dose columns, the marks of a child, the subtotals.

A dose is a vaccine group and a number. A number beyond the columns of its group, as substitute
courses have (the second HepA-I for the one HepA, S-29), stands in the last column of the group.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from domain.schedules.entry_requirements import Group

Dose = tuple[str, int]
"""Vaccine group and number of the dose."""

FULL, NOT_FULL = "√", "╳"
MISSED, EXEMPT = "/", "禁"


@dataclass(frozen=True, kw_only=True)
class PupilCheck:
    """What the check of one child found, and what was made up since.

    Attributes:
        checked_on: Day of the check; None before it, and then nothing else is counted.
        has_certificate: Column 6.
        complete: Column 7, which never changes afterwards (S-36); None where not judgeable (X-3).
        reissued_on: Day on which a certificate was issued again.
        missing: Missed doses, each with the day on which it was made up.
        exempt: Doses that a lasting contraindication exempts: neither due nor given (X-5).
    """

    checked_on: date | None
    has_certificate: bool | None = None
    complete: bool | None = None
    reissued_on: date | None = None
    missing: Mapping[Dose, date | None] = field(default_factory=dict)
    exempt: frozenset[Dose] = frozenset()

    def known_on(self, day: date) -> "PupilCheck":
        """Return this child as known at the end of a day: what came later has not happened (X-16).

        A child whose check came later is not checked yet.
        """
        if self.checked_on is None or self.checked_on > day:
            return PupilCheck(checked_on=None)
        return replace(
            self,
            reissued_on=_until(self.reissued_on, day),
            missing={dose: _until(made_up, day) for dose, made_up in self.missing.items()},
        )

    @property
    def has_completed(self) -> bool:
        """Whether every missed dose was made up, BCG among them (column 30, X-13)."""
        return bool(self.missing) and all(self.missing.values())

    def cells(self, groups: Mapping[str, Group]) -> dict[Dose, str]:
        """Return the marks in the dose columns (S-11, S-12), empty cells left out.

        Two doses in one column read as the one that is not made up, else as the later.
        """
        marks = {dose_column(dose, groups): EXEMPT for dose in self.exempt}
        made_up: dict[Dose, date] = {}
        for dose, day in sorted(self.missing.items(), key=lambda item: item[1] or date.min):
            if day is not None:
                made_up[dose_column(dose, groups)] = day
        marks |= {column: day_and_month(day) for column, day in made_up.items()}
        marks |= {
            dose_column(dose, groups): MISSED for dose, day in self.missing.items() if day is None
        }
        return {column: marks[column] for column in dose_columns(groups) if column in marks}

    @property
    def mark(self) -> str:
        """Column 7: `√`, `╳`, or nothing where it cannot be told."""
        return {True: FULL, False: NOT_FULL, None: ""}[self.complete]


@dataclass(frozen=True, kw_only=True)
class Subtotals:
    """The three rows under a register (S-35). Doses are counted by column, columns of 0 left out.

    Attributes:
        checked: 查验小计: children checked,
        with_certificate: of these with certificate (column 6),
        fully_vaccinated: and with the full course (column 7 `√`).
        without_certificate: 无证、漏种小计: children without certificate,
        not_fully_vaccinated: with `╳`,
        missed: and missed doses, made up later or not (S-36).
        certificates_reissued: 补证、补种小计: certificates issued again to children without,
        makeup_completed: children who completed (column 30),
        made_up: and doses made up.
    """

    checked: int
    with_certificate: int
    fully_vaccinated: int
    without_certificate: int
    not_fully_vaccinated: int
    missed: Mapping[Dose, int]
    certificates_reissued: int
    makeup_completed: int
    made_up: Mapping[Dose, int]


def subtotals(pupils: Iterable[PupilCheck], groups: Mapping[str, Group]) -> Subtotals:
    """Count a class; children who are not checked yet count nowhere."""
    checked = [pupil for pupil in pupils if pupil.checked_on is not None]
    without = [pupil for pupil in checked if not pupil.has_certificate]
    missed = [item for pupil in checked for item in pupil.missing.items()]
    return Subtotals(
        checked=len(checked),
        with_certificate=len(checked) - len(without),
        fully_vaccinated=sum(pupil.complete is True for pupil in checked),
        without_certificate=len(without),
        not_fully_vaccinated=sum(pupil.complete is False for pupil in checked),
        missed=_by_column((dose for dose, _ in missed), groups),
        certificates_reissued=sum(pupil.reissued_on is not None for pupil in without),
        makeup_completed=sum(
            pupil.has_completed and pupil.complete is not True for pupil in checked
        ),
        made_up=_by_column((dose for dose, day in missed if day is not None), groups),
    )


def dose_columns(groups: Mapping[str, Group]) -> tuple[Dose, ...]:
    """Return the dose columns of a register in its order (columns 8 to 29 under kaifeng-2018)."""
    return tuple(
        (group.code, number) for group in groups.values() for number in range(1, group.columns + 1)
    )


def dose_column(dose: Dose, groups: Mapping[str, Group]) -> Dose:
    """Return the column in which a dose stands; one of a group that has none stands for itself."""
    group, number = dose
    return (group, min(number, groups[group].columns)) if group in groups else dose


def day_and_month(day: date) -> str:
    """Write the day of a make-up as the form asks: 日/月, without zeros (S-12)."""
    return f"{day.day}/{day.month}"


def _by_column(doses: Iterable[Dose], groups: Mapping[str, Group]) -> dict[Dose, int]:
    counts = dict.fromkeys(dose_columns(groups), 0)
    for dose in doses:
        column = dose_column(dose, groups)
        counts[column] = counts.get(column, 0) + 1
    return {column: count for column, count in counts.items() if count}


def _until(day: date | None, last: date) -> date | None:
    return None if day is None or day > last else day
