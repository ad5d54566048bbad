"""What a dose of a vaccine fills in the table of doses: ways of counting and substitute courses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from domain.schedules.catalogue import Catalogue
from domain.schedules.edition import InvalidRuleFile
from domain.schedules.json_document import Node

Mode = Literal["each", "first", "course"]
Numbering = Literal["course", "column"]

_MODES: Mapping[str, Mode] = {"each": "each", "first": "first", "course": "course"}
_NUMBERINGS: Mapping[str, Numbering] = {"course": "course", "column": "column"}


@dataclass(frozen=True, slots=True)
class Counting:
    """How doses of some vaccines count.

    Attributes:
        fills: The groups, in order.
        mode: ``each``: one dose in each group, as for a combined vaccine named as such;
            ``first``: one dose, in the first group that has room; ``course``: one of the doses of
            the group's substitute course.
        rule: Number of the rule that says so.
    """

    fills: tuple[str, ...]
    mode: Mode
    rule: str


@dataclass(frozen=True, slots=True)
class Course:
    """A substitute course: which of its doses fill the columns of a group.

    Attributes:
        column_after_dose: By the age from which it holds, the numbers of the course's doses that
            each fill one more column: ``(2,)`` for two HepA-I in place of one HepA-L (S-29).
        numbered_by: Whether lacking doses are numbered as doses of the course (only where it
            stands for a single column) or as columns.
    """

    column_after_dose: Mapping[int, tuple[int, ...]]
    numbered_by: Numbering

    def filling_doses(self, row: int | None) -> tuple[int, ...]:
        """Return the numbers of the doses that fill a column for children of a row."""
        youngest = min(self.column_after_dose)
        ages = [age for age in self.column_after_dose if row is not None and age <= row]
        return self.column_after_dose[max(ages, default=youngest)]


def read_counting(
    node: Node, columns: Mapping[str, int], switches: Mapping[str, str], catalogue: Catalogue
) -> dict[str, tuple[Counting, ...]]:
    """Read the ways of counting that the switches leave active, by vaccine code.

    Raises:
        InvalidRuleFile: When a dose of a vaccine could be counted twice in one group, or a mode
            has too few or too many groups.
    """
    ways: dict[str, tuple[Counting, ...]] = {}
    for item in node.items():
        found = item.members(("vaccines", "fills", "mode", "rule"), ("when",))
        fills = tuple(group.choice(columns) for group in found["fills"].items())
        mode = _MODES[found["mode"].choice(_MODES)]
        if len(set(fills)) != len(fills) or not _fits(mode, len(fills)):
            raise InvalidRuleFile(reason="groups that do not fit the mode").at(item.pointer)
        way = Counting(fills, mode, found["rule"].text())
        for vaccine in found["vaccines"].items():
            code = vaccine.choice(catalogue.vaccines)
            if not _is_active(found, switches):
                continue
            others = ways.get(code, ())
            if any(set(other.fills) & set(fills) for other in others):
                raise InvalidRuleFile(reason="one dose would count twice").at(vaccine.pointer)
            ways[code] = (*others, way)
    return ways


def read_courses(
    node: Node, columns: Mapping[str, int], switches: Mapping[str, str]
) -> dict[str, Course]:
    """Read the substitute courses that the switches leave active, by group.

    Raises:
        InvalidRuleFile: For two courses of a group, more filling doses than columns, dose numbers
            that do not rise, or own numbers for several columns.
    """
    courses: dict[str, Course] = {}
    for item in node.items():
        found = item.members(("group", "column_after_dose", "numbered_by"), ("when",))
        group = found["group"].choice(columns)
        filling = {
            age: _filling_doses(doses, columns[group])
            for age, doses in found["column_after_dose"].entries().items()
        }
        if not filling or not all(age.isascii() and age.isdigit() for age in filling):
            raise InvalidRuleFile(reason="a course without ages").at(item.pointer)
        numbered_by = _NUMBERINGS[found["numbered_by"].choice(_NUMBERINGS)]
        if not _is_active(found, switches):
            continue
        if numbered_by == "course" and columns[group] != 1:
            raise InvalidRuleFile(reason="own numbers for several columns").at(item.pointer)
        if group in courses:
            raise InvalidRuleFile(reason="two courses of a group").at(item.pointer)
        courses[group] = Course({int(age): doses for age, doses in filling.items()}, numbered_by)
    return courses


def _filling_doses(node: Node, columns: int) -> tuple[int, ...]:
    doses = tuple(item.integer(least=1) for item in node.items())
    if not 0 < len(doses) <= columns or sorted(set(doses)) != list(doses):
        raise InvalidRuleFile(reason="doses that do not fit the columns").at(node.pointer)
    return doses


def _fits(mode: Mode, groups: int) -> bool:
    return groups == 1 if mode == "course" else groups > (mode == "first")


def _is_active(found: Mapping[str, Node], switches: Mapping[str, str]) -> bool:
    """Tell whether the switches stand as the item's ``when`` asks."""
    if "when" not in found:
        return True
    wanted = found["when"].entries()
    for name, node in wanted.items():
        Node(name, found["when"].pointer).choice(switches)
        node.text()
    return all(switches[name] == node.value for name, node in wanted.items())
