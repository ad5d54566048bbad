"""An appointment: one person, one dose, one seat (A-2 to A-7, A-20; X-6, X-8).

Held for some minutes, confirmed under a number, verified on arrival, redeemed after the dose: two
scans are two events. Who may book, and when, is decided by `domain.booking` before it comes here;
the seat itself is a claim of the log.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from domain import appointment_events
from domain.appointment_values import (
    Arrived,
    Channel,
    Numbered,
    Punctuality,
    Reseated,
    Reserved,
    Seat,
)
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


class NotDueYet(DomainError):
    """The time for this has not come."""

    code = "not-due-yet"
    zh = "尚未到处理时间。"


class DoseOfOtherProduct(DomainError):
    """The dose is of another product than was booked."""

    code = "dose-of-other-product"
    zh = "实际接种的疫苗与预约的不一致。"


class Appointment(BaseAggregate[UUID]):
    """One appointment.

    Attributes:
        state: where it stands.
        seat: what it has, or had.
        held_until: from when the hold is over.
        booking_number: 预约编码; empty before it is confirmed.
        dose: what was given, once it is redeemed.
    """

    TOPIC = "appointment"
    Event = Fact
    Held = appointment_events.Held
    Confirmed = appointment_events.Confirmed
    Moved = appointment_events.Moved
    Cancelled = appointment_events.Cancelled
    CalledOff = appointment_events.CalledOff
    Expired = appointment_events.Expired
    Missed = appointment_events.Missed
    Verified = appointment_events.Verified
    Redeemed = appointment_events.Redeemed
    FollowedUp = appointment_events.FollowedUp

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
        self.dose: UUID | None = None

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
        derived = Arrived(Punctuality.of(slot, arrived))
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

    def follow_up(
        self,
        *,
        rules: BookingRules,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Note what turned up after the dose, a pregnancy for instance: it is followed (A-17).

        Raises:
            BookingRefused: another site, or no such dose was redeemed.
        """
        self._check_site(rules, fields["clinic"])
        if self.state is not State.REDEEMED or fields["dose"] != self.dose:
            raise BookingRefused.by(rules, Objection("not_possible_now"))
        self.trigger_event(self.FollowedUp, timestamp=recorded_at, sealed=sealed, **fields)

    def _check(self, rules: BookingRules, step: Step) -> None:
        objection = advance(self.state, step).objection
        if objection is not None:
            raise BookingRefused.by(rules, objection)

    def _check_site(self, rules: BookingRules, clinic: UUID) -> None:
        if clinic != self.site:
            raise BookingRefused.by(rules, Objection("wrong_site"))
