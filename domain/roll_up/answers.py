"""The answers to a case of registers and roll-ups, each by its name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.roll_up.case import Case
from domain.roll_up.guards import broken_guard
from domain.roll_up.rates import REPORT_COMPLETENESS, row_ratios
from domain.roll_up.ratio import Ratio
from domain.roll_up.register_answers import annex3, cells, class_subtotals
from domain.roll_up.report import completeness, late_units, newest
from domain.roll_up.row import TOTAL, RollUpRow, institution_row, total
from domain.roll_up.row_case import write_row
from domain.roll_up.rules import Level, RollUpRules
from domain.roll_up.transfer import check_due_by, children_checked, counted_in

_INSTITUTION_RATES = ("child_check", "reissue", "makeup_doses_excl_bcg", "makeup_children")
_TOWNSHIP_RATES = ("institution_check", "child_check", "reissue", "makeup_doses_excl_bcg")
_COUNTY_RATES = (*_TOWNSHIP_RATES, "makeup_children", REPORT_COMPLETENESS)
_RATES = {
    "class": _INSTITUTION_RATES,
    "school": _INSTITUTION_RATES,
    "township": _TOWNSHIP_RATES,
}
_USUAL = {
    "class": ("annex3",),
    "school": ("annex4_row", "rates"),
    "township": ("total", "rates"),
    "county": ("total", "rates"),
    "city": ("total", "rates", "per_county_verdicts"),
    "pooling": ("rates",),
    "threshold": ("rates",),
    "separation": ("forms", "kindergarten_total_enrolled", "primary_total_enrolled"),
    "resubmission": ("total_checked", "report_completeness"),
    "late": ("late_units", "report_completeness"),
    "transfer": ("counted_in", "township_checked", "check_due_by"),
    "validation": ("valid", "reason"),
}


def answer(case: Case, rules: RollUpRules) -> dict[str, Any]:
    """Return what a case asks for, or else the usual answers of its kind.

    Raises:
        MissingMember: When an answer rests on a part that the input lacks.
    """
    asked = case.asked.answers
    if asked is None:
        asked = _USUAL.get(case.kind) or _possible(case)
        if case.kind == "school" and len(case.classes or ()) > 1:
            asked = ("annex3_second_class", *asked)
    return {name: ANSWERS[name](case, rules) for name in asked if name in ANSWERS}


def _possible(case: Case) -> tuple[str, ...]:
    """Name what the parts of an input can answer."""
    if case.is_single_child and case.classes:
        return ("cells",)
    if case.classes:
        return ("annex3", "annex4_row", "rates")
    if case.row:
        return ("valid", "reason", "rates")
    if case.movements:
        return _USUAL["transfer"]
    return ("total", "rates") if case.rows or case.reports else ("rates",)


# --- annex 4 ------------------------------------------------------------------------------------


def _school_row(case: Case, rules: RollUpRules) -> RollUpRow:
    classes = case.need(case.classes, "classes")
    return institution_row(
        case.names.get("school", TOTAL),
        sum(found.enrolled for found in classes),
        [class_subtotals(found, rules) for found in classes],
    )


def _annex4_row(case: Case, rules: RollUpRules) -> dict[str, Any]:
    return dict(write_row(_school_row(case, rules), rules.requirements.groups))


def _rows(case: Case) -> Sequence[RollUpRow]:
    if case.rows is not None:
        return case.rows
    reports = case.need(case.reports, "rows")
    return [report.row for report in newest(reports).values()]


def _total(case: Case, rules: RollUpRules) -> dict[str, Any]:
    known = rules.city.zh if case.kind == "city" else case.names.get(case.kind)
    unit = known or case.asked.total_unit or TOTAL
    return dict(write_row(total(_rows(case), unit), rules.requirements.groups))


def _rated_row(case: Case, rules: RollUpRules) -> RollUpRow:
    if case.row is not None:
        return case.row
    return _school_row(case, rules) if case.classes is not None else total(_rows(case))


# --- rates --------------------------------------------------------------------------------------


def _rates(case: Case, rules: RollUpRules) -> dict[str, Any]:
    ratios: dict[str, Ratio] = {}
    if case.ratio is not None:
        ratios = dict([case.ratio])
        asked = tuple(ratios)
    else:
        ratios = row_ratios(_rated_row(case, rules), rules.requirements.left_out_of_makeup_rate)
        if case.units_due is not None:
            ratios[REPORT_COMPLETENESS] = _completeness(case)
        asked = _RATES.get(case.kind, _COUNTY_RATES)
    names = case.asked.rates or asked
    return {name: _rate(rules, name, ratios[name]) for name in names if name in ratios}


def _rate(rules: RollUpRules, name: str, ratio: Ratio) -> dict[str, Any]:
    return {
        "num": ratio.num,
        "den": ratio.den,
        "percent": ratio.percent(),
        "meets_target": ratio.reaches(rules.rates[name].target),
    }


def _per_county_verdicts(case: Case, rules: RollUpRules) -> dict[str, Any]:
    """Judge each county by the rates whose targets are set for counties (S-45, S-46)."""
    left_out = rules.requirements.left_out_of_makeup_rate
    return {
        row.unit: {
            name: ratio.reaches(rules.rates[name].target)
            for name, ratio in row_ratios(row, left_out).items()
            if rules.rates[name].judged_by_county
        }
        for row in _rows(case)
    }


# --- reports ------------------------------------------------------------------------------------


def _completeness(case: Case) -> Ratio:
    due = case.need(case.units_due, "units_due")
    return completeness(due, {row.unit for row in _rows(case)})


def _late_units(case: Case, rules: RollUpRules) -> list[str]:
    """Name the late units in the order in which they are due."""
    reports = case.need(case.reports, "submissions")
    if not reports:
        return []
    year = rules.school_year(min(report.received_on for report in reports))
    late = late_units(reports, rules.report_due(_level(case), year))
    due = [unit for unit in case.units_due or () if unit in late]
    return [*due, *(unit for unit in late if unit not in due)]


def _level(case: Case) -> Level:
    """Tell who reports: the level below the one that is named, else by the names of the units.

    Worked cases write counties as single letters, townships as letter and number.
    """
    if "county" in case.names:
        return Level.TOWNSHIP
    units = case.units_due or [report.row.unit for report in case.reports or ()]
    is_county = units and all(len(unit) == 1 for unit in units)
    return Level.COUNTY if is_county else Level.TOWNSHIP


# --- movements ----------------------------------------------------------------------------------


def _counted_in(case: Case, _: RollUpRules) -> str | None:
    found = counted_in(case.need(case.movements, "events"))
    return found.school or None if found else None


def _check_due_by(case: Case, rules: RollUpRules) -> str | None:
    day = check_due_by(case.need(case.movements, "events"), rules.check_due_days)
    return day.isoformat() if day else None


def _broken(case: Case) -> str | None:
    guard = broken_guard(case.need(case.row, "row"))
    return guard.reason if guard else None


ANSWERS: Mapping[str, Callable[[Case, RollUpRules], Any]] = {
    "annex3": lambda case, rules: annex3(case, rules, 0),
    "annex3_second_class": lambda case, rules: annex3(case, rules, 1),
    "cells": cells,
    "annex4_row": _annex4_row,
    "total": _total,
    "rates": _rates,
    "per_county_verdicts": _per_county_verdicts,
    "forms": lambda case, _: len(case.need(case.forms, "rows_by_entry_type")),
    "kindergarten_total_enrolled": lambda case, _: _enrolled(case, "kindergarten"),
    "primary_total_enrolled": lambda case, _: _enrolled(case, "primary"),
    "total_checked": lambda case, _: total(_rows(case)).checked,
    "report_completeness": lambda case, rules: _rate(
        rules, REPORT_COMPLETENESS, _completeness(case)
    ),
    "late_units": _late_units,
    "counted_in": _counted_in,
    "township_checked": lambda case, _: children_checked(
        case.need(case.movements, "events"), case.names.get("township")
    ),
    "check_due_by": _check_due_by,
    "valid": lambda case, _: _broken(case) is None,
    "reason": lambda case, _: _broken(case),
}
"""Every answer that can be asked for."""


def _enrolled(case: Case, entry_type: str) -> int:
    forms = case.need(case.forms, "rows_by_entry_type")
    return total(forms.get(entry_type, ())).enrolled
