"""Contraindications as a booking sees them: lasting or passing, on the day of the dose (A-11)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain.booking.objection import Objection
from domain.schedules.edition import Wording


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A contraindication with its validity.

    Attributes:
        name: What people call it.
        is_lasting: Whether it stays; a passing one postpones (X-5).
        valid_from: First day, or None where it is not known since when; a lasting one holds
            whatever its first day is, since it was found, not acquired, on it.
        valid_to: Last day, or None while no end is known.
    """

    name: Wording
    is_lasting: bool
    valid_from: date | None = None
    valid_to: date | None = None

    def is_valid_on(self, day: date) -> bool:
        """Tell whether it holds on a day; the first and the last day are included (X-1)."""
        has_begun = self.is_lasting or self.valid_from is None or self.valid_from <= day
        return has_begun and (self.valid_to is None or day <= self.valid_to)


def judge_health(hindrances: Collection[Hindrance], on: date) -> Iterator[Objection]:
    """Refuse on a day on which a contraindication holds.

    One may book again later only when all that hold will pass: a single lasting one decides.
    """
    holding = [hindrance for hindrance in hindrances if hindrance.is_valid_on(on)]
    if not holding:
        return
    defers = not any(hindrance.is_lasting for hindrance in holding)
    names = Wording(
        "、".join(hindrance.name.zh for hindrance in holding),
        ", ".join(hindrance.name.en for hindrance in holding),
    )
    yield Objection(
        "contraindicated",
        {"names": names},
        ends_on=first_free_day(hindrances, on) if defers else None,
        sentence="contraindicated_for_now" if defers else "",
        defers=defers,
    )


def first_free_day(hindrances: Collection[Hindrance], on: date) -> date | None:
    """Return the first day from `on` without any, or None where one of them has no known end."""
    day = on
    while holding := [hindrance for hindrance in hindrances if hindrance.is_valid_on(day)]:
        ends = [hindrance.valid_to for hindrance in holding if hindrance.valid_to is not None]
        if len(ends) < len(holding):
            return None
        day = max(ends) + timedelta(days=1)
    return day
