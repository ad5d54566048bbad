"""Time slots: their day, their hours, the seats left in them (A-2, A-20)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from domain.booking.objection import Objection
from domain.errors import DomainError


class SlotReversed(DomainError):
    """The time slot ends before it begins."""

    code = "slot-reversed"
    zh = "时间段的结束时间早于开始时间。"


@dataclass(frozen=True, slots=True)
class Slot:
    """A time slot of one day, in civil time (Asia/Shanghai); both ends belong to it (X-1).

    Raises:
        SlotReversed: When it ends before it begins.
    """

    on: date
    starts: time
    ends: time

    def __post_init__(self) -> None:
        if self.ends < self.starts:
            raise SlotReversed

    def has(self, moment: datetime) -> bool:
        """Tell whether a civil (naive) moment lies in it, to the minute."""
        minute = moment.time().replace(second=0, microsecond=0)
        return moment.date() == self.on and self.starts <= minute <= self.ends


def judge_day(today: date, on: date) -> Iterator[Objection]:
    """Refuse a day before today; today itself can be booked."""
    if on < today:
        yield Objection("date_in_past", {"date": on.isoformat()}, ends_on=today)


def judge_seats(free: int) -> Iterator[Objection]:
    """Refuse when no seat is free (A-2)."""
    if free <= 0:
        yield Objection("no_slot")


def judge_arrival(slot: Slot, arrived: datetime) -> Iterator[Objection]:
    """Ask for an arrival inside the slot, neither early nor late (A-20)."""
    if not slot.has(arrived):
        facts = {"starts": f"{slot.on} {slot.starts:%H:%M}", "ends": f"{slot.ends:%H:%M}"}
        yield Objection("outside_slot", facts)
