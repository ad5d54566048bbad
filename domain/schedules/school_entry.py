"""The school-entry check: what a child of this age lacks, and which papers follow (S-10)."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from domain.calendar import birthday, completed_age, completed_months
from domain.errors import UnknownVaccineGroup, shown
from domain.schedules.dose_allocation import Dose, GroupDoses, allocate
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.school_entry_case import Case, CheckBeforeBirth
from domain.schedules.verdict import Cell, CellState, DueDose, Gap, Outcome, Template, Verdict
from domain.schedules.verdict_findings import explain

__all__ = ["UnknownVaccineGroup", "decide", "evaluate"]

_Lacking = Mapping[str, Mapping[int, tuple[int, ...]]]
"""By group and register column, the numbers of the lacking doses."""


_TEMPLATES: Mapping[Outcome, Template | None] = {
    "full": 1,
    "to-make-up": 2,
    "not-to-make-up": "2+contraindication_note",
    "not-judgeable": None,
}
"""Which check statement (annex 2) follows: S-10 (1) to (3), S-33, X-3."""


def evaluate(requirements: EntryRequirements, case: Case) -> Verdict:
    """Judge a child by an edition of entry requirements, as `decide`, and say why in sentences."""
    verdict = decide(requirements, case)
    return replace(verdict, findings=tuple(explain(requirements, case, verdict)))


def decide(requirements: EntryRequirements, case: Case) -> Verdict:
    """Judge a child without a word; the sentences are half the work, and events keep none.

    Pure and independent of the order of doses and contraindications.

    Args:
        requirements: The rules, with their switches set.
        case: The child on the day of the check.

    Raises:
        CheckBeforeBirth: When the check lies before the birth.
        UnknownVaccine: For a dose whose vaccine is no code of the catalogue.
        UnknownVaccineGroup: For a contraindication against no group of the requirements.
    """
    _check(requirements, case)
    age = completed_age(case.birth_date, case.check_date)
    row = requirements.row_for(age)
    allocation = allocate(requirements, row, (case.birth_date, case.check_date), case.doses)
    lacking = {
        code: _lacking(requirements, row, code, allocation.groups[code])
        for code in requirements.groups
    }
    exempted = {item.vaccine_group for item in case.contraindications if item.kind == "permanent"}
    missing = _gaps(lacking, lambda code: code not in exempted)
    exempt = _gaps(lacking, exempted.__contains__)
    outcome = _outcome(row, missing, exempt)
    return Verdict(
        requirements_id=requirements.edition.id,
        requirements_version=requirements.edition.version,
        switches={switch.name: switch.chosen for switch in requirements.switches.values()},
        age_years=age,
        annex1_row=row,
        complete=None if row is None else outcome == "full",
        outcome=outcome,
        missing=missing,
        exempt=exempt,
        due=tuple(_due(requirements, case, lacking, exempted)),
        annex2_template=_TEMPLATES[outcome],
        reissue_certificate=not case.has_certificate,
        cells=tuple(_cells(requirements, allocation.groups, lacking, exempted)),
        doses=allocation.doses,
        findings=(),
    )


def _check(requirements: EntryRequirements, case: Case) -> None:
    if case.check_date < case.birth_date:
        raise CheckBeforeBirth
    for item in case.contraindications:
        if item.vaccine_group not in requirements.groups:
            raise UnknownVaccineGroup(vaccine_group=shown(item.vaccine_group))


def _lacking(
    requirements: EntryRequirements, row: int | None, code: str, given: GroupDoses
) -> dict[int, tuple[int, ...]]:
    """Number the lacking doses of a group, by the register column that they would fill.

    Numbers are by count: with k of n given, k+1 to n are lacking. In a begun substitute course
    that has its own numbers, k and n are those of the course (S-29: after one HepA-I, number 2).
    """
    columns = range(len(given.columns) + 1, requirements.required(row, code) + 1)
    course = requirements.courses.get(code)
    if course and course.numbered_by == "course" and given.begun:
        last = course.filling_doses(row)[0]
        return {column: tuple(range(given.course_given + 1, last + 1)) for column in columns}
    return {column: (column,) for column in columns}


def _gaps(lacking: _Lacking, includes: Callable[[str], bool]) -> tuple[Gap, ...]:
    return tuple(
        Gap(code, tuple(chain.from_iterable(columns.values())))
        for code, columns in lacking.items()
        if columns and includes(code)
    )


def _outcome(row: int | None, missing: tuple[Gap, ...], exempt: tuple[Gap, ...]) -> Outcome:
    if row is None:
        return "not-judgeable"
    if missing:
        return "to-make-up"
    return "not-to-make-up" if exempt else "full"


def _due(
    requirements: EntryRequirements, case: Case, lacking: _Lacking, exempted: Collection[str]
) -> Iterator[DueDose]:
    """Describe every dose to be made up: since when, how fresh, postponed, still to be had."""
    age = completed_age(case.birth_date, case.check_date)
    row = requirements.row_for(age)
    postponed = {item.vaccine_group for item in case.contraindications if item.kind == "temporary"}
    months = completed_months(case.birth_date, case.check_date)
    unavailable = {
        policy.group
        for policy in requirements.no_longer_given
        if policy.from_age_months <= months and policy.effective_from <= case.check_date
    }
    for code, columns in lacking.items():
        for column, numbers in columns.items():
            if row is None or code in exempted:
                continue
            since = requirements.required_since(row, code, column)
            for number in numbers:
                yield DueDose(
                    vaccine_group=code,
                    dose_number=number,
                    since=birthday(case.birth_date, since),
                    is_newly_required=since == age > min(requirements.rows),
                    is_postponed=code in postponed,
                    is_no_longer_given=code in unavailable,
                )


def _cells(
    requirements: EntryRequirements,
    given: Mapping[str, GroupDoses],
    lacking: _Lacking,
    exempted: Collection[str],
) -> Iterator[Cell]:
    """Lay the register's dose cells out, in its order of columns (S-11)."""
    for group in requirements.groups.values():
        filled = given[group.code].columns
        for column in range(1, group.columns + 1):
            numbers = lacking[group.code].get(column, ())
            state: CellState = "blank"
            doses: tuple[Dose, ...] = ()
            if column <= len(filled):
                state, doses = "given", filled[column - 1]
            elif numbers:
                state = "exempt" if group.code in exempted else "missing"
            if column == len(filled) + 1:
                doses = given[group.code].begun
            yield Cell(group.code, column, state, doses, numbers)
