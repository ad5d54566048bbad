"""What a school check found, as it stands in the events that quote it.

The rule itself lives in `domain.schedules`; here is the part of its answer that tables count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Self

from domain.schedules.verdict import Gap, Verdict
from domain.shape import Size
from domain.vocabulary import AgeYears, DoseNumber, RuleId, VaccineCode, Version


@dataclass(frozen=True)
class GroupDoses:
    """Doses of one vaccine group.

    Attributes:
        vaccine_group: the group, a column of annex 3.
        dose_numbers: which doses of the group.
    """

    vaccine_group: VaccineCode
    dose_numbers: Annotated[tuple[DoseNumber, ...], Size(1, 20)]


@dataclass(frozen=True)
class MadeUp:
    """A missed dose that was made up.

    Attributes:
        vaccine_group: the group, a column of annex 3.
        dose_number: which dose of the group.
        date: civil day on which it was given (S-12).
    """

    vaccine_group: VaccineCode
    dose_number: DoseNumber
    date: date


@dataclass(frozen=True)
class NoticeEdition:
    """Which requirements a notice set out.

    Attributes:
        requirement: id of the entry requirement.
        requirement_version: version of its rule file.
    """

    requirement: RuleId
    requirement_version: Version


@dataclass(frozen=True)
class Finding:
    """What a check found, by which rule, at which state of the record (DESIGN section 8).

    Attributes:
        age_years: completed years on the day of the check.
        missing: doses to make up.
        exempt: doses not to be given because of a lasting contraindication (X-5).
        requirement: id of the entry requirement.
        requirement_version: version of its rule file.
        record_version: version of the vaccination record that was judged.
        complete: full course for age; absent where not judgeable (X-3).
        annex1_row: age row of annex 1 that was used.
    """

    age_years: AgeYears
    missing: tuple[GroupDoses, ...]
    exempt: tuple[GroupDoses, ...]
    requirement: RuleId
    requirement_version: Version
    record_version: Version
    complete: bool | None = None
    annex1_row: AgeYears | None = None

    @classmethod
    def of(cls, verdict: Verdict, record_version: int) -> Self:
        """Take from a verdict what events quote."""
        return cls(
            age_years=verdict.age_years,
            missing=_groups(verdict.missing),
            exempt=_groups(verdict.exempt),
            requirement=verdict.requirements_id,
            requirement_version=verdict.requirements_version,
            record_version=record_version,
            complete=verdict.complete,
            annex1_row=verdict.annex1_row,
        )


def cells(groups: tuple[GroupDoses, ...]) -> list[tuple[str, int]]:
    """Every dose of the groups, one by one: vaccine group and dose number."""
    return [(group.vaccine_group, number) for group in groups for number in group.dose_numbers]


def given_on(verdict: Verdict, vaccine_group: str, dose_number: int) -> date | None:
    """Civil day of the dose that fills a cell, or that carried its substitute course on.

    Numbers within a substitute course may exceed the columns of the register (X-4); such doses
    stand in the last column of their group.
    """
    columns = {cell.column: cell for cell in verdict.cells if cell.vaccine_group == vaccine_group}
    cell = columns.get(min(dose_number, max(columns, default=0)))
    return max((dose.date for dose in cell.doses), default=None) if cell else None


def _groups(gaps: Iterable[Gap]) -> tuple[GroupDoses, ...]:
    return tuple(GroupDoses(gap.vaccine_group, gap.dose_numbers) for gap in gaps)
