"""Somebody comes without a booking: the site gives them a seat of today (A-2)."""

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from bootstrap.wiring import Parts
from commands.errors import Forbidden
from commands.notices import Notices
from commands.principal import Principal
from commands.reading import Change
from commands.walk_ins import NotOfToday
from domain.appointment_values import Channel
from domain.booking.lifecycle import State
from domain.booking.notice import NoticeRules
from domain.booking.refusal import BookingRefused
from tests.integration.commands.booking_city import HOME, City, citizen, city_of

HOUR = 9
"""The first that is not over when the tests begin."""


@pytest.fixture(scope="module")
def town(parts: Parts) -> Iterator[City]:
    with city_of(parts) as city:
        yield city


@pytest.fixture
def city(town: City) -> City:
    town.clock.turn(days=1)
    return town


def wish(supply: UUID, who: Principal, **changes):
    assert who.identity is not None
    card = {"name": who.identity.name, "id_number": who.identity.id_number}
    return {"supply": str(supply), "slot": 1, "dose_number": 1, "person": card | HOME, **changes}


def take(city: City, supply: UUID, who: Principal, key: UUID | None = None, **changes) -> UUID:
    walk_ins = city.parts.desk.walk_ins
    return walk_ins.take(city.site.principal, key or uuid4(), wish(supply, who, **changes)).stream


def today(city: City, *capacities: int) -> UUID:
    on: date = city.clock.today
    return city.open(*capacities, on=on, first=HOUR)


def test_a_walk_in_has_a_seat_that_counts_and_a_booking_like_any_other(city):
    supply, who = today(city, 2), citizen()
    stream = take(city, supply, who)
    found = city.appointment(stream)
    assert (found.channel, found.state) == (Channel.WALK_IN, State.BOOKED)
    assert city.seats(supply) == (2, 1, 1)
    assert [one.appointment.id for one in city.parts.desk.bookings.mine(who)] == [stream]
    city.verify(stream, who)
    record, handle = city.records.register(who)
    dose = city.records.give(record, handle, 1)
    city.at_site(stream, "redeemed", record=str(record), dose=str(dose))
    assert city.appointment(stream).state is State.REDEEMED


def test_the_account_of_who_took_the_walk_in_is_sealed_with_it(city):
    stream = take(city, today(city, 1), citizen())
    values = city.reading.opened(stream, 1, city.appointment(stream).person)
    assert values["entered_by"] == city.site.principal.subject


def test_a_full_slot_is_full_for_walk_ins_too(city):
    supply = today(city, 1)
    city.book(citizen(), supply)
    with pytest.raises(BookingRefused) as refused:
        take(city, supply, citizen())
    assert refused.value.facts["reason"] == "no_slot"


def test_the_same_request_twice_is_one_walk_in(city):
    supply, who, key = today(city, 3), citizen(), uuid4()
    assert take(city, supply, who, key) == take(city, supply, who, key)
    assert city.seats(supply) == (3, 1, 2)


def test_the_rules_are_asked_as_of_everybody(city):
    supply = today(city, 3)
    who = citizen()
    take(city, supply, who)
    far = {"person": wish(supply, citizen())["person"] | {"residence_division": "110101"}}
    far["person"]["household_division"] = "110101"
    for person, changes, reason in (
        (who, {}, "duplicate_booking"),
        (citizen(born="20200601"), {}, "under_18"),
        (citizen(), far, "not_yongzhou"),
        (citizen(), {"dose_number": 2}, "previous_dose_not_given"),
    ):
        with pytest.raises(BookingRefused) as refused:
            take(city, supply, person, **changes)
        assert refused.value.facts["reason"] == reason


def test_seats_of_another_day_are_booked_and_not_walked_into(city):
    supply = city.open(1, on=city.clock.today + timedelta(days=200))
    with pytest.raises(NotOfToday):
        take(city, supply, citizen())


def test_nobody_else_writes_walk_ins(city):
    supply = today(city, 3)
    walk_ins = city.parts.desk.walk_ins
    for author in (city.other_site, city.cdc):
        with pytest.raises(Forbidden):
            walk_ins.take(author.principal, uuid4(), wish(supply, citizen()))
    with pytest.raises(Forbidden):
        walk_ins.take(citizen(), uuid4(), wish(supply, citizen()))


def test_a_citizen_does_not_book_as_a_walk_in_nor_as_a_group(city):
    supply = today(city, 3)
    for channel in ("walk_in", "group"):
        with pytest.raises(BookingRefused) as refused:
            city.hold(citizen(), supply, channel=channel)
        assert refused.value.facts["reason"] == "group_books_with_office_or_site"


def test_whoever_stands_at_the_counter_is_sent_no_confirmation(city):
    stream = take(city, today(city, 1), citizen())
    change = Change(1, city.reading.history(stream)[1].entry)
    notices = Notices(city.parts.services, NoticeRules.load(), lambda *_: [])
    assert notices.told_by(change) == []
