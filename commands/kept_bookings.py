"""The booking that a visit keeps: named at registration, redeemed with the dose (C-19; X-6)."""

from uuid import UUID

from commands.appointments import REDEEMED_DOSE, ended, is_record_of
from commands.reading import Reading
from commands.records import id_number
from commands.writing import Effect, Writing
from domain.appointment import Appointment
from domain.booking.lifecycle import State
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.topics import BOOKED_FOR, BOOKER
from domain.vaccination_record import VaccinationRecord
from domain.visit import Visit
from ledger.store.append import Claim

_AWAITED = (State.BOOKED, State.ARRIVED_SCANNED)


def awaited(reading: Reading, visit: Visit) -> list[Appointment]:
    """The bookings of the visitor that the clinic of a visit awaits on its day, by their hour.

    Raises:
        Erased: the visitor's key is gone.
    """
    record, find = reading.load(VaccinationRecord, visit.record), reading.services.vault.keys.find
    number = id_number(reading.person(record, record.recipient))
    known = {one for kind in (BOOKED_FOR, BOOKER) for one in find(kind, number or "")}
    found = [
        appointment
        for person, stream in known
        if reading.exists(stream)
        and (appointment := reading.stored(Appointment, stream)).person == person
        and (appointment.site, appointment.on) == (visit.clinic, visit.on)
        and appointment.state in _AWAITED
    ]
    return sorted(found, key=lambda one: (one.seat.slot, one.id))


def check_kept(
    writing: Writing, visit: Visit, record: VaccinationRecord, stream: UUID
) -> Appointment:
    """The booking that a registration names.

    Raises:
        NotFound: the clinic knows of no such booking.
        BookingRefused: it is another person's, of another day, or was not verified on arrival.
    """
    appointment, rules = writing.known(Appointment, stream), writing.services.rules.booking
    if not is_record_of(writing, record, appointment):
        raise BookingRefused.by(rules, Objection("other_person"))
    if appointment.state is State.BOOKED:
        raise BookingRefused.by(rules, Objection("not_verified"))
    if appointment.state is not State.ARRIVED_SCANNED or appointment.on != visit.on:
        raise BookingRefused.by(rules, Objection("not_possible_now"))
    return appointment


def redeemed_by(
    writing: Writing, visit: Visit, record: VaccinationRecord, doses: tuple[UUID, ...]
) -> tuple[tuple[Effect, ...], tuple[Claim, ...]]:
    """Redeem the booking that a visit keeps, if one of its doses is what was booked.

    A booking that was redeemed by itself, or called off since, does not hold the visit up.
    """
    if visit.appointment is None:
        return (), ()
    appointment, rules = (
        writing.load(Appointment, visit.appointment),
        writing.services.rules.booking,
    )
    if appointment.state is not State.ARRIVED_SCANNED:
        return (), ()
    for given in filter(None, map(record.dose, doses)):
        if not rules.is_of(appointment.product, given.vaccine):
            continue
        appointment.redeem(
            rules=rules,
            given=given,
            recorded_at=writing.recorded_at,
            clinic=visit.clinic,
            record=record.id,
            dose=given.dose,
            visit=visit.id,
        )
        taken = Claim(REDEEMED_DOSE, given.dose.bytes, appointment.id)
        return (Effect(appointment),), (taken, *ended(writing, appointment))
    return (), ()
