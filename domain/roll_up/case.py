"""A case of registers and roll-ups as JSON, the same for files and the command line.

A case is ``{"id", "kind", "input"}`` with annotations. Its input says what there is: children of a
class or a school, rows of a form, reports, movements of a child, or a bare fraction.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from domain.errors import DomainError, shown
from domain.roll_up.asked import Asked
from domain.roll_up.movement_case import DAYS, read_movements, read_pupil_movements
from domain.roll_up.pupil_case import optional, read_pupil
from domain.roll_up.rates import RATES
from domain.roll_up.ratio import Ratio
from domain.roll_up.register import PupilCheck
from domain.roll_up.report import Report
from domain.roll_up.row import RollUpRow
from domain.roll_up.row_case import read_reports, read_row, read_rows
from domain.roll_up.rules import RollUpRules
from domain.roll_up.transfer import Movement
from domain.schedules.entry_requirements import Group
from domain.schedules.json_document import MissingMember, Node

KINDS = frozenset(
    (
        *("city", "class", "county", "edge", "late", "pooling", "resubmission"),
        *("school", "separation", "threshold", "township", "transfer", "validation"),
    )
)
ENTRY_TYPES = ("kindergarten", "primary")
ANNOTATIONS = (
    *("expected", "expected_more", "why", "source_ref", "title"),
    *("ambiguous", "alternatives", "note"),
)
"""Members of a case that explain it to people; see `asked` for what names the answers."""

INPUT = (
    *("as_of", "class", "classes", "county", "den", "enrolled", "entry_type", "events", "num"),
    *("pupil", "pupils", "rate", "row", "rows", "rows_by_entry_type", "school", "submissions"),
    *("township", "units_due", "note"),
)
"""Members that an input may have."""

_T = TypeVar("_T")


class DuplicateNumber(DomainError):
    """The register has two children of this number."""

    code = "duplicate-number"
    zh = "同一班级中儿童编号重复。"


@dataclass(frozen=True)
class SchoolClass:
    """A class: how many children are enrolled, and those of the register by number."""

    enrolled: int
    pupils: Mapping[str, PupilCheck]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a case is about; parts that the input lacks are None.

    Attributes:
        pointer: Where the input stands in its document.
        kind: One of `KINDS`.
        asked: Which answers are asked for.
        names: Names of the school, township and county, as far as given.
        classes: Children as known on the day of the case; a child alone is a class of one.
        is_single_child: Whether the input is one child.
        ratio: A bare fraction by the name of its rate.
        row: A row alone.
        rows: Rows of one form.
        forms: Rows by entry type.
        units_due: Who has to report.
        reports: What was received until the day of the case.
        movements: Of children between schools, until the day of the case.
    """

    pointer: str
    kind: str
    asked: Asked
    names: Mapping[str, str]
    classes: tuple[SchoolClass, ...] | None
    is_single_child: bool
    ratio: tuple[str, Ratio] | None
    row: RollUpRow | None
    rows: tuple[RollUpRow, ...] | None
    forms: Mapping[str, tuple[RollUpRow, ...]] | None
    units_due: tuple[str, ...] | None
    reports: tuple[Report, ...] | None
    movements: tuple[Movement, ...] | None

    def need(self, part: _T | None, member: str) -> _T:
        """Return a part that an answer rests on.

        Raises:
            MissingMember: When the input has no such part.
        """
        if part is None:
            raise MissingMember(member=member).at(self.pointer)
        return part


def parse_case(node: Node, rules: RollUpRules, *, annotated: bool = True) -> Case:
    """Read a case strictly.

    Args:
        node: ``{"kind", "input"}``.
        rules: The rules that will answer.
        annotated: Whether it has an ``id`` and may have `ANNOTATIONS`, as in files; what is asked
            for shows in them, without them the usual answers of its kind are meant.

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    head = ("id", "kind", "input") if annotated else ("kind", "input")
    found = node.members(head, (), ANNOTATIONS if annotated else ())
    given = found["input"].members((), INPUT)
    groups = rules.requirements.groups
    if "entry_type" in given:
        given["entry_type"].choice(ENTRY_TYPES)  # one form is of one type (S-38)
    day = optional(given, "as_of", Node.day)
    rows, forms = given.get("rows"), given.get("rows_by_entry_type")
    reports = given.get("submissions")
    return Case(
        pointer=found["input"].pointer,
        kind=found["kind"].choice(KINDS),
        asked=Asked.read(node.entries().get("expected")),
        names={
            name: given[name].text() for name in ("school", "township", "county") if name in given
        },
        classes=_classes(given, groups, day),
        is_single_child="pupil" in given,
        ratio=_ratio(found["input"], given),
        row=read_row(given["row"], groups) if "row" in given else None,
        rows=tuple(read_rows(rows, groups)) if rows else None,
        forms=_forms(forms, groups) if forms else None,
        units_due=given["units_due"].texts() if "units_due" in given else None,
        reports=tuple(
            report
            for report in read_reports(reports, groups)
            if day is None or report.received_on <= day
        )
        if reports
        else None,
        movements=_movements(given, day),
    )


def _classes(
    given: Mapping[str, Node], groups: Mapping[str, Group], day: date | None
) -> tuple[SchoolClass, ...] | None:
    if "classes" in given:
        return tuple(
            _class(item.members(("pupils",), ("class", "enrolled", "note")), groups, day)
            for item in given["classes"].items()
        )
    if "pupils" in given:
        return (_class(given, groups, day),)
    pupil = given.get("pupil")
    if pupil is None or isinstance(pupil.value, str):
        return None  # a name, for the events
    return (SchoolClass(1, {"": _known(read_pupil(pupil, groups, DAYS), day)}),)


def _class(found: Mapping[str, Node], groups: Mapping[str, Group], day: date | None) -> SchoolClass:
    pupils = {}
    for number, item in enumerate(found["pupils"].items(), 1):
        key = str(item.entries()["no"].value) if "no" in item.entries() else str(number)
        if key in pupils:
            raise DuplicateNumber(number=shown(key)).at(item.pointer)
        pupils[key] = _known(read_pupil(item, groups), day)
    enrolled = found["enrolled"].integer() if "enrolled" in found else len(pupils)
    return SchoolClass(enrolled, pupils)


def _known(pupil: PupilCheck, day: date | None) -> PupilCheck:
    return pupil if day is None else pupil.known_on(day)


def _ratio(node: Node, given: Mapping[str, Node]) -> tuple[str, Ratio] | None:
    parts = ("rate", "num", "den")
    if not any(name in given for name in parts):
        return None
    for name in parts:
        if name not in given:
            raise MissingMember(member=name).at(node.pointer)
    return given["rate"].choice(RATES), Ratio(given["num"].integer(), given["den"].integer())


def _forms(node: Node, groups: Mapping[str, Group]) -> dict[str, tuple[RollUpRow, ...]]:
    found = node.members((), ENTRY_TYPES)
    return {name: tuple(read_rows(item, groups)) for name, item in found.items()}


def _movements(given: Mapping[str, Node], day: date | None) -> tuple[Movement, ...] | None:
    movements = list(_all_movements(given))
    if not movements and "events" not in given:
        return None
    return tuple(each for each in movements if day is None or each.day <= day)


def _all_movements(given: Mapping[str, Node]) -> Iterator[Movement]:
    pupil = given.get("pupil")
    if pupil is not None and not isinstance(pupil.value, str):
        yield from read_pupil_movements(pupil)
    if "events" in given:
        yield from read_movements(given["events"])
