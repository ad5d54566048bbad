"""One reason against a booking, before it is put into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from domain.schedules.finding import Fact


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that the request breaks.

    Attributes:
        reason: Code of the reason, such as ``interval_too_short``.
        facts: What its sentence tells.
        ends_on: First day on which time alone has removed it, else None.
        rule: Number of a closer rule than the reason's own.
        sentence: Code of the sentence where the reason has several.
        defers: Whether a contraindication passes, so that one may book again; else None.
    """

    reason: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    ends_on: date | None = None
    rule: str = ""
    sentence: str = ""
    defers: bool | None = None
