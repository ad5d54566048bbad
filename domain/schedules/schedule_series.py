"""A series of a schedule: its steps, the pathways through them, and whom it is for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from domain.schedules.edition import InvalidRuleFile, Wording
from domain.schedules.json_document import Node
from domain.schedules.span import Span


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the facts do not say, and what is done instead.

    Attributes:
        code: Such as ``hbsag-mothers``.
        text: What is not said, and how it is read.
        series: Codes of the series that it concerns; all when empty.
    """

    code: str
    text: Wording
    series: frozenset[str]


@dataclass(frozen=True, slots=True)
class Formerly:
    """The least age for doses given before a day, when another edition was in force."""

    given_before: date
    min_age: Span


@dataclass(frozen=True, slots=True)
class Step:
    """One dose of a pathway.

    Attributes:
        name: Its name within the series.
        group: Vaccine group of school forms that it belongs to, such as ``MenAC``.
        vaccines: Vaccines that it may be, the preferred one first.
        min_age: Least age; the table's age (no days of grace).
        formerly: Another least age for doses given earlier.
        after_given: Least time after the latest dose of the series, whether it counted or not.
        after_counted: Least time after the last dose that counted.
        complete_before: Age by which it should have been given.
        within: Time after the last counted dose by which it should have been given.
        not_from: Age from which it is not given any more.
        forecast_until: Age from which the facts have no rule for giving it.
        after_ppd_from: Age from which it needs a negative tuberculin test first.
        gap: Code of a gap that its evaluation rests on.
    """

    name: str
    group: str
    vaccines: tuple[str, ...]
    min_age: Span
    formerly: Formerly | None = None
    after_given: Span | None = None
    after_counted: Span | None = None
    complete_before: Span | None = None
    within: Span | None = None
    not_from: Span | None = None
    forecast_until: Span | None = None
    after_ppd_from: Span | None = None
    gap: str | None = None

    def min_age_on(self, day: date) -> Span:
        """Return the least age that held for a dose given on a day."""
        if self.formerly is not None and day < self.formerly.given_before:
            return self.formerly.min_age
        return self.min_age

    def first_day(self, birth: date, asked_on: date) -> date:
        """Return the day of the least age, for a dose that is still to come on `asked_on`."""
        day = self.min_age.after(birth)
        if self.formerly is None or asked_on >= self.formerly.given_before:
            return day
        former = self.formerly.min_age.after(birth)
        if former < self.formerly.given_before:
            return former
        return max(day, self.formerly.given_before)


Pathway = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """What protects against one disease, for a birth cohort, a time and a sex.

    Attributes:
        code: Such as ``JE``.
        name: What it is called.
        source: Where in the document its facts stand.
        pathways: The courses that complete it, the preferred one first.
        born: First and last birth date, both included; None where open.
        asked: First and last day of questions, likewise.
        sex: The sex that it is for, or None.
        vaccines: Every vaccine that may count for it.
    """

    code: str
    name: Wording
    source: str
    pathways: tuple[Pathway, ...]
    born: tuple[date | None, date | None]
    asked: tuple[date | None, date | None]
    sex: str | None
    vaccines: frozenset[str]

    def holds_for(self, birth: date, asked_on: date) -> bool:
        """Tell whether it is for children born then, asked about on that day."""
        return _is_within(birth, self.born) and _is_within(asked_on, self.asked)

    def meets(self, other: "Series") -> bool:
        """Tell whether a child may fall under both."""
        return _overlap(self.born, other.born) and _overlap(self.asked, other.asked)


def number_in_group(pathway: Pathway, index: int) -> int:
    """Return the number of a step among those of its group, as school forms count."""
    return sum(step.group == pathway[index].group for step in pathway[: index + 1])


def read_gaps(node: Node) -> dict[str, Gap]:
    """Read the gaps by code."""
    gaps = {}
    for code, item in node.entries().items():
        found = item.members(("zh", "en", "series"))
        text = Wording(found["zh"].text(), found["en"].text())
        gaps[code] = Gap(code, text, frozenset(found["series"].texts()))
    return gaps


def read_series(
    node: Node,
    groups: Collection[str],
    sets: Mapping[str, tuple[str, ...]],
    gaps: Collection[str],
) -> Series:
    """Read a series; every step must be on a pathway.

    Raises:
        InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
    """
    found = node.members(
        ("code", "zh", "en", "source", "steps", "pathways"), ("born", "asked", "sex")
    )
    steps = {
        name: _read_step(name, item, groups, sets, gaps)
        for name, item in found["steps"].entries().items()
    }
    pathways = tuple(
        tuple(steps[name.choice(steps)] for name in item.items())
        for item in found["pathways"].items()
    )
    walked = {step.name for pathway in pathways for step in pathway}
    if not all(pathways) or walked != set(steps):
        raise InvalidRuleFile(reason="an empty pathway, or a step on none").at(node.pointer)
    return Series(
        code=found["code"].text(),
        name=Wording(found["zh"].text(), found["en"].text()),
        source=found["source"].text(),
        pathways=pathways,
        born=_read_period(found.get("born")),
        asked=_read_period(found.get("asked")),
        sex=found["sex"].choice(("female", "male")) if "sex" in found else None,
        vaccines=frozenset(v for step in steps.values() for v in step.vaccines),
    )


_SPANS = (
    *("after_given", "after_counted", "complete_before", "within"),
    *("not_from", "forecast_until", "after_ppd_from"),
)


def _read_step(
    name: str,
    node: Node,
    groups: Collection[str],
    sets: Mapping[str, tuple[str, ...]],
    gaps: Collection[str],
) -> Step:
    found = node.members(("group", "vaccines", "min_age"), (*_SPANS, "formerly", "gap"))
    spans = {member: Span.read(found[member]) for member in _SPANS if member in found}
    step = Step(
        name=name,
        group=found["group"].choice(groups),
        vaccines=sets[found["vaccines"].choice(sets)],
        min_age=Span.read(found["min_age"]),
        formerly=_read_formerly(found["formerly"]) if "formerly" in found else None,
        gap=found["gap"].choice(gaps) if "gap" in found else None,
        **spans,
    )
    birth = date(2000, 1, 1)
    for end in (step.complete_before, step.not_from, step.forecast_until):
        if end is not None and end.after(birth) <= step.min_age.after(birth):
            raise InvalidRuleFile(reason="a step ends before it begins").at(node.pointer)
    return step


def _read_formerly(node: Node) -> Formerly:
    found = node.members(("given_before", "min_age"))
    return Formerly(found["given_before"].day(), Span.read(found["min_age"]))


def _read_period(node: Node | None) -> tuple[date | None, date | None]:
    if node is None:
        return (None, None)
    found = node.members((), ("from", "to"))
    return (
        found["from"].day() if "from" in found else None,
        found["to"].day() if "to" in found else None,
    )


def _is_within(day: date, period: tuple[date | None, date | None]) -> bool:
    start, end = period
    return (start is None or start <= day) and (end is None or day <= end)


def _overlap(one: tuple[date | None, date | None], other: tuple[date | None, date | None]) -> bool:
    first = max(one[0] or date.min, other[0] or date.min)
    last = min(one[1] or date.max, other[1] or date.max)
    return first <= last
