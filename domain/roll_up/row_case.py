"""Rows of the roll-up and reports of them as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from domain.roll_up.pupil_case import vaccine_group
from domain.roll_up.report import Report
from domain.roll_up.row import COUNTS, NO_DOSES, DoseCount, RollUpRow
from domain.schedules.entry_requirements import Group
from domain.schedules.json_document import Node, UnexpectedMember

Json = dict[str, "str | int | Json"]


class DuplicateUnit(UnexpectedMember):
    """This unit has a row already: a unit reports once, and again only as a new version (S-53)."""

    code = "duplicate-unit"
    zh = "同一单位在一张表中重复填报。"


def read_row(node: Node, groups: Mapping[str, Group]) -> RollUpRow:
    """Read ``{"unit", … eight counts, "doses": {group: {"due", "done"}}}``.

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    found = node.members(("unit", *COUNTS, "doses"))
    doses = {}
    for code, item in found["doses"].entries().items():
        pair = item.members(("due", "done"))
        group = vaccine_group(Node(code, item.pointer), groups)
        doses[group] = DoseCount(pair["due"].integer(), pair["done"].integer())
    counts = [found[name].integer() for name in COUNTS]
    return RollUpRow(found["unit"].text(), None, *counts, doses=doses)


def read_rows(node: Node, groups: Mapping[str, Group]) -> Iterator[RollUpRow]:
    """Read the rows of one form.

    Raises:
        DuplicateUnit: When two are of one unit; other `DomainError`s for their form.
    """
    units = set()
    for item in node.items():
        row = read_row(item, groups)
        if row.unit in units:
            raise DuplicateUnit(unit=row.unit).at(item.pointer)
        units.add(row.unit)
        yield row


def read_reports(node: Node, groups: Mapping[str, Group]) -> Iterator[Report]:
    """Read ``[{"unit", "version", "received", "row"}]``; the version is 1 where absent."""
    for item in node.items():
        found = item.members(("unit", "received", "row"), ("version", "note"))
        version = found["version"].integer(least=1) if "version" in found else 1
        row = replace(read_row(found["row"], groups), unit=found["unit"].text())
        yield Report(version, found["received"].day(), row)


def write_row(row: RollUpRow, groups: Mapping[str, Group]) -> Json:
    """Return a row as `read_row` reads it, with every group of the form."""
    counts: Json = dict(zip(COUNTS, row.counts(), strict=True))
    doses: Json = {}
    for group in groups:
        count = row.doses.get(group, NO_DOSES)
        doses[group] = {"due": count.due, "done": count.done}
    return {"unit": row.unit, **counts, "doses": doses}
