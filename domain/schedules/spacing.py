"""What must lie between vaccines of any series: live ones, and immunoglobulin before live ones."""

from collections.abc import Sequence
from datetime import date

from domain.schedules.immunization import Question
from domain.schedules.schedule import Schedule


class Distances:
    """The injected live doses and immunoglobulins of a child, and what they keep at a distance.

    Every live dose counts here, whether it counts in its series or not.

    Args:
        schedule: Whose distances they are.
        question: Whose doses up to the day asked about they are.
    """

    def __init__(self, schedule: Schedule, question: Question) -> None:
        self._schedule = schedule
        self._asked_on = question.asked_on
        self._live = sorted(
            dose.date
            for dose in question.doses
            if self._is_injected_live(dose.vaccine)
            and question.birth_date <= dose.date <= question.asked_on
        )
        self._immunoglobulins = [
            day for day in question.immunoglobulins if day <= question.asked_on
        ]

    def from_live(self, vaccine: str, day: date) -> date | None:
        """Return the first day far enough from the live dose before `day`, or None if it is."""
        if not self._is_injected_live(vaccine):
            return None
        span = self._schedule.spacing.live_injected
        return _beyond([span.after(given) for given in self._live if given < day], day)

    def from_immunoglobulin(self, vaccine: str, day: date) -> date | None:
        """Return the first day far enough from immunoglobulin before `day`, or None if it is."""
        spacing = self._schedule.spacing
        if not self._is_injected_live(vaccine) or vaccine in spacing.exempt_from_immunoglobulin:
            return None
        span = spacing.after_immunoglobulin
        return _beyond([span.after(given) for given in self._immunoglobulins if given <= day], day)

    def first_free(self, vaccine: str, day: date) -> date:
        """Return the first day from `day` on that is far enough from everything."""
        later: date | None = day
        while later is not None:
            day = later
            later = self.from_live(vaccine, day) or self.from_immunoglobulin(vaccine, day)
        return day

    def _is_injected_live(self, code: str) -> bool:
        vaccine = self._schedule.catalogue.vaccines[code]
        return vaccine.live and vaccine.injected


def _beyond(ends: Sequence[date], day: date) -> date | None:
    latest = max(ends, default=day)
    return latest if latest > day else None
