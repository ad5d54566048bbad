"""A citizen's wish for an appointment, judged by the booking rules on the newest state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from commands.applicants import (
    COUNTY_DIGITS,
    Person,
    applicant_of,
    find_person,
    forecast_of,
    given_doses,
)
from commands.appointments import OPEN_BOOKING, PLACE, booked_for, course_key, place_keys
from commands.citizens import Asked
from commands.entrusting import entrusted_with
from commands.principal import Principal
from commands.reading import Reading
from commands.records import id_number
from commands.stated import Stated, citizen_number
from domain.appointment import Appointment
from domain.appointment_values import Channel
from domain.booking.decision import Outcome, Request, decide
from domain.booking.lifecycle import OPEN, OpenBooking
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.certificate import Certificate
from domain.quality import Check, Severity
from domain.schedules.finding import Fact, Finding
from domain.slot_supply import SlotSupply
from domain.topics import BOOKED_FOR, BOOKER, check_private
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Claim, Guard


@dataclass(frozen=True, slots=True)
class Wish:
    """What a citizen asks for, and may have.

    Attributes:
        channel: For oneself or for another person.
        person: Whom the dose is for.
        person_number: Normalised.
        booker: Who books; the same person, except by proxy.
        booker_number: Normalised.
        values: What is sealed, by handle.
        course: Of which one booking may be open.
        course_key: The key of the claim on it.
        released: A claim on it that an appointment which is over has left behind.
        certificate: Whose holder or grantee books, where that entitles them.
        place: Which of the bookings for others that the booker may have open; None for oneself.
        warnings: What the citizen is told beside it.
    """

    channel: Channel
    person: Person
    person_number: str
    booker: Person
    booker_number: str
    values: Mapping[UUID, Mapping[str, Any]]
    course: str
    course_key: bytes
    released: tuple[Claim, ...]
    certificate: Certificate | None
    place: int | None
    warnings: tuple[Check, ...]

    @property
    def record(self) -> VaccinationRecord | None:
        """The person's record, where there is one."""
        return self.person.record

    @property
    def indexes(self) -> tuple[tuple[str, str, UUID], ...]:
        """How the booking is found: by its booker, and whom it is for keeps one handle."""
        booker = (BOOKER, self.booker_number, self.booker.handle)
        if self.person.handle == self.booker.handle:
            return (booker,)
        return (booker, (BOOKED_FOR, self.person_number, self.person.handle))


@dataclass(frozen=True, slots=True)
class Judged:
    """A booking that the rules still allow.

    Attributes:
        record: Of the person, by which they do.
        warnings: What the citizen is told beside it.
        certificate: Whose holder or grantee books, where that entitles them.
    """

    record: VaccinationRecord | None
    warnings: tuple[Check, ...]
    certificate: Certificate | None = None


def wish_of(reading: Reading, asked: Asked, stated: Stated, supply: SlotSupply) -> Wish:
    """Read and judge a wish; only whether a seat is free is not asked yet.

    Raises:
        BookingRefused: with every reason.
        DomainError: values that are malformed.
        Restricted, Erased: the record may not be processed.
    """
    number, own_number = stated.number, stated.own_number
    person = find_person(reading, number, (BOOKED_FOR, BOOKER))
    booker, certificate = person, None
    sealed = {person.handle: stated.values}
    if number != own_number:
        certificate = entrusted_with(
            reading, asked.caller, own_number, stated.typed["id_number"], person.record
        )
        booker = find_person(reading, own_number, (BOOKER, BOOKED_FOR))
        sealed[booker.handle] = stated.own
    course = reading.services.rules.booking.course_of(supply.product)
    key = course_key(reading, course, number)
    earlier, released = _earlier(reading, key)
    judged = _judge(
        reading,
        Wanted(stated.channel, stated.typed, person.record, supply, asked.request["dose_number"]),
        earlier,
    )
    return Wish(
        channel=stated.channel,
        person=person,
        person_number=number,
        booker=booker,
        booker_number=own_number,
        values=sealed,
        course=course,
        course_key=key,
        released=released,
        certificate=certificate,
        place=None if number == own_number else _free_place(reading, own_number),
        warnings=judged.warnings,
    )


