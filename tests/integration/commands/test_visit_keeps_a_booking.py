"""A visit keeps a booking: verified on arrival, named at registration, redeemed with the dose."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from bootstrap.wiring import Parts
from client.signing import Draft
from commands.answering import Written
from commands.principal import Principal, Role
from domain.booking.lifecycle import State
from domain.booking.refusal import BookingRefused
from domain.visit import Step, Visit
from tests.integration.commands.booking_city import HOME, City, citizen, city_of


@pytest.fixture(scope="module")
def city(parts: Parts) -> Iterator[City]:
    with city_of(parts) as city:
        yield city


@dataclass
class Family:
    """A mother with a child that lacks its first dose."""

    city: City
    mother: Principal
    record: UUID
    handle: UUID
    number: str
    certificate: UUID

    @property
    def wish(self) -> dict[str, object]:
        person = {"name": "周小", "id_number": self.number, "phone": "13900000000"}
        return {"channel": "proxy", "person": HOME | person}

    def visit(self) -> UUID:
        """Show a code, which the site scans."""
        visits = self.city.parts.desk.visits
        code = visits.text(visits.show(self.mother, self.certificate))
        return visits.open(self.city.site.principal, uuid4(), code).stream

    def verify(self, booking: UUID) -> Written:
        private = {"id_number": self.number}
        return self.city.verify(booking, self.mother, private=private, admits_outside_slot=True)

    def give(self, version: int, vaccine: str = "HepB") -> UUID:
        return self.city.records.give(self.record, self.handle, version, vaccine=vaccine)

    def step(self, visit: UUID, topic: str, **data: object) -> Written:
        version = self.read(visit).version
        return self.city.site.submit(Draft(f"visit.{topic}.v1", visit, version, data))

    def read(self, visit: UUID) -> Visit:
        return self.city.reading.stored(Visit, visit)

    def awaited(self, visit: UUID) -> list[UUID]:
        found = self.city.parts.desk.visits.awaited(self.read(visit))
        return [one.id for one in found]


def family_in(city: City) -> Family:
    mother = citizen(role=Role.GUARDIAN)
    born = f"{city.clock.today - timedelta(days=40):%Y%m%d}"
    record, handle, number = city.records.register_child(mother, born)
    request = {"record": str(record), "has_consented": True}
    claimed = city.parts.desk.certificates.claim(mother, uuid4(), request)
    return Family(city, mother, record, handle, number, claimed.stream)


@pytest.fixture
def family(city: City) -> Family:
    return family_in(city)


@pytest.fixture
def supply(city: City) -> Iterator[UUID]:
    """Seats of this day, which then goes by, as does the next."""
    yield city.open(5, on=city.clock.today, product="HepB", first=9)
    city.clock.turn(days=2)


def test_one_id_goes_from_the_booking_to_the_dose(city: City, family: Family, supply: UUID):
    booked = city.book(family.mother, supply, **family.wish)
    visit = family.visit()
    assert family.awaited(visit) == [booked]
    with pytest.raises(BookingRefused) as early:
        family.step(visit, "registered", appointment=str(booked))
    assert early.value.facts["reason"] == "not_verified"
    family.verify(booked)
    family.step(visit, "registered", appointment=str(booked))
    dose = family.give(1)
    family.step(visit, "vaccinated", doses=[str(dose)])
    appointment, read = city.appointment(booked), family.read(visit)
    assert (appointment.state, appointment.dose) == (State.REDEEMED, dose)
    assert (read.step, read.appointment, read.doses) == (Step.VACCINATED, booked, (dose,))
    assert family.awaited(visit) == []


def test_a_visit_keeps_only_the_visitors_own_booking_of_this_day(
    city: City, family: Family, supply: UUID
):
    visit, other = family.visit(), family_in(city)
    strangers = city.book(other.mother, supply, **other.wish)
    other.verify(strangers)
    with pytest.raises(BookingRefused) as refused:
        family.step(visit, "registered", appointment=str(strangers))
    assert refused.value.facts["reason"] == "other_person"
    later = city.open(5, on=city.clock.today + timedelta(days=1), product="HepB", first=9)
    booked = city.book(family.mother, later, **family.wish)
    with pytest.raises(BookingRefused) as early:
        family.step(visit, "registered", appointment=str(booked))
    assert early.value.facts["reason"] == "not_verified"
    assert family.awaited(visit) == []
    family.step(visit, "registered")
    assert family.read(visit).appointment is None


def test_another_vaccine_leaves_the_booking_as_it_is_and_does_not_hold_the_visit_up(
    city: City, family: Family, supply: UUID
):
    booked = city.book(family.mother, supply, **family.wish)
    family.verify(booked)
    visit = family.visit()
    family.step(visit, "registered", appointment=str(booked))
    family.step(visit, "vaccinated", doses=[str(family.give(1, "IPV"))])
    assert city.appointment(booked).state is State.ARRIVED_SCANNED


def test_a_booking_redeemed_by_itself_does_not_hold_the_visit_up(
    city: City, family: Family, supply: UUID
):
    booked = city.book(family.mother, supply, **family.wish)
    family.verify(booked)
    visit = family.visit()
    family.step(visit, "registered", appointment=str(booked))
    dose = family.give(1)
    city.at_site(booked, "redeemed", record=str(family.record), dose=str(dose))
    family.step(visit, "vaccinated", doses=[str(dose)])
    assert family.read(visit).step is Step.VACCINATED
