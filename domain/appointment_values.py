"""What the events of an appointment tell: how it was booked, its seat, when somebody came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from domain.booking.slot import Slot
from domain.shape import Pattern, Size
from domain.vocabulary import ProductCode, RuleId, SeatNumber, SlotNumber, Version

BookingNumber = Annotated[str, Pattern("[0-9]{12}")]
"""预约编码: random digits."""


class Channel(StrEnum):
    """How someone booked; groups are sent to the office or the site (A-1)."""

    INDIVIDUAL = "individual"
    PROXY = "proxy"
    WALK_IN = "walk_in"


class Punctuality(StrEnum):
    """Where in the day someone came."""

    IN_SLOT = "in-slot"
    EARLY = "early"
    LATE = "late"

    @classmethod
    def of(cls, slot: Slot, arrived: datetime) -> Punctuality:
        """Of whoever arrived at a civil (naive) moment of the slot's day."""
        if slot.has(arrived):
            return cls.IN_SLOT
        return cls.EARLY if arrived.time() < slot.starts else cls.LATE


class Finding(StrEnum):
    """What turned up after a dose."""

    PREGNANCY = "pregnancy"


@dataclass(frozen=True)
class Reserved:
    """The seat, how long it is held, and what the decision rests on.

    Attributes:
        seat: number of the seat in its slot.
        hold_minutes: for how long it is held.
        rules: edition of the booking rules.
        course: of these, one booking of a person may be open: a target, or a product of its own.
        on_behalf_of: handle of the person who asked, identified by the platform.
        record: stream of the recipient's vaccination record, where there is one.
        record_version: version of the record that was judged.
        place: which of the bookings for others that the booker may have open.
    """

    seat: SeatNumber
    hold_minutes: Annotated[int, Size(1, 1440)]
    rules: RuleId
    course: ProductCode
    on_behalf_of: UUID
    record: UUID | None = None
    record_version: Version | None = None
    place: SlotNumber | None = None


@dataclass(frozen=True)
class Numbered:
    """The booking number, and for whom the platform signed.

    Attributes:
        number: 预约编码, random.
        on_behalf_of: handle of the person who asked.
    """

    number: BookingNumber
    on_behalf_of: UUID


@dataclass(frozen=True)
class Reseated:
    """The new seat, and what the decision rests on.

    Attributes:
        seat: number of the seat in its slot.
        rules: edition of the booking rules.
        on_behalf_of: handle of the person who asked.
    """

    seat: SeatNumber
    rules: RuleId
    on_behalf_of: UUID


@dataclass(frozen=True)
class Arrived:
    """When the person came, as the slot sees it.

    Attributes:
        punctuality: in the slot, before it or after it.
    """

    punctuality: Punctuality


@dataclass(frozen=True)
class Seat:
    """A seat: of a supply, in a time slot."""

    supply: UUID
    slot: int
    number: int
