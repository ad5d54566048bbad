"""An immunization schedule: which doses at which ages and intervals, as versioned data.

A series is described by its pathways, the courses that complete it, the preferred one first: two
live Japanese encephalitis doses, or four inactivated ones, or two inactivated and a live one. A
pathway is a list of steps, each a dose of certain vaccines from an age on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from domain.schedules.catalogue import Catalogue
from domain.schedules.edition import Edition, InvalidRuleFile, Wording
from domain.schedules.finding import Rule
from domain.schedules.json_document import Node, load_document
from domain.schedules.schedule_rules import PLACEHOLDERS
from domain.schedules.schedule_series import Gap, Series, Step, read_gaps, read_series
from domain.schedules.span import Span

__all__ = ["SHIPPED", "Condition", "Gap", "Schedule", "Series", "Step"]

SHIPPED = ("cn-nip-2021", "cn-nip-2026")
"""The editions that are shipped, the oldest first."""

Decision = str
"""``no`` (lasting) or ``defer`` (until the condition is known better)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A state of health that speaks against vaccines, with what each of them is decided.

    Attributes:
        code: Such as ``hiv-symptomatic``.
        name: What it is called.
        vaccines: ``no`` or ``defer`` by vaccine code; others may be given.
    """

    code: str
    name: Wording
    vaccines: Mapping[str, Decision]


@dataclass(frozen=True, slots=True)
class Spacing:
    """What holds between vaccines of any series.

    Attributes:
        live_injected: Least time between two injected live vaccines not given on the same day.
        after_immunoglobulin: Least time from immunoglobulin or a blood product to a live one.
        exempt_from_immunoglobulin: Vaccines that need not wait for it.
    """

    live_injected: Span
    after_immunoglobulin: Span
    exempt_from_immunoglobulin: frozenset[str]


@dataclass(frozen=True, slots=True)
class Schedule:
    """An edition of an immunization schedule.

    Attributes:
        edition: Which file, and from when to when it is in force.
        catalogue: The vaccines that it speaks of.
        until_age: Age from which it forecasts nothing.
        groups: Names of the vaccine groups that steps belong to, as school forms name them.
        series: All series; of one code those of different birth cohorts or dates.
        vaccines: What is held against the series of a code: the vaccines of all of its cohorts.
        spacing: What holds between vaccines of any series.
        conditions: States of health by code.
        gaps: What the facts do not say, by code.
        rules: The sentences by conclusion.
    """

    edition: Edition
    catalogue: Catalogue
    until_age: Span
    groups: Mapping[str, Wording]
    series: tuple[Series, ...]
    vaccines: Mapping[str, frozenset[str]]
    spacing: Spacing
    conditions: Mapping[str, Condition]
    gaps: Mapping[str, Gap]
    rules: Mapping[str, Rule]

    @classmethod
    def load(cls, name: str) -> "Schedule":
        """Return a shipped edition, validated whole; read once a process."""
        return _load(name)

    @classmethod
    def in_force(cls, on: date) -> "Schedule | None":
        """Return the shipped edition that is in force on a day, or None before the first."""
        return next(
            (found for found in map(cls.load, SHIPPED) if found.edition.is_in_force(on)), None
        )

    @classmethod
    def read(cls, document: Node) -> "Schedule":
        """Read an edition and check it against itself and the vaccine catalogue.

        Its `examples` are worked cases for tests and are not read here.

        Raises:
            InvalidRuleFile: When it contradicts itself; other `DomainError`s for its form.
        """
        found = document.members(
            (
                *(*Edition.MEMBERS, "catalogue", "until_age", "groups", "vaccine_sets"),
                *("series", "spacing", "conditions", "gaps", "rules"),
            ),
            (),
            ("examples",),
        )
        catalogue = Catalogue.load(found["catalogue"].choice(("vaccines-cn-2018",)))
        groups = {code: Wording.read(node) for code, node in found["groups"].entries().items()}
        gaps = read_gaps(found["gaps"])
        sets = {
            name: tuple(item.choice(catalogue.vaccines) for item in node.items())
            for name, node in found["vaccine_sets"].entries().items()
        }
        rules = _read_rules(found["rules"])
        series = tuple(read_series(node, groups, sets, gaps) for node in found["series"].items())
        _check_series(series, catalogue)
        return cls(
            edition=Edition.read(found),
            catalogue=catalogue,
            until_age=Span.read(found["until_age"]),
            groups=groups,
            series=series,
            vaccines={one.code: _vaccines_of(one.code, series) for one in series},
            spacing=_read_spacing(found["spacing"], catalogue),
            conditions={
                code: _read_condition(code, node, catalogue)
                for code, node in found["conditions"].entries().items()
            },
            gaps=gaps,
            rules=rules,
        )

    def series_for(self, birth: date, asked_on: date, sex: str | None) -> Iterator[Series]:
        """Yield the series that hold for a birth cohort, a date and a sex."""
        for series in self.series:
            if series.holds_for(birth, asked_on) and series.sex in (None, sex):
                yield series


@cache
def _load(name: str) -> Schedule:
    return Schedule.read(load_document(f"{name}.schedule.json"))


def _read_rules(node: Node) -> dict[str, Rule]:
    found = node.members(tuple(PLACEHOLDERS))
    return {code: Rule.read(code, item, PLACEHOLDERS[code]) for code, item in found.items()}


def _read_spacing(node: Node, catalogue: Catalogue) -> Spacing:
    found = node.members(("live_injected", "after_immunoglobulin", "exempt_from_immunoglobulin"))
    exempt = found["exempt_from_immunoglobulin"].items()
    return Spacing(
        live_injected=Span.read(found["live_injected"]),
        after_immunoglobulin=Span.read(found["after_immunoglobulin"]),
        exempt_from_immunoglobulin=frozenset(item.choice(catalogue.vaccines) for item in exempt),
    )


def _read_condition(code: str, node: Node, catalogue: Catalogue) -> Condition:
    """Read a condition; the key ``live`` stands for every live vaccine of the catalogue."""
    found = node.members(("zh", "en", "vaccines"))
    vaccines: dict[str, Decision] = {}
    for name, item in found["vaccines"].entries().items():
        decision = item.choice(("no", "defer"))
        if name == "live":
            vaccines |= {vaccine.code: decision for vaccine in catalogue if vaccine.live}
        elif name in catalogue:
            vaccines[name] = decision
        else:
            raise InvalidRuleFile(reason="no vaccine of the catalogue").at(item.pointer)
    return Condition(code, Wording(found["zh"].text(), found["en"].text()), vaccines)


def _vaccines_of(code: str, series: tuple[Series, ...]) -> frozenset[str]:
    return frozenset().union(*(one.vaccines for one in series if one.code == code))


def _check_series(series: tuple[Series, ...], catalogue: Catalogue) -> None:
    """Check that no child meets two series of one code, and no plain vaccine serves two codes."""
    serves: dict[str, str] = {}
    for index, one in enumerate(series):
        pointer = f"/series/{index}"
        if any(one.code == other.code and one.meets(other) for other in series[:index]):
            raise InvalidRuleFile(reason="two series of one code hold at once").at(pointer)
        for vaccine in one.vaccines:
            is_combined = len(catalogue.vaccines[vaccine].components) > 1
            if serves.setdefault(vaccine, one.code) != one.code and not is_combined:
                raise InvalidRuleFile(reason="a plain vaccine serves two series").at(pointer)
