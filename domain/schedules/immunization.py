"""What is asked about a child's immunization, and what a schedule answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.schedules.dose_allocation import Dose
from domain.schedules.finding import Finding
from domain.schedules.schedule import Gap

Outcome = Literal[
    "valid",
    "too-early",
    "interval-too-short",
    "wrong-product",
    "extraneous",
    "superseded",
    "not-evaluated",
]
Status = Literal[
    "complete",
    "overdue",
    "due",
    "upcoming",
    "postponed",
    "contraindicated",
    "aged-out",
    "no-rule",
]


@dataclass(frozen=True, slots=True)
class Against:
    """What speaks against vaccines on the day asked about.

    Attributes:
        target: Vaccine group or vaccine code.
        is_lasting: Whether it exempts (X-5); a passing one postpones.
        until: Last day of a passing one, or None while that is not known.
    """

    target: str
    is_lasting: bool
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A child on the day asked about.

    Attributes:
        birth_date: Day of birth.
        asked_on: The day; doses after it are not looked at.
        sex: ``female``, ``male`` or None where it is not known.
        doses: In any order.
        against: Contraindications that hold on the day.
        conditions: Codes of states of health.
        immunoglobulins: Days of immunoglobulin or blood products.
    """

    birth_date: date
    asked_on: date
    sex: str | None = None
    doses: tuple[Dose, ...] = ()
    against: tuple[Against, ...] = ()
    conditions: tuple[str, ...] = ()
    immunoglobulins: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What became of a dose in one series, or of the whole dose where it has none.

    Attributes:
        outcome: In the field's words; ``not-evaluated`` for doses outside life, time or schedule.
        series: Code of the series, or None.
        group: Vaccine group of the step that it was held against, or None.
        number: Number of that step within the group, or None.
        finding: Why.
        gap: What the facts do not say about it, or None.
    """

    outcome: Outcome
    series: str | None
    group: str | None
    number: int | None
    finding: Finding
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class EvaluatedDose:
    """A dose and what became of it, once for each series that it could count for."""

    dose: Dose
    results: tuple[Evaluated, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a series goes on.

    Attributes:
        series: Its code.
        status: ``complete``; ``due``, ``overdue`` or ``upcoming`` by the day asked about;
            ``postponed`` without a known end; not any more: ``contraindicated``, ``aged-out``,
            and ``no-rule`` where the facts do not say how to go on.
        counted: How many of its doses count.
        group: Vaccine group of the next dose, or None where there is none.
        number: Its number within the group, or None.
        vaccine: The vaccine that is preferred for it, or None.
        earliest: First day on which it can be given, or None.
        recommended: Day on which it should be given, or None. The facts know no other than the
            earliest.
        overdue_from: First day on which it is late, or None where no fact says so.
        findings: Why.
    """

    series: str
    status: Status
    counted: int
    group: str | None
    number: int | None
    vaccine: str | None
    earliest: date | None
    recommended: date | None
    overdue_from: date | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A schedule's answer.

    Attributes:
        schedule_id: Id of the schedule.
        schedule_version: Its version.
        doses: Every dose and what became of it, by date.
        forecasts: How each series goes on, by code of the series, in the schedule's order.
        gaps: What the facts do not say about the series that were looked at.
    """

    schedule_id: str
    schedule_version: int
    doses: tuple[EvaluatedDose, ...]
    forecasts: Mapping[str, Forecast]
    gaps: tuple[Gap, ...]