def rejudged(
    reading: Reading,
    caller: Principal,
    appointment: Appointment,
    supply: SlotSupply | None = None,
) -> Judged:
    """Judge a booking again on the record as it stands now.

    Args:
        reading: The log.
        caller: Who booked.
        appointment: The booking.
        supply: Where it is to be moved; its own when absent.

    Raises:
        BookingRefused: with every reason.
        Restricted, Erased: the record may not be processed, or the person's key is gone.
    """
    rules = reading.services.rules.booking
    values = booked_for(reading, appointment)
    typed = check_private(Appointment.Held.TOPIC, BOOKED_FOR, values)
    number, own_number = id_number(typed) or "", citizen_number(rules, caller)
    person = find_person(reading, number, (BOOKED_FOR, BOOKER))
    certificate = None
    if number != own_number:
        certificate = entrusted_with(reading, caller, own_number, typed["id_number"], person.record)
    wanted = Wanted(
        appointment.channel,
        typed,
        person.record,
        supply or reading.load(SlotSupply, appointment.seat.supply),
        appointment.dose_number,
    )
    return replace(_judge(reading, wanted, ()), certificate=certificate)


def guards_of(reading: Reading, allowed: Wish | Judged) -> tuple[Guard, ...]:
    """What was decided by: the person's record, those merged into it, and whose grant it is."""
    known = () if allowed.record is None else reading.with_merged(allowed.record)
    granted = () if allowed.certificate is None else (allowed.certificate,)
    return tuple(Guard(one.id, one.version) for one in (*known, *granted))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is judged: who, of which record, wants which dose from which supply."""

    channel: Channel
    values: Mapping[str, Any]
    record: VaccinationRecord | None
    supply: SlotSupply
    dose_number: int


def _judge(reading: Reading, wanted: Wanted, earlier: tuple[OpenBooking, ...]) -> Judged:
    rules, record, supply = reading.services.rules.booking, wanted.record, wanted.supply
    applicant = applicant_of(reading, wanted.values, record, supply.product)
    decision = decide(
        rules,
        Request(
            today=reading.today,
            applicant=applicant,
            product=supply.product,
            dose_number=wanted.dose_number,
            on=supply.on,
            site_county=supply.division[:COUNTY_DIGITS],
            channel=wanted.channel,
            given=given_doses(reading, record),
            seats_free=1,
            bookings=earlier,
            detail_address=wanted.values["detail_address"],
            forecast=forecast_of(reading, applicant, record, supply.product),
        ),
    )
    if decision.outcome is Outcome.REJECT:
        raise BookingRefused.told(rules, decision.findings, decision.possible_from)
    return Judged(record, tuple(_told(finding) for finding in decision.findings))


def _told(finding: Finding) -> Check:
    return Check(finding.code.replace("_", "-"), Severity.WARN, finding.sentence)


def _earlier(reading: Reading, key: bytes) -> tuple[tuple[OpenBooking, ...], tuple[Claim, ...]]:
    """The open booking of the course; or the claim that one which is over has left behind."""
    stream = reading.owner(OPEN_BOOKING, key)
    if stream is None:
        return (), ()
    found = reading.stored(Appointment, stream)
    if found.state in OPEN:
        return (OpenBooking(found.product, found.dose_number, found.on, found.state),), ()
    return (), (Claim(OPEN_BOOKING, key, stream, release=True),)


def _free_place(reading: Reading, number: str) -> int:
    """A place for a booking for somebody else: no account can hold what many people want."""
    rules = reading.services.rules.booking
    keys = place_keys(reading, number)
    owners = reading.owners(PLACE, keys)
    free = [place for place, owner in enumerate(owners, 1) if owner is None]
    if not free:
        facts: dict[str, Fact] = {"most": rules.proxy_bookings_open}
        raise BookingRefused.by(rules, Objection("too_many_bookings", facts))
    return free[int.from_bytes(reading.services.random(4)) % len(free)]
