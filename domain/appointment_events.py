"""The events of an appointment, from the held seat to the dose.

What is refused stands in `domain.appointment`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from eventsourcing.domain import AggregateCreated

from domain.appointment_values import Arrived, Channel, Numbered, Reseated, Reserved, Seat
from domain.booking.lifecycle import State
from domain.effect import OnBehalf
from domain.sealed import Fact
from domain.vocabulary import Code, Division, DoseNumber, ProductCode, SlotNumber

if TYPE_CHECKING:
    from domain.appointment import Appointment


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
        channel: for oneself, for another person, or on the spot at the site.
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
        aggregate.dose = self.dose


class FollowedUp(Fact):
    """After the dose something turned up that is followed, and is no reason to act (A-17).

    What it is, is sealed.

    Attributes:
        clinic: the site.
        dose: the dose that was given.
        again_on: civil day on which to ask again, if any.
    """

    TOPIC = "appointment.followed-up.v1"

    clinic: UUID
    dose: UUID
    again_on: date | None = None
