"""Writes of a site about appointments: verify, redeem, call off (A-5, A-6; X-6)."""

from collections.abc import Mapping
from functools import partial
from hmac import compare_digest
from typing import Any
from uuid import UUID

from commands.errors import Erased
from commands.permissions import Scope
from commands.reading import Reading
from commands.records import id_number
from commands.seats import seat_claim
from commands.writing import Decision, Handler, Writing
from domain.appointment import Appointment
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.slot_supply import SlotSupply
from domain.topics import BOOKED_FOR, BOOKER, check_private
from domain.vaccination_record import VaccinationRecord
from domain.visit import DoseNotOfVisit, Visit
from ledger.store.append import Claim, Guard

OPEN_BOOKING = "open-booking"
PLACE = "booker-place"
REDEEMED_DOSE = "redeemed-dose"
BOOKING_NUMBER = "booking-number"


def course_key(reading: Reading, course: str, number: str) -> bytes:
    """What a claim of an open booking is about: one person, one course; a keyed digest."""
    return reading.blind(OPEN_BOOKING, f"{course} {number}")


def place_key(reading: Reading, number: str, place: int) -> bytes:
    """What a claim of a place is about: one booker, one of the bookings for others."""
    return reading.blind(PLACE, f"{number} {place}")


def place_keys(reading: Reading, number: str) -> list[bytes]:
    """The keys of all places of a booker, from the first."""
    most = reading.services.rules.booking.proxy_bookings_open
    return [place_key(reading, number, place) for place in range(1, most + 1)]


def booked_for(reading: Reading, appointment: Appointment) -> dict[str, Any]:
    """What is known of the person whom the dose is for, as it was written.

    Raises:
        Erased: their key is gone.
    """
    values = reading.opened(appointment.id, 1, appointment.person)
    if values is None:
        raise Erased
    return values


def number_of(values: Mapping[str, Any], role: str = BOOKED_FOR) -> str:
    """The normalised number of the person whom a dose is for, or of the booker."""
    return id_number(check_private(Appointment.Held.TOPIC, role, values)) or ""


def seat_given_back(appointment: Appointment) -> Claim:
    """The seat of an appointment is free again."""
    seat = appointment.seat
    return seat_claim(seat.supply, seat.slot, seat.number, appointment.id, release=True)


def ended(reading: Reading, appointment: Appointment) -> tuple[Claim, ...]:
    """The person may book this course again, and the booker for somebody else.

    Whose number does not open any more is not found by it either: the claim then stands, and
    whoever meets it sees an appointment that is over.
    """
    try:
        number = number_of(booked_for(reading, appointment))
    except Erased:
        return ()
    key = course_key(reading, appointment.course, number)
    course = Claim(OPEN_BOOKING, key, appointment.id, release=True)
    return course, *_place_given_back(reading, appointment)


def _place_given_back(reading: Reading, appointment: Appointment) -> tuple[Claim, ...]:
    values = reading.opened(appointment.id, 1, appointment.booker)
    if appointment.place is None or values is None:
        return ()
    key = place_key(reading, number_of(values, BOOKER), appointment.place)
    return (Claim(PLACE, key, appointment.id, release=True),)


def verify(writing: Writing) -> Decision:
    """Take the first scan; the identity card's number is compared and sealed."""
    appointment = _appointment(writing)
    supply = writing.load(SlotSupply, appointment.seat.supply)
    slot = supply.slot(appointment.seat.slot)
    sealing, typed = writing.seal({appointment.person: BOOKED_FOR})
    appointment.verify(
        rules=writing.services.rules.booking,
        hours=(slot.starts, slot.ends),
        is_right_person=_is_card_of(writing, appointment, typed.get(appointment.person)),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **writing.fields,
    )
    return Decision(appointment, sealing, guards=(Guard(supply.id, supply.version),))


def redeem(writing: Writing) -> Decision:
    """Take the second scan: the booking is linked to the dose, and to the visit."""
    appointment = _appointment(writing)
    fields = writing.fields
    record = writing.load(VaccinationRecord, fields["record"])
    sealing, _ = writing.seal({appointment.person: BOOKED_FOR})
    appointment.redeem(
        rules=writing.services.rules.booking,
        given=record.dose(fields["dose"]),
        recorded_at=writing.recorded_at,
        sealed=sealing.sealed,
        **fields,
    )
    if "visit" in fields:
        _check_visit(writing, fields["visit"], fields["dose"])
    if not is_record_of(writing, record, appointment):
        raise BookingRefused.by(writing.services.rules.booking, Objection("other_person"))
    return Decision(
        appointment,
        sealing,
        guards=(Guard(record.id, record.version),),
        claims=(
            Claim(REDEEMED_DOSE, fields["dose"].bytes, appointment.id),
            *ended(writing, appointment),
        ),
    )


def call_off(writing: Writing) -> Decision:
    """Give the seat back for the person, whom the site tells."""
    appointment = _appointment(writing)
    return writing.carry_out(
        appointment,
        partial(appointment.call_off, rules=writing.services.rules.booking),
        claims=(seat_given_back(appointment), *ended(writing, appointment)),
        roles={appointment.person: BOOKED_FOR},
    )


def follow_up(writing: Writing) -> Decision:
    """Note what turned up after the dose; what it is, is sealed for the person."""
    appointment = _appointment(writing)
    return writing.carry_out(
        appointment,
        partial(appointment.follow_up, rules=writing.services.rules.booking),
        roles={appointment.person: BOOKED_FOR},
    )


def _appointment(writing: Writing) -> Appointment:
    appointment = writing.target(Appointment)
    acting: UUID = writing.fields["clinic"]
    writing.permit(Scope(appointment.division, acting=acting, managing=appointment.site))
    return appointment


def _check_visit(writing: Writing, visit: UUID, dose: UUID) -> None:
    if dose not in writing.load(Visit, visit).doses:
        raise DoseNotOfVisit(dose=str(dose))


def _is_card_of(
    writing: Writing, appointment: Appointment, shown: Mapping[str, Any] | None
) -> bool:
    """Whether the number on the card is the one that was booked for; nobody's where none is shown.

    A card that was not shown is an objection of its own.
    """
    number = None if shown is None else id_number(shown)
    if number is None:
        return not writing.fields["has_id_card"]
    booked = number_of(booked_for(writing, appointment))
    return compare_digest(number.encode(), booked.encode())


def is_record_of(reading: Reading, record: VaccinationRecord, appointment: Appointment) -> bool:
    """Whether a record is of the person whom a dose was booked for.

    Raises:
        Erased: a person's key is gone.
    """
    if record.recipient == appointment.person:
        return True
    recorded = id_number(reading.person(record, record.recipient)) or ""
    booked = number_of(booked_for(reading, appointment))
    return compare_digest(recorded.encode(), booked.encode())


HANDLERS: Mapping[str, Handler] = {
    "appointment.verified.v1": verify,
    "appointment.redeemed.v1": redeem,
    "appointment.called-off.v1": call_off,
    "appointment.followed-up.v1": follow_up,
}
