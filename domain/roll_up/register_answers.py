"""The answers to a case that are read off a register (annex 3): its subtotals and its cells."""

from collections.abc import Mapping
from typing import Any

from domain.roll_up.case import Case, SchoolClass
from domain.roll_up.register import Dose, PupilCheck, Subtotals, dose_columns, subtotals
from domain.roll_up.rules import RollUpRules
from domain.schedules.entry_requirements import Group

FIRST_DOSE_COLUMN = 8
"""Column of the register in which its dose columns begin."""


def class_subtotals(found: SchoolClass, rules: RollUpRules) -> Subtotals:
    """Count a class."""
    return subtotals(found.pupils.values(), rules.requirements.groups)


def annex3(case: Case, rules: RollUpRules, number: int) -> dict[str, Any]:
    """Return the three rows under the register of a class.

    Args:
        case: The case.
        rules: The rules in force.
        number: Which of its classes, from 0.
    """
    classes = case.need(case.classes, "classes")
    found = case.need(classes[number] if number < len(classes) else None, "classes")
    return write_subtotals(class_subtotals(found, rules))


def write_subtotals(found: Subtotals) -> dict[str, Any]:
    """Return subtotals by the names of their rows; dose columns of 0 are left out."""
    return {
        "查验小计": {
            "checked": found.checked,
            "with_certificate": found.with_certificate,
            "fully_vaccinated": found.fully_vaccinated,
        },
        "无证漏种小计": {
            "without_certificate": found.without_certificate,
            "not_fully_vaccinated": found.not_fully_vaccinated,
            **_doses(found.missed),
        },
        "补证补种小计": {
            "certificates_reissued": found.certificates_reissued,
            "makeup_completed": found.makeup_completed,
            **_doses(found.made_up),
        },
    }


def cells(case: Case, rules: RollUpRules) -> dict[str, Any]:
    """Return the marks of a child's cells, empty ones left out; of a class, by its numbers.

    Cells that the case asks for by name are given even when they are empty. A cell is named by
    vaccine group and number, by its heading or by the number of its column.
    """
    groups = rules.requirements.groups
    classes = case.need(case.classes, "pupil")
    if not case.is_single_child:
        pupils = {number: one for found in classes for number, one in found.pupils.items()}
        return {number: _marks(one, groups) for number, one in pupils.items()}
    [pupil] = classes[0].pupils.values()
    named = _named_marks(pupil, groups)
    asked = [name for name in case.asked.cells or () if name in named]
    return {name: named[name] for name in asked} or _marks(pupil, groups)


def _marks(pupil: PupilCheck, groups: Mapping[str, Group]) -> dict[str, str]:
    return {f"{group}{column}": mark for (group, column), mark in pupil.cells(groups).items()}


def _named_marks(pupil: PupilCheck, groups: Mapping[str, Group]) -> dict[str, str]:
    marks = pupil.cells(groups)
    named = {"是否全程接种": pupil.mark, str(FIRST_DOSE_COLUMN - 1): pupil.mark}
    for number, (code, column) in enumerate(dose_columns(groups), FIRST_DOSE_COLUMN):
        mark = marks.get((code, column), "")
        group = groups[code]
        heading = group.name.zh if group.columns == 1 else f"{group.name.zh}{column}"
        named |= {f"{code}{column}": mark, heading: mark, str(number): mark}
    return named


def _doses(counts: Mapping[Dose, int]) -> dict[str, Any]:
    by_column = {f"{group}{number}": count for (group, number), count in counts.items()}
    return {"doses": by_column, "doses_total": sum(counts.values())}
