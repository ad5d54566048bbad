"""The supply of seats (号源) of one site, day and product: time slots, and how many may come (A-2).

A slot's seats are numbered from 1. A seat belongs to one appointment, or is withdrawn, or is free:
the log's claims see to that. So capacity = confirmed + held + free at any moment, and a capacity is
never lowered below what is confirmed and held. There is no price (A-23).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.errors import DomainError
from domain.organisation import NotAClinic, Organisation, OrganisationKind
from domain.registration import DivisionDiffers
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import Code, Division, Hour, ProductCode, SeatNumber, SlotNumber

MAX_SEATS = 1000


class SupplyInPast(DomainError):
    """The day of the supply lies in the past."""

    code = "supply-in-past"
    zh = "号源日期早于今天。"


class SlotsOverlap(DomainError):
    """Time slots end after they begin, in their order, and do not overlap."""

    code = "slots-overlap"
    zh = "时间段须先后排列，结束晚于开始，且互不重叠。"


class UnknownSlot(DomainError):
    """The supply has no such time slot."""

    code = "unknown-slot"
    zh = "没有该时间段。"


class SlotClosed(DomainError):
    """The time slot is closed already."""

    code = "slot-closed"
    zh = "该时间段已停约。"


class CapacityNotRaised(DomainError):
    """The new capacity is not above the present one."""

    code = "capacity-not-raised"
    zh = "新号源数未高于现有号源数。"


class CapacityNotLowered(DomainError):
    """The new capacity is not below the present one."""

    code = "capacity-not-lowered"
    zh = "新号源数未低于现有号源数。"


class CapacityBelowBooked(DomainError):
    """The new capacity is below what is confirmed and held."""

    code = "capacity-below-booked"
    zh = "新号源数低于已预约和已锁定的数量。"


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


class SlotSupply(BaseAggregate[UUID]):
    """The seats of one site, day and product.

    Attributes:
        slots: time slots by number.
    """

    TOPIC = "slot-supply"
    Event = Fact

    def __init__(
        self,
        site: UUID,
        division: str,
        on: date,
        product: str,
        slots: tuple[PlannedSlot, ...],
    ) -> None:
        self.site = site
        self.division = division
        self.on = on
        self.product = product
        self.slots = {
            number: SlotState(slot.starts, slot.ends, slot.capacity)
            for number, slot in enumerate(slots, 1)
        }

    def slot(self, number: int) -> SlotState:
        """A time slot.

        Raises:
            UnknownSlot: there is none of this number.
        """
        if number not in self.slots:
            raise UnknownSlot(slot=number)
        return self.slots[number]

    @classmethod
    def open(
        cls,
        stream: UUID,
        *,
        clinic: Organisation,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Open the seats of a day; today's too.

        Args:
            stream: id of the new stream.
            clinic: the site, where the doses are given.
            recorded_at: our clock.
            sealed: sealed parts, none.
            **fields: clear fields of `slot-supply.opened.v1`.

        Raises:
            DomainError: NotAClinic, DivisionDiffers, SupplyInPast or SlotsOverlap.
        """
        if clinic.kind is not OrganisationKind.CLINIC:
            raise NotAClinic
        if fields["division"] != clinic.division:
            raise DivisionDiffers(division=fields["division"], managing=clinic.division)
        if fields["on"] < civil_day(recorded_at):
            raise SupplyInPast(on=fields["on"].isoformat())
        _check_hours([(slot.starts, slot.ends) for slot in fields["slots"]])
        return cls._create(
            event_class=cls.Opened, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    def raise_capacity(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Let more people come; seats that were withdrawn come back first.

        Raises:
            DomainError: UnknownSlot, SlotClosed or CapacityNotRaised.
        """
        slot = self._open_slot(fields["slot"])
        more = fields["capacity"] - slot.capacity
        if more <= 0:
            raise CapacityNotRaised(capacity=slot.capacity)
        again = sorted(slot.withdrawn)[:more]
        new = range(slot.seats + 1, slot.seats + 1 + more - len(again))
        derived = Seats((*again, *new))
        self.trigger_event(
            self.Raised, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def lower_capacity(
        self,
        *,
        free: Collection[int],
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let fewer people come: free seats are withdrawn, from the last one on.

        Args:
            free: seats that nobody has.
            recorded_at: our clock.
            sealed: sealed parts, none.
            **fields: clear fields of `slot-supply.lowered.v1`.

        Raises:
            DomainError: UnknownSlot, SlotClosed, CapacityNotLowered or CapacityBelowBooked.
        """
        slot = self._open_slot(fields["slot"])
        fewer = slot.capacity - fields["capacity"]
        if fewer <= 0:
            raise CapacityNotLowered(capacity=slot.capacity)
        if fewer > len(free):
            raise CapacityBelowBooked(booked=slot.capacity - len(free))
        derived = Seats(tuple(sorted(free, reverse=True)[:fewer]))
        self.trigger_event(
            self.Lowered, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def close(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Take no further bookings; those that there are stand until the site calls them off.

        Raises:
            DomainError: UnknownSlot or SlotClosed.
        """
        self._open_slot(fields["slot"])
        self.trigger_event(self.Closed, timestamp=recorded_at, sealed=sealed, **fields)

    def move_slot(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Give a slot other hours of the day; its bookings move with it.

        Raises:
            DomainError: UnknownSlot, SlotClosed or SlotsOverlap.
        """
        self._open_slot(fields["slot"])
        others = [
            (slot.starts, slot.ends)
            for number, slot in self.slots.items()
            if number != fields["slot"] and not slot.is_closed
        ]
        _check_hours(sorted([*others, (fields["starts"], fields["ends"])]))
        self.trigger_event(self.SlotMoved, timestamp=recorded_at, sealed=sealed, **fields)

    def _open_slot(self, number: int) -> SlotState:
        slot = self.slot(number)
        if slot.is_closed:
            raise SlotClosed(slot=number)
        return slot

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


def _check_hours(hours: list[tuple[str, str]]) -> None:
    edges = [edge for slot in hours for edge in slot]
    if any(starts >= ends for starts, ends in hours) or edges != sorted(edges):
        raise SlotsOverlap
