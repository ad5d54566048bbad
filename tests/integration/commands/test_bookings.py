"""Booking on a real database: the rules, the seats, the two scans (A-1 to A-23; X-6 to X-10)."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from bootstrap.wiring import Parts
from commands.bookings import Bookings
from commands.calendar import end_appointments
from commands.counter import Form
from commands.erasure import plan
from commands.errors import Forbidden, NotFound
from commands.principal import Principal, Role
from commands.reclaiming import Reclaiming
from domain.appointment import DoseOfOtherProduct
from domain.appointment_values import Punctuality
from domain.booking.lifecycle import State
from domain.booking.refusal import BookingRefused
from domain.slot_supply import CapacityBelowBooked, SlotsOverlap, SupplyInPast, UnknownSlot
from ledger.entry import Entry
from ledger.store.errors import ClaimTaken, KeyReused
from ledger.store.refilling import put_claims_back
from ledger.store.transaction import open_connection
from tests import drafts
from tests.integration.commands.booking_city import (
    HOME,
    OTHER_COUNTY,
    VERO,
    City,
    citizen,
    city_of,
)


@pytest.fixture(scope="module")
def city(parts: Parts) -> Iterator[City]:
    with city_of(parts) as city:
        yield city


def reason_of(refused) -> str:
    return refused.value.facts["reason"]


class TestSupply:
    def test_a_site_day_and_product_has_one_supply(self, city):
        on = city.clock.today + timedelta(days=20)
        city.open(2, on=on)
        with pytest.raises(ClaimTaken):
            city.open(3, on=on)
        city.open(3, on=on, product="ad5_vector")

    def test_no_supply_for_yesterday(self, city):
        with pytest.raises(SupplyInPast):
            city.open(2, on=city.clock.today - timedelta(days=1))

    def test_another_site_opens_nothing_here(self, city):
        supply = city.open(1, on=city.clock.today + timedelta(days=21))
        with pytest.raises(Forbidden):
            city.change(supply, "raised", by=city.other_site, slot=1, capacity=5)
        city.change(supply, "raised", by=city.cdc, slot=1, capacity=5)

    def test_capacity_follows_up_and_down_but_never_below_what_is_booked(self, city):
        supply = city.open(3, on=city.clock.today + timedelta(days=22))
        first, second = citizen(), citizen()
        city.hold(first, supply)
        city.book(second, supply)
        assert city.seats(supply) == (3, 2, 1)
        with pytest.raises(CapacityBelowBooked) as refused:
            city.change(supply, "lowered", slot=1, capacity=1)
        assert refused.value.facts == {"booked": 2}
        city.change(supply, "lowered", slot=1, capacity=2)
        assert city.seats(supply) == (2, 2, 0)
        with pytest.raises(BookingRefused) as full:
            city.hold(citizen(), supply)
        assert reason_of(full) == "no_slot"
        city.change(supply, "raised", slot=1, capacity=4)
        assert city.seats(supply) == (4, 2, 2)
        city.hold(citizen(), supply)
        city.hold(citizen(), supply)
        assert city.seats(supply) == (4, 4, 0)

    def test_a_closed_slot_takes_nobody_and_keeps_whom_it_has(self, city):
        supply = city.open(5, on=city.clock.today + timedelta(days=23))
        kept = city.book(citizen(), supply)
        city.change(supply, "closed", slot=1, reason="vaccine-not-delivered")
        with pytest.raises(BookingRefused) as refused:
            city.hold(citizen(), supply)
        assert reason_of(refused) == "no_slot"
        assert city.appointment(kept).state is State.BOOKED

    def test_slots_do_not_move_onto_one_another(self, city):
        supply = city.open(1, 1, on=city.clock.today + timedelta(days=24))
        with pytest.raises(SlotsOverlap):
            city.change(supply, "slot-moved", slot=2, starts="08:30", ends="09:30")
        city.change(supply, "slot-moved", slot=1, starts="14:00", ends="15:00")
        assert city.supply(supply).slot(1).starts == "14:00"


class TestRules:
    def refused(self, city, who=None, **changes):
        supply = changes.pop("supply", None) or city.open(
            9, on=city.clock.today + timedelta(days=changes.pop("days", 30)), product=self.product()
        )
        with pytest.raises(BookingRefused) as refused:
            city.hold(who or citizen(), supply, **changes)
        assert city.seats(supply) == (9, 0, 9), "a refusal leaves no seat behind"
        return refused.value.facts

    def product(self):
        return VERO

    @pytest.mark.parametrize(
        ("days", "reason", "change"),
        [
            (31, "address_invalid", {"detail_address": "Room 5"}),
            (32, "address_invalid", {"detail_address": ""}),
            (33, "not_yongzhou", {"household_division": "430102", "residence_division": "430102"}),
            (
                34,
                "site_outside_own_counties",
                {"household_division": OTHER_COUNTY, "residence_division": OTHER_COUNTY},
            ),
            (35, "contraindicated", {"contraindications": ["component_allergy"]}),
            (36, "contraindicated", {"contraindications": ["pregnancy"]}),
        ],
    )
    def test_each_rule_refuses_with_its_reason_in_both_languages(self, city, days, reason, change):
        facts = self.refused(city, days=days, person=HOME | change)
        assert facts["reason"] == reason
        assert all(told["zh"] and told["en"] and told["rule"] for told in facts["reasons"])
        assert facts["rules"] == {"id": "yongzhou-2021-booking", "version": 1}

    def test_a_minor_is_told_from_when_it_is_possible(self, city):
        facts = self.refused(city, citizen(born="20140615"), days=37)
        assert (facts["reason"], facts["possible_from"]) == ("under_18", "2032-06-15")

    def test_whom_nobody_vouches_for_registers_first(self, city):
        facts = self.refused(city, Principal("nobody", Role.ADULT, None, ""), days=38)
        assert facts["reason"] == "not_real_name"

    def test_staff_book_nothing_for_citizens_here(self, city):
        supply = city.open(1, on=city.clock.today + timedelta(days=39))
        with pytest.raises(Forbidden):
            city.hold(city.site.principal, supply)

    def test_groups_are_sent_to_the_office_or_the_site(self, city):
        facts = self.refused(city, days=40, channel="group")
        assert facts["reason"] == "group_books_with_office_or_site"

    def test_a_proxy_gives_every_field_of_the_other_person(self, city):
        facts = self.refused(city, days=41, channel="proxy", person=HOME | {"name": "张三"})
        assert facts["reason"] == "proxy_incomplete"

    def test_the_second_dose_is_refused_early_and_warned_of_late(self, city):
        who = citizen()
        record, handle = city.records.register(who)
        city.records.give(record, handle, 1)
        early = city.open(9, on=city.clock.today + timedelta(days=20), at=city.other_site)
        with pytest.raises(BookingRefused) as refused:
            city.hold(who, early, dose_number=2)
        facts = refused.value.facts
        assert facts["reason"] == "interval_too_short"
        assert facts["possible_from"] == str(city.clock.today + timedelta(days=21))
        late = city.open(9, on=city.clock.today + timedelta(days=57), at=city.other_site)
        held = city.hold(who, late, dose_number=2)
        assert [remark.id for remark in held.remarks] == ["later-than-recommended"]

    def test_products_are_not_mixed_and_a_course_never_starts_again(self, city):
        who = citizen()
        record, handle = city.records.register(who)
        city.records.give(record, handle, 1)
        on = city.clock.today + timedelta(days=400)
        other = city.open(9, on=on, product="recombinant_cho")
        same = city.open(9, on=on)
        with pytest.raises(BookingRefused) as mixed:
            city.hold(who, other)
        assert reason_of(mixed) == "product_mismatch"
        with pytest.raises(BookingRefused) as again:
            city.hold(who, same, dose_number=1)
        assert reason_of(again) == "wrong_dose_number"

    def test_one_booking_of_a_course_is_open_whoever_made_it(self, city):
        who, friend = citizen(), citizen()
        on = city.clock.today + timedelta(days=42)
        vero, ad5 = city.open(9, on=on), city.open(9, on=on, product="ad5_vector")
        city.hold(who, vero)
        identity = who.identity
        by_proxy = {
            "channel": "proxy",
            "person": HOME
            | {"name": identity.name, "id_number": identity.id_number, "phone": identity.phone},
        }
        for attempt in ({}, by_proxy):
            with pytest.raises(BookingRefused) as refused:
                city.hold(friend if attempt else who, ad5, **attempt)
            assert reason_of(refused) == "duplicate_booking"
        assert city.seats(ad5) == (9, 0, 9)

    def test_childhood_vaccines_are_due_by_the_forecast(self, city):
        born = city.clock.today - timedelta(days=40)
        mother = citizen()
        _, _, child = city.records.register_child(mother, f"{born:%Y%m%d}")
        person = HOME | {"name": "周小", "id_number": child, "phone": "13900000000"}
        on = city.clock.today + timedelta(days=2)
        hepb = city.open(9, on=on, product="HepB")
        proxy = {"channel": "proxy", "person": person}
        with pytest.raises(BookingRefused) as refused:
            city.hold(mother, hepb, dose_number=2, **proxy)
        assert reason_of(refused) == "previous_dose_not_given"
        assert city.book(mother, hepb, dose_number=1, **proxy)

    def test_a_child_is_booked_for_by_its_guardians_and_nobody_learns_more(self, city):
        born = f"{city.clock.today - timedelta(days=40):%Y%m%d}"
        _, _, registered = city.records.register_child(citizen(), born)
        hepb = city.open(9, on=city.clock.today + timedelta(days=3), product="HepB")
        told = []
        for child in (registered, drafts.id_number(born)):
            person = HOME | {"name": "周小", "id_number": child, "phone": "13900000000"}
            with pytest.raises(BookingRefused) as refused:
                city.hold(citizen(), hepb, channel="proxy", person=person)
            told.append(refused.value.facts)
        assert told[0] == told[1], "whether the child has a record"
        assert told[0]["reason"] == "not_entrusted"
        assert city.seats(hepb) == (9, 0, 9)


class TestTheWayOfABooking:
    def test_hold_confirm_verify_vaccinate_redeem(self, city):
        who = citizen()
        supply = city.open(2, on=city.clock.today + timedelta(days=1))
        booked = city.book(who, supply)
        number = city.appointment(booked).booking_number
        assert len(number) == 12
        city.clock.turn_to_morning(days=1)
        city.verify(booked, who)
        record, handle = city.records.register(who)
        with pytest.raises(BookingRefused) as early:
            city.at_site(booked, "redeemed", record=str(record), dose=str(uuid4()))
        assert reason_of(early) == "redeem_before_vaccination"
        dose = city.records.give(record, handle, 1)
        city.at_site(booked, "redeemed", record=str(record), dose=str(dose))
        assert city.appointment(booked).state is State.REDEEMED
        with pytest.raises(BookingRefused) as again:
            city.at_site(booked, "redeemed", record=str(record), dose=str(dose))
        assert reason_of(again) == "already_redeemed"
        later = city.open(2, on=city.clock.today + timedelta(days=25))
        assert city.book(who, later, dose_number=2), "the course is open again"

    def test_each_wrong_scan_has_its_own_answer(self, city):
        who = citizen()
        supply = city.open(3, on=city.clock.today + timedelta(days=2))
        booked = city.book(who, supply)
        city.clock.turn_to_morning(days=2)

        def answer(**changes):
            with pytest.raises(BookingRefused) as refused:
                city.verify(booked, who, **changes)
            return reason_of(refused)

        assert answer(site=city.other_site) == "wrong_site"
        assert answer(private={"id_number": drafts.id_number("19900101")}) == "other_person"
        assert answer(has_id_card=False, private=None) == "id_card_missing"
        assert answer(has_signed_consent=False) == "consent_missing"
        city.clock.turn(hours=3)
        assert answer() == "outside_slot"
        city.verify(booked, who, admits_outside_slot=True)
        entry = city.reading.history(booked)[-1].entry
        assert entry.data["derived"] == {"punctuality": str(Punctuality.LATE)}

    def test_what_was_not_verified_or_is_another_product_is_not_redeemed(self, city):
        who = citizen()
        supply = city.open(3, on=city.clock.today, product="ad5_vector", first=22)
        booked = city.book(who, supply)
        record, handle = city.records.register(who)
        dose = city.records.give(record, handle, 1)
        with pytest.raises(BookingRefused) as refused:
            city.at_site(booked, "redeemed", record=str(record), dose=str(dose))
        assert reason_of(refused) == "not_verified"
        city.verify(booked, who, admits_outside_slot=True)
        with pytest.raises(DoseOfOtherProduct):
            city.at_site(booked, "redeemed", record=str(record), dose=str(dose))

    def test_a_dose_of_somebody_else_redeems_nothing(self, city):
        who, other = citizen(), citizen()
        supply = city.open(3, on=city.clock.today + timedelta(days=3))
        booked = city.book(who, supply)
        city.clock.turn(days=3)
        city.verify(booked, who, admits_outside_slot=True)
        record, handle = city.records.register(other)
        dose = city.records.give(record, handle, 1)
        with pytest.raises(BookingRefused) as refused:
            city.at_site(booked, "redeemed", record=str(record), dose=str(dose))
        assert reason_of(refused) == "other_person"

    def test_moving_takes_the_new_seat_and_gives_back_the_old(self, city):
        who = citizen()
        on = city.clock.today
        old, new = (
            city.open(1, on=on + timedelta(days=50)),
            city.open(1, on=on + timedelta(days=51)),
        )
        booked = city.book(who, old)
        city.parts.desk.bookings.move(who, uuid4(), booked, {"supply": str(new), "slot": 1})
        assert city.seats(old) == (1, 0, 1)
        assert city.seats(new) == (1, 1, 0)
        with pytest.raises(UnknownSlot):
            city.parts.desk.bookings.move(who, uuid4(), booked, {"supply": str(old), "slot": 2})

    def test_cancelling_gives_seat_and_course_back_once(self, city):
        who = citizen()
        supply = city.open(1, on=city.clock.today + timedelta(days=52))
        key = uuid4()
        booked = city.book(who, supply)
        cancel = city.parts.desk.bookings.cancel
        first = cancel(who, key, booked, {"reason": "cannot-come"})
        again = cancel(who, key, booked, {"reason": "cannot-come"})
        assert (again.position, again.replayed) == (first.position, True)
        assert city.seats(supply) == (1, 0, 1)
        city.book(who, supply)

    def test_a_hold_that_ran_out_is_not_confirmed(self, city):
        who = citizen()
        held = city.hold(who, city.open(1, on=city.clock.today + timedelta(days=53)))
        city.clock.turn(minutes=10)
        with pytest.raises(BookingRefused) as refused:
            city.parts.desk.bookings.confirm(who, uuid4(), held.stream)
        assert reason_of(refused) == "hold_expired"

    def test_the_site_calls_off_and_the_seat_is_free(self, city):
        supply = city.open(1, on=city.clock.today + timedelta(days=54))
        booked = city.book(citizen(), supply)
        city.at_site(booked, "called-off", reason="vaccine-not-delivered")
        assert city.seats(supply) == (1, 0, 1)

    def test_the_same_key_holds_one_seat_and_stands_for_one_wish(self, city):
        who, key = citizen(), uuid4()
        supply = city.open(5, on=city.clock.today + timedelta(days=55))
        first = city.hold(who, supply, key=key)
        again = city.hold(who, supply, key=key)
        assert (again.stream, again.replayed) == (first.stream, True)
        with pytest.raises(KeyReused):
            city.hold(who, supply, key=key, dose_number=2)
        assert city.seats(supply) == (5, 1, 4)


class TestWhoSeesIt:
    def test_own_and_proxy_bookings_are_listed_to_the_booker_alone(self, city):
        who, other = citizen(), citizen()
        on = city.clock.today + timedelta(days=60)
        supply = city.open(9, on=on)
        mine = {city.book(who, supply)}
        friend = {"name": "王五", "id_number": drafts.id_number("19700101"), "phone": "13900000001"}
        mine.add(city.book(who, supply, channel="proxy", person=HOME | friend))
        listed = city.parts.desk.bookings.mine(who)
        assert {one.appointment.id for one in listed} == mine
        assert {one.name for one in listed} == {"周正", "王五"}
        assert city.parts.desk.bookings.mine(other) == []
        with pytest.raises(NotFound):
            city.parts.desk.bookings.own(other, mine.pop())


class TestShredding:
    def test_a_shred_covers_bookings_from_before_the_record(self, city):
        who, friend = citizen(), citizen()
        on = city.clock.today + timedelta(days=95)
        booked = city.appointment(city.book(who, city.open(2, on=on)))
        record, handle = city.records.register(who)
        planned = plan(city.parts.services, record, 1, [])
        assert {booked.person, handle} <= set(planned.persons)
        other, _ = city.records.register(friend)
        assert booked.person not in plan(city.parts.services, other, 1, []).persons


class TestFairness:
    def friend(self):
        number = drafts.id_number("19700101")
        values = {"name": "王五", "id_number": number, "phone": "13900000001"}
        return {"channel": "proxy", "person": HOME | values}

    def test_one_account_cannot_hold_what_many_people_want(self, city):
        who = citizen()
        supply = city.open(40, on=city.clock.today + timedelta(days=90))
        booked = [city.book(who, supply, **self.friend()) for _ in range(10)]
        with pytest.raises(BookingRefused) as refused:
            city.hold(who, supply, **self.friend())
        assert reason_of(refused) == "too_many_bookings"
        city.book(who, supply)
        city.book(citizen(), supply, **self.friend())
        reason = {"reason": "cannot-come"}
        city.parts.desk.bookings.cancel(who, uuid4(), booked[3], reason)
        city.book(who, supply, **self.friend())
        assert city.seats(supply) == (40, 12, 28)

    def test_hammering_at_once_gains_no_more_than_asking_once(self, city):
        who = citizen()
        supply = city.open(40, on=city.clock.today + timedelta(days=91))

        def hammer(friend):
            try:
                return city.hold(who, supply, **friend)
            except BookingRefused:
                return None

        with ThreadPoolExecutor(16) as pool:
            held = list(pool.map(hammer, [self.friend() for _ in range(24)]))
            own = list(pool.map(hammer, [{} for _ in range(8)]))
        assert sum(one is not None for one in held) == 10
        assert sum(one is not None for one in own) == 1
        assert city.seats(supply) == (40, 11, 29)

    def test_a_slot_whose_hours_are_over_takes_nobody(self, city):
        today = city.clock.today
        supply = city.open(5, on=today, product="ad5_vector", at=city.other_site, first=0)
        with pytest.raises(BookingRefused) as refused:
            city.hold(citizen(), supply)
        assert reason_of(refused) == "slot_over"


class TestTheCalendar:
    def test_a_hold_that_ran_out_frees_seat_and_course_once(self, city):
        who = citizen()
        supply = city.open(1, on=city.clock.today + timedelta(days=80))
        held = city.hold(who, supply).stream
        end = partial(end_appointments, city.parts.services, [held])
        assert end() == 0, "it still runs"
        city.clock.turn(minutes=10)
        assert (end(), end()) == (1, 0)
        assert city.appointment(held).state is State.EXPIRED
        assert city.seats(supply) == (1, 0, 1)
        assert city.book(who, supply)

    def test_who_did_not_come_by_the_end_of_the_day_may_book_again(self, city):
        who = citizen()
        supply = city.open(1, on=city.clock.today, product="recombinant_cho", first=22)
        booked = city.book(who, supply)
        end = partial(end_appointments, city.parts.services, [booked])
        assert end() == 0, "the day is not over"
        city.clock.turn(days=1)
        assert (end(), end()) == (1, 0)
        assert city.appointment(booked).state is State.NO_SHOW
        assert city.book(who, city.open(1, on=city.clock.today + timedelta(days=81)))

    def test_two_calendars_at_once_end_each_appointment_once(self, city):
        supply = city.open(20, on=city.clock.today + timedelta(days=82))
        held = [city.hold(citizen(), supply).stream for _ in range(20)]
        city.clock.turn(minutes=10)
        with ThreadPoolExecutor(2) as pool:
            turns = [pool.submit(end_appointments, city.parts.services, held) for _ in range(2)]
            for turn in turns:
                turn.result(60)
        assert {len(city.reading.history(stream)) for stream in held} == {2}
        assert city.seats(supply) == (20, 0, 20)


def test_a_dose_that_arrives_while_a_hold_is_decided_lets_it_be_decided_anew(city):
    who = citizen()
    record, handle = city.records.register(who)
    supply = city.open(3, on=city.clock.today + timedelta(days=71))
    given = []

    def new_id():  # drawn for the booking: the record was judged, nothing is stored
        if not given:
            given.append(city.records.give(record, handle, 1))
        return city.parts.services.new_id()

    bookings = Bookings(replace(city.parts.services, new_id=new_id))
    wish = {"supply": str(supply), "slot": 1, "dose_number": 1, "channel": "individual"}
    with pytest.raises(BookingRefused) as refused:
        bookings.hold(who, uuid4(), {**wish, "person": HOME})
    assert given
    assert reason_of(refused) == "wrong_dose_number"
    assert city.seats(supply) == (3, 0, 3)
    assert bookings.hold(who, uuid4(), {**wish, "person": HOME, "dose_number": 2})


def test_200_submitters_race_for_50_seats_and_exactly_50_win(city):
    supply = city.open(50, on=city.clock.today + timedelta(days=70))
    crowd = [citizen() for _ in range(200)]
    start = threading.Barrier(32)

    def submit(numbered):
        order, who = numbered
        if order < start.parties:
            start.wait(60)
        try:
            return city.hold(who, supply).stream
        except BookingRefused as refused:
            return refused.facts["reason"]

    with ThreadPoolExecutor(start.parties) as pool:
        answers = list(pool.map(submit, enumerate(crowd)))
    won = [answer for answer in answers if answer != "no_slot"]
    assert len(won) == len(set(won)) == 50
    assert len(answers) == 200
    assert {city.appointment(stream).seat.number for stream in won} == set(range(1, 51))
    assert city.seats(supply) == (50, 50, 0)


def test_every_claim_of_a_booking_is_told_again_by_the_log(city):
    parts = city.parts
    ask = "SELECT kind, key, stream FROM ledger.claims ORDER BY 1, 2"
    with psycopg.connect(parts.settings.database_url, autocommit=True) as owner:
        taken = owner.execute(ask).fetchall()
        kinds = {"slot-supply", "seat", "open-booking"}
        assert {kind for kind, _, _ in taken} >= kinds
        owner.execute("TRUNCATE ledger.claims")
        with open_connection(parts.settings.database_url) as connection:
            newest = parts.journal.recorder.max_notification_id()
            claims_of = Reclaiming(parts.vault, parts.reader).claims_of
            assert put_claims_back(connection, 0, newest, claims_of, lambda _: None) == []
        assert owner.execute(ask).fetchall() == taken


def test_staff_without_a_key_scan_twice_at_a_page_and_the_platform_signs(city):
    booker = citizen()
    record, handle = city.records.register(booker)
    supply = city.open(1, on=city.clock.today, first=city.clock.now.hour, at=city.site)
    appointment = city.book(booker, supply)
    clinic = str(city.site.organisation)

    def enter(step, version, data, private):
        form = Form(
            city.site.principal,
            uuid4(),
            f"appointment.{step}.v1",
            appointment,
            version,
            {"clinic": clinic, **data},
            {city.appointment(appointment).person: private} if private else {},
        )
        return city.parts.desk.counter.enter(form)

    shown = {"has_id_card": True, "has_signed_consent": True, "admits_outside_slot": True}
    written = enter("verified", 2, shown, {"id_number": booker.identity.id_number})
    assert city.reading.opened(appointment, 3, handle)["entered_by"] == (
        city.site.principal.subject
    )
    assert Entry.decode(written.entry).author.org == str(city.parts.services.platform.organisation)
    dose = city.records.give(record, handle, 1)
    enter("redeemed", 3, {"record": str(record), "dose": str(dose)}, None)
    assert city.appointment(appointment).state is State.REDEEMED
    with pytest.raises(Forbidden):
        city.parts.desk.counter.enter(
            Form(booker, uuid4(), "appointment.called-off.v1", appointment, 4, {}, {})
        )


def test_a_pregnancy_found_after_the_dose_is_followed_and_nobody_outside_reads_it(city):
    booker = citizen()
    record, handle = city.records.register(booker)
    supply = city.open(
        1, on=city.clock.today, first=city.clock.now.hour, at=city.site, product="ad5_vector"
    )
    appointment = city.book(booker, supply)
    noted = {"private": {"finding": "pregnancy", "note": "孕6周，无不适"}}
    with pytest.raises(BookingRefused):
        city.at_site(appointment, "followed-up", dose=str(uuid4()), **noted)
    city.verify(appointment, booker)
    dose = city.records.give(record, handle, 1, vaccine="COVID-Ad5")
    city.at_site(appointment, "redeemed", record=str(record), dose=str(dose))
    again = (city.clock.today + timedelta(days=30)).isoformat()
    with pytest.raises(BookingRefused):
        city.at_site(appointment, "followed-up", dose=str(uuid4()), **noted)
    written = city.at_site(appointment, "followed-up", dose=str(dose), again_on=again, **noted)
    city.at_site(appointment, "followed-up", dose=str(dose), **noted)
    assert b"pregnancy" not in written.entry
    assert city.reading.opened(appointment, 5, handle)["finding"] == "pregnancy"
    assert city.appointment(appointment).state is State.REDEEMED
