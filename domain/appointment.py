"""An appointment: one person, one dose, one seat (A-2 to A-7, A-20; X-6, X-8).

Held for some minutes, confirmed under a number, verified on arrival, redeemed after the dose: two
scans are two events. Who may book, and when, is decided by `domain.booking` before it comes here;
the seat itself is a claim of the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.booking.arrival import Arrival, judge_visit
from domain.booking.lifecycle import Event as Step
from domain.booking.lifecycle import State, advance
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.booking.rules import BookingRules
from domain.booking.slot import Slot
from domain.calendar import SHANGHAI, civil_day
from domain.dose import DoseState
from domain.effect import OnBehalf
from domain.errors import DomainError
from domain.sealed import Fact, Sealed
from domain.shape import Pattern, Size
from domain.vocabulary import (
    Code,
    Division,
    DoseNumber,
    ProductCode,
    RuleId,
    SeatNumber,
    SlotNumber,
    Version,
)

BookingNumber = Annotated[str, Pattern("[0-9]{12}")]
"""预约编码: random digits."""


class Channel(StrEnum):
    """How someone booked; groups are sent to the office or the site (A-1)."""

    INDIVIDUAL = "individual"
    PROXY = "proxy"


class Punctuality(StrEnum):
    """Where in the day someone came."""

    IN_SLOT = "in-slot"
    EARLY = "early"
    LATE = "late"


class NotDueYet(DomainError):
    """The time for this has not come."""

    code = "not-due-yet"
    zh = "尚未到处理时间。"


class DoseOfOtherProduct(DomainError):
    """The dose is of another product than was booked."""

    code = "dose-of-other-product"
    zh = "实际接种的疫苗与预约的不一致。"


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


class Appointment(BaseAggregate[UUID]):
    """One appointment.

    Attributes:
        state: where it stands.
        seat: what it has, or had.
        held_until: from when the hold is over.
        booking_number: 预约编码; empty before it is confirmed.
    """

    TOPIC = "appointment"
    Event = Fact

    def __init__(  # noqa: PLR0913  these are the fields of its first event
        self,
        *,
        supply: UUID,
        slot: int,
        site: UUID,
        division: str,
        product: str,
        dose_number: int,
        on: date,
        channel: Channel,
        person: UUID,
        booker: UUID,
        derived: Reserved,
    ) -> None:
        self.seat = Seat(supply, slot, derived.seat)
        self.site = site
        self.division = division
        self.product = product
        self.dose_number = dose_number
        self.on = on
        self.channel = channel
        self.person = person
        self.booker = booker
        self.record = derived.record
        self.course = derived.course
        self.place = derived.place
        self.held_until = self.created_on + timedelta(minutes=derived.hold_minutes)
        self.state = State.HELD
        self.booking_number = ""

    @classmethod
    def hold(
        cls,
        stream: UUID,
        *,
        derived: Reserved,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Hold a seat. The rules were asked before; the claim on the seat decides.

        Args:
            stream: id of the new stream.
            derived: the seat.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `appointment.held.v1`.
        """
        return cls._create(
            event_class=cls.Held,
            id=stream,
            timestamp=recorded_at,
            sealed=sealed,
            derived=derived,
            **fields,
        )

    def confirm(self, *, rules: BookingRules, derived: Numbered, recorded_at: datetime) -> None:
        """Make the held seat a booking.

        Raises:
            BookingRefused: the hold is over, or it is no hold.
        """
        self._check(rules, Step.BOOKED)
        if recorded_at >= self.held_until:
            raise BookingRefused.by(rules, Objection("hold_expired"))
        self.trigger_event(self.Confirmed, timestamp=recorded_at, derived=derived)

    def move(
        self, *, rules: BookingRules, derived: Reseated, recorded_at: datetime, **fields: Any
    ) -> None:
        """Take another seat and give the present one back (改约).

        Raises:
            BookingRefused: the state does not allow it.
        """
        self._check(rules, Step.MOVED)
        self.trigger_event(self.Moved, timestamp=recorded_at, derived=derived, **fields)

    def cancel(
        self, *, rules: BookingRules, derived: OnBehalf, recorded_at: datetime, **fields: Any
    ) -> None:
        """Give the seat back; whoever has arrived is the site's to send home.

        Raises:
            BookingRefused: the state does not allow it.
        """
        if self.state is State.ARRIVED_SCANNED:
            raise BookingRefused.by(rules, Objection("not_possible_now"))
        self._check(rules, Step.CANCELLED)
        self.trigger_event(self.Cancelled, timestamp=recorded_at, derived=derived, **fields)

    def call_off(
        self,
        *,
        rules: BookingRules,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let the site call the appointment off: the session falls through, a fever at the door.

        Raises:
            BookingRefused: another site, or the state does not allow it.
        """
        self._check_site(rules, fields["clinic"])
        self._check(rules, Step.CANCELLED)
        self.trigger_event(self.CalledOff, timestamp=recorded_at, sealed=sealed, **fields)

    def expire(self, *, rules: BookingRules, recorded_at: datetime) -> None:
        """Give back the seat of a hold that nobody confirmed in time.

        Raises:
            NotDueYet: the hold still runs.
            BookingRefused: it is no hold any more.
        """
        self._check(rules, Step.EXPIRED)
        if recorded_at < self.held_until:
            raise NotDueYet
        self.trigger_event(self.Expired, timestamp=recorded_at)

    def miss(self, *, rules: BookingRules, recorded_at: datetime) -> None:
        """State that nobody came (爽约): from the day after the appointment on.

        Raises:
            NotDueYet: the day is not over.
            BookingRefused: somebody came, or it is no booking.
        """
        self._check(rules, Step.NO_SHOW)
        if civil_day(recorded_at) <= self.on:
            raise NotDueYet
        self.trigger_event(self.Missed, timestamp=recorded_at)

    def verify(
        self,
        *,
        rules: BookingRules,
        hours: tuple[str, str],
        is_right_person: bool,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Take the first scan, before the dose (A-6, A-16, A-20).

        Staff may admit someone who comes early or late, on the day itself; the event says so.

        Args:
            rules: the rules in force.
            hours: first and last minute of the slot as it is now.
            is_right_person: whether the identity card shown is the recipient's.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `appointment.verified.v1`.

        Raises:
            BookingRefused: each of its reasons is an answer of its own.
        """
        self._check(rules, Step.ARRIVED_SCANNED)
        slot = Slot(self.on, time.fromisoformat(hours[0]), time.fromisoformat(hours[1]))
        arrived = recorded_at.astimezone(SHANGHAI).replace(tzinfo=None)
        arrival = Arrival(
            slot,
            arrived,
            has_id_card=fields["has_id_card"],
            has_signed_consent=fields["has_signed_consent"],
            is_right_site=fields["clinic"] == self.site,
            is_right_person=is_right_person,
        )
        is_admitted = fields["admits_outside_slot"] and arrived.date() == self.on
        objections = [
            objection
            for objection in judge_visit(arrival)
            if objection.reason != "outside_slot" or not is_admitted
        ]
        if objections:
            raise BookingRefused.by(rules, *objections)
        derived = Arrived(_punctuality(slot, arrived))
        self.trigger_event(
            self.Verified, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def redeem(
        self,
        *,
        rules: BookingRules,
        given: DoseState | None,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Take the second scan, after the dose (A-5): once, and never before it.

        Args:
            rules: the rules in force.
            given: the dose named, as the record has it; None where it has none.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `appointment.redeemed.v1`.

        Raises:
            BookingRefused: not verified, no such dose here since, redeemed already, another site.
            DoseOfOtherProduct: something else was given.
        """
        if self.state is State.REDEEMED:
            raise BookingRefused.by(rules, Objection("already_redeemed"))
        self._check_site(rules, fields["clinic"])
        self._check(rules, Step.VACCINATED)
        if given is None or given.clinic != self.site or given.occurred_on != self.on:
            raise BookingRefused.by(rules, Objection("redeem_before_vaccination"))
        if not rules.is_of(self.product, given.vaccine):
            raise DoseOfOtherProduct(booked=self.product, given=given.vaccine)
        self.trigger_event(self.Redeemed, timestamp=recorded_at, sealed=sealed, **fields)

    def _check(self, rules: BookingRules, step: Step) -> None:
        objection = advance(self.state, step).objection
        if objection is not None:
            raise BookingRefused.by(rules, objection)

    def _check_site(self, rules: BookingRules, clinic: UUID) -> None:
        if clinic != self.site:
            raise BookingRefused.by(rules, Objection("wrong_site"))

    class Held(Fact, AggregateCreated):
        """A seat is held for a person, for some minutes (A-2).

        Attributes:
            supply: stream of the slot supply.
            slot: number of the time slot.
            site: clinic where the dose is to be given.
            division: division of the site.
            product: what is to be given.
            dose_number: which dose of the course.
            on: civil day.
            channel: for oneself or for another person.
            person: handle of the person whom the dose is for.
            booker: handle of the person who books.
            derived: the seat, and what the decision rests on.
        """

        TOPIC = "appointment.held.v1"

        supply: UUID
        slot: SlotNumber
        site: UUID
        division: Division
        product: ProductCode
        dose_number: DoseNumber
        on: date
        channel: Channel
        person: UUID
        booker: UUID
        derived: Reserved

    class Confirmed(Fact):
        """The held seat became a booking (A-2).

        Attributes:
            derived: the booking number, and for whom the platform signed.
        """

        TOPIC = "appointment.confirmed.v1"

        derived: Numbered

        def apply(self, aggregate: Appointment) -> None:
            """Take the number."""
            aggregate.state = State.BOOKED
            aggregate.booking_number = self.derived.number

    class Moved(Fact):
        """The booking took another seat (改约, X-8).

        Attributes:
            supply: stream of the slot supply.
            slot: number of the time slot.
            site: clinic where the dose is to be given.
            division: division of the site.
            on: civil day.
            derived: the seat, and what the decision rests on.
        """

        TOPIC = "appointment.moved.v1"

        supply: UUID
        slot: SlotNumber
        site: UUID
        division: Division
        on: date
        derived: Reseated

        def apply(self, aggregate: Appointment) -> None:
            """Take the seat."""
            aggregate.seat = Seat(self.supply, self.slot, self.derived.seat)
            aggregate.site, aggregate.division = self.site, self.division
            aggregate.on = self.on

    class Cancelled(Fact):
        """The person gave the seat back (X-8).

        Attributes:
            reason: why, as a code.
            derived: for whom the platform signed.
        """

        TOPIC = "appointment.cancelled.v1"

        reason: Code
        derived: OnBehalf

        def apply(self, aggregate: Appointment) -> None:
            """Final."""
            aggregate.state = State.CANCELLED

    class CalledOff(Fact):
        """The site called the appointment off.

        Attributes:
            clinic: the site.
            reason: why, as a code.
        """

        TOPIC = "appointment.called-off.v1"

        clinic: UUID
        reason: Code

        def apply(self, aggregate: Appointment) -> None:
            """Final."""
            aggregate.state = State.CANCELLED

    class Expired(Fact):
        """Nobody confirmed the hold in time; the seat is free again (X-8)."""

        TOPIC = "appointment.expired.v1"

        def apply(self, aggregate: Appointment) -> None:
            """Final."""
            aggregate.state = State.EXPIRED

    class Missed(Fact):
        """Nobody came on the day (爽约, X-8)."""

        TOPIC = "appointment.missed.v1"

        def apply(self, aggregate: Appointment) -> None:
            """Final."""
            aggregate.state = State.NO_SHOW

    class Verified(Fact):
        """The site verified code, person and papers before the dose (核验; A-6, A-16, X-6).

        Attributes:
            clinic: the site.
            has_id_card: whether the recipient's own identity card was shown.
            has_signed_consent: whether the consent form was signed.
            admits_outside_slot: whether staff admit someone who comes early or late.
            derived: when the person came, as the slot sees it.
        """

        TOPIC = "appointment.verified.v1"

        clinic: UUID
        has_id_card: bool
        has_signed_consent: bool
        admits_outside_slot: bool
        derived: Arrived

        def apply(self, aggregate: Appointment) -> None:
            """The person queues."""
            aggregate.state = State.ARRIVED_SCANNED

    class Redeemed(Fact):
        """The site redeemed the booking after the dose (核销; A-5, X-6).

        Attributes:
            clinic: the site.
            record: stream of the recipient's vaccination record.
            dose: id of the dose that was given.
            visit: id of the visit, where one was opened (C-19).
        """

        TOPIC = "appointment.redeemed.v1"

        clinic: UUID
        record: UUID
        dose: UUID
        visit: UUID | None = None

        def apply(self, aggregate: Appointment) -> None:
            """Final."""
            aggregate.state = State.REDEEMED
            aggregate.record = self.record


def _punctuality(slot: Slot, arrived: datetime) -> Punctuality:
    if slot.has(arrived):
        return Punctuality.IN_SLOT
    return Punctuality.EARLY if arrived.time() < slot.starts else Punctuality.LATE
