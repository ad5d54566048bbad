"""The case of a school-entry check as JSON, the same for HTTP, files and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from domain.errors import DomainError, UnknownVaccineGroup, shown
from domain.schedules.dose_allocation import Dose, PlacedDose
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.json_document import Node
from domain.schedules.verdict import Cell, DueDose, Gap, Verdict

ContraindicationKind = Literal["permanent", "temporary"]

ANNOTATIONS = (
    *("id", "expected", "expected_more", "why", "source_ref"),
    *("ambiguous", "alternatives", "note", "title", "kind"),
)
"""Members of a case in a file that explain it to people and decide nothing."""

_KINDS: Mapping[str, ContraindicationKind] = {"permanent": "permanent", "temporary": "temporary"}


class CheckBeforeBirth(DomainError):
    """The check lies before the birth."""

    code = "check-before-birth"
    zh = "查验日期早于出生日期。"


class UnknownEntryType(DomainError):
    """The requirements know no such entry type."""

    code = "unknown-entry-type"
    zh = "入学类型无效。"


@dataclass(frozen=True, slots=True)
class Contraindication:
    """A contraindication against a group: ``permanent`` exempts, ``temporary`` postpones (X-5)."""

    vaccine_group: str
    kind: ContraindicationKind


@dataclass(frozen=True, slots=True)
class Case:
    """What a check looks at.

    Attributes:
        birth_date: Civil date.
        check_date: Civil date; the age is taken on it, and doses up to it count.
        entry_type: ``kindergarten`` or ``primary``. The age alone decides what is asked for, also
            of a five-year-old at primary school (X-23).
        has_certificate: Whether the child has its vaccination certificate.
        doses: In any order.
        contraindications: Those that hold on the day of the check.
    """

    birth_date: date
    check_date: date
    entry_type: str
    has_certificate: bool
    doses: tuple[Dose, ...]
    contraindications: tuple[Contraindication, ...] = ()


def parse_case(
    value: Any, requirements: EntryRequirements, *, pointer: str = "", annotated: bool = False
) -> Case:
    """Read a case strictly.

    Args:
        value: Parsed JSON: ``{"birth_date", "check_date", "entry_type", "has_certificate",
            "doses": [{"vaccine", "date"}], "contraindications": [{"vaccine_group", "kind"}]}``,
            the last member optional. A vaccine may be named by symbol, four-digit code or alias.
        requirements: The rules it will be judged by: their entry types, groups and catalogue.
        pointer: Where the case stands in its document.
        annotated: Whether the members of `ANNOTATIONS` are allowed, as in files.

    Raises:
        DomainError: The first fault, with its JSON pointer: `WrongType`, `MissingMember`,
            `UnexpectedMember`, `InvalidDate`, `UnknownValue`, `UnknownVaccine`,
            `AmbiguousVaccine`, `UnknownVaccineGroup`, `UnknownEntryType`, `CheckBeforeBirth`.
    """
    found = Node(value, pointer).members(
        ("birth_date", "check_date", "entry_type", "has_certificate", "doses"),
        ("contraindications",),
        ANNOTATIONS if annotated else (),
    )
    birth_date, check_date = found["birth_date"].day(), found["check_date"].day()
    if check_date < birth_date:
        raise CheckBeforeBirth().at(found["check_date"].pointer)
    entry_type = found["entry_type"].text()
    if entry_type not in requirements.entry_types:
        allowed = sorted(requirements.entry_types)
        raise UnknownEntryType(value=shown(entry_type), allowed=allowed).at(
            found["entry_type"].pointer
        )
    against = found["contraindications"].items() if "contraindications" in found else []
    return Case(
        birth_date=birth_date,
        check_date=check_date,
        entry_type=entry_type,
        has_certificate=found["has_certificate"].boolean(),
        doses=tuple(_dose(node, requirements) for node in found["doses"].items()),
        contraindications=tuple(_contraindication(node, requirements) for node in against),
    )


def answer(verdict: Verdict) -> dict[str, Any]:
    """Return the verdict as worked cases state it: the keys of `expected` and `expected_more`."""
    return {
        "age_years": verdict.age_years,
        "complete": verdict.complete,
        "missing": [_gap(gap) for gap in verdict.missing],
        "annex1_row": verdict.annex1_row,
        "exempt": [_gap(gap) for gap in verdict.exempt],
        "annex2_template": verdict.annex2_template,
        "reissue_certificate": verdict.reissue_certificate,
    }


def explanation(verdict: Verdict) -> dict[str, Any]:
    """Return what stands behind the answer: rule file, readings, findings, cells, each dose."""
    return {
        "requirements": {"id": verdict.requirements_id, "version": verdict.requirements_version},
        "switches": dict(verdict.switches),
        "outcome": verdict.outcome,
        "findings": [finding.describe() for finding in verdict.findings],
        "due": [_due(due) for due in verdict.due],
        "cells": [_cell(cell) for cell in verdict.cells],
        "doses": [_placed(placed) for placed in verdict.doses],
    }


def _dose(node: Node, requirements: EntryRequirements) -> Dose:
    found = node.members(("vaccine", "date"))
    try:
        vaccine = requirements.catalogue.vaccine(found["vaccine"].text())
    except DomainError as error:
        raise error.at(found["vaccine"].pointer) from None
    return Dose(vaccine.code, found["date"].day())


def _contraindication(node: Node, requirements: EntryRequirements) -> Contraindication:
    found = node.members(("vaccine_group", "kind"))
    group = found["vaccine_group"].text()
    if group not in requirements.groups:
        raise UnknownVaccineGroup(vaccine_group=shown(group), allowed=list(requirements.groups)).at(
            found["vaccine_group"].pointer
        )
    return Contraindication(group, _KINDS[found["kind"].choice(_KINDS)])


def _gap(gap: Gap) -> dict[str, Any]:
    return {"vaccine_group": gap.vaccine_group, "dose_numbers": list(gap.dose_numbers)}


def _due(due: DueDose) -> dict[str, Any]:
    return {
        "vaccine_group": due.vaccine_group,
        "dose_number": due.dose_number,
        "since": due.since.isoformat(),
        "newly_required": due.is_newly_required,
        "postponed": due.is_postponed,
        "no_longer_given": due.is_no_longer_given,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "vaccine_group": cell.vaccine_group,
        "column": cell.column,
        "state": cell.state,
        "dates": [dose.date.isoformat() for dose in cell.doses],
        "dose_numbers": list(cell.dose_numbers),
    }


def _placed(placed: PlacedDose) -> dict[str, Any]:
    return {
        "vaccine": placed.dose.vaccine,
        "date": placed.dose.date.isoformat(),
        "placements": [
            {
                "outcome": placement.outcome,
                "vaccine_group": placement.group,
                "number": placement.number,
                "rule": placement.rule,
            }
            for placement in placed.placements
        ],
    }
