"""The supply of seats (号源) of one site, day and product: time slots, and how many may come (A-2).

A slot's seats are numbered from 1. A seat belongs to one appointment, or is withdrawn, or is free:
the log's claims see to that. So capacity = confirmed + held + free at any moment, and a capacity is
never lowered below what is confirmed and held. There is no price (A-23).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from domain import slot_supply_events
from domain.calendar import civil_day
from domain.errors import DomainError
from domain.organisation import NotAClinic, Organisation, OrganisationKind
from domain.roll import DivisionDiffers
from domain.sealed import Fact, Sealed
from domain.slot_supply_events import PlannedSlot, Seats, SlotState


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


class SlotSupply(BaseAggregate[UUID]):
    """The seats of one site, day and product.

    Attributes:
        slots: time slots by number.
    """

    TOPIC = "slot-supply"
    Event = Fact
    Opened = slot_supply_events.Opened
    Raised = slot_supply_events.Raised
    Lowered = slot_supply_events.Lowered
    Closed = slot_supply_events.Closed
    SlotMoved = slot_supply_events.SlotMoved

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


def _check_hours(hours: list[tuple[str, str]]) -> None:
    edges = [edge for slot in hours for edge in slot]
    if any(starts >= ends for starts, ends in hours) or edges != sorted(edges):
        raise SlotsOverlap
