"""A child of a class as JSON: what its check found, and when it was made up."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypeVar

from domain.errors import UnknownVaccineGroup, shown
from domain.roll_up.register import Dose, PupilCheck
from domain.schedules.entry_requirements import Group
from domain.schedules.json_document import MissingMember, Node

FOUND = ("has_certificate", "fully_vaccinated")
LATER = ("missing", "exempt", "certificate_reissued_on", "makeups")
OTHER = ("no", "name", "class", "school", "township", "entry_type", "admission", "note")
"""Members that say who and where, and decide nothing here."""

_T = TypeVar("_T")


def read_pupil(node: Node, groups: Mapping[str, Group], days: tuple[str, ...] = ()) -> PupilCheck:
    """Read a child.

    Args:
        node: ``{"no", "checked_on", "has_certificate", "fully_vaccinated", "missing", "exempt",
            "certificate_reissued_on", "makeups"}``; before the check `checked_on` is null and the
            rest may be absent.
        groups: The groups of the forms.
        days: Further members that are allowed, the days of its movements.

    Raises:
        DomainError: The first fault, with its JSON pointer.
    """
    found = node.members((), ("checked_on", *FOUND, *LATER, *OTHER, *days))
    checked_on = optional(found, "checked_on", Node.day)
    for member in FOUND if checked_on else ():
        if member not in found:
            raise MissingMember(member=member).at(node.pointer)
    missing: dict[Dose, date | None] = dict.fromkeys(_doses(found.get("missing"), groups))
    for item in found["makeups"].items() if "makeups" in found else ():
        dose, day = _makeup(item, groups)
        if dose in missing:  # a dose that nobody missed makes up nothing
            missing[dose] = min(missing[dose] or day, day)
    return PupilCheck(
        checked_on=checked_on,
        has_certificate=optional(found, "has_certificate", Node.boolean),
        complete=optional(found, "fully_vaccinated", Node.boolean),
        reissued_on=optional(found, "certificate_reissued_on", Node.day),
        missing=missing,
        exempt=frozenset(_doses(found.get("exempt"), groups)),
    )


def optional(found: Mapping[str, Node], name: str, read: Callable[[Node], _T]) -> _T | None:
    """Read a member that may be absent or null."""
    return read(found[name]) if name in found and found[name].value is not None else None


def vaccine_group(node: Node, groups: Mapping[str, Group]) -> str:
    """Read the code of a vaccine group."""
    code = node.text()
    if code not in groups:
        raise UnknownVaccineGroup(vaccine_group=shown(code), allowed=list(groups)).at(node.pointer)
    return code


def _doses(node: Node | None, groups: Mapping[str, Group]) -> Iterator[Dose]:
    for item in node.items() if node else ():
        found = item.members(("vaccine_group", "dose_numbers"))
        group = vaccine_group(found["vaccine_group"], groups)
        for number in found["dose_numbers"].items():
            yield group, number.integer(least=1)


def _makeup(node: Node, groups: Mapping[str, Group]) -> tuple[Dose, date]:
    found = node.members(("vaccine_group", "dose_number", "date"))
    group = vaccine_group(found["vaccine_group"], groups)
    return (group, found["dose_number"].integer(least=1)), found["date"].day()
