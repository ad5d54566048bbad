"""What registers and roll-ups have in common when they are handed in: the state that they show.

A form is named by a position of the log and a civil day, so that it can be printed again for ever.
A further one replaces the earlier ones of its kind and is never added to them (S-53).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.calendar import civil_day
from domain.errors import DomainError


class StateUnknown(DomainError):
    """The form shows a state that the log has not reached, or a day that has not come."""

    code = "state-unknown"
    zh = "报表所载的账本位置或日期尚未到达。"


class NotTheReporter(DomainError):
    """This organisation does not hand in this form."""

    code = "not-the-reporter"
    zh = "该报表不由此单位填报。"


@dataclass(frozen=True)
class Filed:
    """When a form was due, and whether it came in time.

    Attributes:
        due: last civil day on which it is in time, included (X-1).
        late: whether it came after that day; it counts all the same (X-24).
    """

    due: date
    late: bool

    @classmethod
    def at(cls, recorded_at: datetime, due: date) -> Filed:
        """Compare the civil day of the arrival with the last day."""
        return cls(due, civil_day(recorded_at) > due)


def check_state(position: int, effective_on: date, *, published: int, today: date) -> None:
    """Refuse a form of a state that is not there yet.

    Raises:
        StateUnknown: position or day lie ahead.
    """
    if position > published or effective_on > today:
        raise StateUnknown(position=position, published=published, day=effective_on.isoformat())
