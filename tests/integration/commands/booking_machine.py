"""Whatever happens to supplies and bookings, in any order, and who has which seat by then."""

from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from commands.appointments import OPEN_BOOKING
from commands.calendar import end_appointments
from domain.booking.lifecycle import OPEN, State
from domain.booking.refusal import BookingRefused
from domain.slot_supply import CapacityBelowBooked, SlotClosed
from ledger.entry import Entry
from tests.integration.commands.booking_city import City, citizen

_DAYS = count(3000)
PEOPLE = st.integers(0, 5)
SLOTS = st.integers(1, 2)
PLACES = st.tuples(st.integers(0, 1), SLOTS)


class BookingMachine(RuleBasedStateMachine):
    """Two supplies of two slots, six people, and a model of who has which seat."""

    city: City

    @initialize()
    def begin(self):
        day = self.city.clock.today
        self.supplies = [
            self.city.open(2, 1, on=day + timedelta(days=next(_DAYS))) for _ in range(2)
        ]
        self.people = [citizen() for _ in range(6)]
        self.capacity = dict.fromkeys(((n, 1) for n in range(2)), 2)
        self.capacity |= dict.fromkeys(((n, 2) for n in range(2)), 1)
        self.closed = set()
        self.booked = {}  # person -> appointment, place

    def free(self, place):
        return self.capacity[place] - [at for _, at in self.booked.values()].count(place)

    @rule(who=PEOPLE, place=PLACES)
    def hold(self, who, place):
        try:
            held = self.city.hold(self.people[who], self.supplies[place[0]], place[1])
        except BookingRefused as refused:
            reason = refused.facts["reason"]
            expected = "duplicate_booking" if who in self.booked else "no_slot"
            assert reason == expected
            assert who in self.booked or place in self.closed or self.free(place) == 0
        else:
            assert who not in self.booked
            assert place not in self.closed
            assert self.free(place) > 0
            self.booked[who] = (held.stream, place)

    @precondition(lambda self: self.booked)
    @rule(data=st.data())
    def confirm(self, data):
        who, stream, _ = self.somebody(data)
        state = self.city.appointment(stream).state
        act = self.city.parts.desk.bookings.confirm
        if state is State.HELD:
            act(self.people[who], uuid4(), stream)
        else:
            with pytest.raises(BookingRefused):
                act(self.people[who], uuid4(), stream)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), place=PLACES)
    def move(self, data, place):
        who, stream, _ = self.somebody(data)
        is_booked = self.city.appointment(stream).state is State.BOOKED
        request = {"supply": str(self.supplies[place[0]]), "slot": place[1]}
        try:
            self.city.parts.desk.bookings.move(self.people[who], uuid4(), stream, request)
        except BookingRefused:
            assert not is_booked or place in self.closed or self.free(place) == 0
        else:
            self.booked[who] = (stream, place)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), by_site=st.booleans())
    def give_back(self, data, by_site):
        who, stream, _ = self.somebody(data)
        if by_site:
            self.city.at_site(stream, "called-off", reason="vaccine-not-delivered")
        else:
            reason = {"reason": "cannot-come"}
            self.city.parts.desk.bookings.cancel(self.people[who], uuid4(), stream, reason)
        del self.booked[who]

    @rule(place=PLACES, capacity=st.integers(0, 4))
    def change_capacity(self, place, capacity):
        before = self.capacity[place]
        if capacity == before:
            return
        topic = "raised" if capacity > before else "lowered"
        try:
            self.city.change(self.supplies[place[0]], topic, slot=place[1], capacity=capacity)
        except SlotClosed:
            assert place in self.closed
        except CapacityBelowBooked:
            assert capacity < before - self.free(place)
        else:
            self.capacity[place] = capacity

    @rule(place=PLACES)
    def close(self, place):
        if place not in self.closed:
            self.city.change(self.supplies[place[0]], "closed", slot=place[1], reason="no-staff")
            self.closed.add(place)

    @rule()
    def ten_minutes_pass(self):
        self.city.clock.turn(minutes=10)
        streams = {who: stream for who, (stream, _) in self.booked.items()}
        held = [
            who
            for who, stream in streams.items()
            if self.city.appointment(stream).state is State.HELD
        ]
        end_appointments(self.city.parts.services, list(streams.values()))
        for who in held:
            assert self.city.appointment(streams[who]).state is State.EXPIRED
            del self.booked[who]

    def somebody(self, data):
        who = data.draw(st.sampled_from(sorted(self.booked)))
        return who, *self.booked[who]

    def every_seat_is_accounted_for(self):
        """Capacity by the supply, confirmed and held by the bookings, free by the claims."""
        parts = self.city.parts
        open_ones = [stream for stream, _ in parts.reader.claims.claimed(OPEN_BOOKING)]
        known = [
            parts.journal.aggregate_of(Entry.decode(raw) for _, raw, _ in located)
            for located in parts.reader.streams(open_ones).values()
        ]
        for place in self.capacity:
            supply = self.supplies[place[0]]
            capacity, _, free = self.city.seats(supply, place[1])
            seats = [one for one in known if (one.seat.supply, one.seat.slot) == (supply, place[1])]
            held = sum(one.state is State.HELD for one in seats)
            confirmed = sum(one.state is State.BOOKED for one in seats)
            assert capacity == confirmed + held + free

    @invariant()
    def capacity_is_what_is_taken_and_what_is_free(self):
        self.every_seat_is_accounted_for()
        for place, capacity in self.capacity.items():
            told, _, free = self.city.seats(self.supplies[place[0]], place[1])
            assert (told, free) == (capacity, self.free(place))

    @invariant()
    def nobody_shares_a_seat(self):
        found = [self.city.appointment(stream) for stream, _ in self.booked.values()]
        assert all(one.state in OPEN for one in found)
        assert len({one.seat for one in found}) == len(found)
