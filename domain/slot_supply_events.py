"""The events of a slot supply, and what a time slot is after them.

What is refused stands in `domain.slot_supply`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.sealed import Fact
from domain.shape import Size
from domain.vocabulary import Code, Division, Hour, ProductCode, SeatNumber, SlotNumber

if TYPE_CHECKING:
    from domain.slot_supply import SlotSupply

MAX_SEATS = 1000


@dataclass(frozen=True)
class PlannedSlot:
    """A time slot as it is opened.

    Attributes:
        starts: first minute.
        ends: last minute.
        capacity: how many may come.
    """

    starts: Hour
    ends: Hour
    capacity: SeatNumber


@dataclass(frozen=True)
class Seats:
    """Which seats the server chose.

    Attributes:
        seats: their numbers.
    """

    seats: Annotated[tuple[SeatNumber, ...], Size(0, MAX_SEATS)]


@dataclass(frozen=True)
class SlotState:
    """A time slot as it stands.

    Attributes:
        starts: first minute.
        ends: last minute.
        seats: highest number of a seat that there ever was.
        withdrawn: seats that nobody can have.
        is_closed: whether nobody can book any more.
    """

    starts: str
    ends: str
    seats: int
    withdrawn: frozenset[int] = field(default=frozenset())
    is_closed: bool = False

    @property
    def capacity(self) -> int:
        """How many may come."""
        return self.seats - len(self.withdrawn)


class Opened(Fact, AggregateCreated):
    """A site opened the seats of a day for one product (A-2).

    Attributes:
        site: clinic where the doses are given.
        division: division of the site.
        on: civil day.
        product: what the seats are for.
        slots: time slots, the earliest first.
    """

    TOPIC = "slot-supply.opened.v1"

    site: UUID
    division: Division
    on: date
    product: ProductCode
    slots: Annotated[tuple[PlannedSlot, ...], Size(1, 64)]


class Raised(Fact):
    """More people may come in a time slot.

    Attributes:
        slot: number of the time slot.
        capacity: how many may come now.
        derived: seats that were added, or are no longer withdrawn.
    """

    TOPIC = "slot-supply.raised.v1"

    slot: SlotNumber
    capacity: SeatNumber
    derived: Seats

    def apply(self, aggregate: SlotSupply) -> None:
        """Add the seats."""
        slot, seats = aggregate.slots[self.slot], frozenset(self.derived.seats)
        aggregate.slots[self.slot] = replace(
            slot, seats=max(slot.seats, *seats), withdrawn=slot.withdrawn - seats
        )


class Lowered(Fact):
    """Fewer people may come in a time slot; never fewer than have booked.

    Attributes:
        slot: number of the time slot.
        capacity: how many may come now.
        derived: free seats that were withdrawn.
    """

    TOPIC = "slot-supply.lowered.v1"

    slot: SlotNumber
    capacity: Annotated[int, Size(0, MAX_SEATS)]
    derived: Seats

    def apply(self, aggregate: SlotSupply) -> None:
        """Withdraw the seats."""
        slot = aggregate.slots[self.slot]
        aggregate.slots[self.slot] = replace(
            slot, withdrawn=slot.withdrawn | frozenset(self.derived.seats)
        )


class Closed(Fact):
    """A time slot takes no further bookings.

    Attributes:
        slot: number of the time slot.
        reason: why, as a code.
    """

    TOPIC = "slot-supply.closed.v1"

    slot: SlotNumber
    reason: Code

    def apply(self, aggregate: SlotSupply) -> None:
        """Close it."""
        slot = aggregate.slots[self.slot]
        aggregate.slots[self.slot] = replace(slot, is_closed=True)


class SlotMoved(Fact):
    """A time slot got other hours of the day; its bookings moved with it.

    Attributes:
        slot: number of the time slot.
        starts: first minute.
        ends: last minute.
    """

    TOPIC = "slot-supply.slot-moved.v1"

    slot: SlotNumber
    starts: Hour
    ends: Hour

    def apply(self, aggregate: SlotSupply) -> None:
        """Take the hours."""
        slot = aggregate.slots[self.slot]
        aggregate.slots[self.slot] = replace(slot, starts=self.starts, ends=self.ends)
