"""What is free and who comes, as the log tells it (A-2, A-6)."""

from datetime import timedelta

SITE = "clinic"


def offer(views, story, slot=1):
    rows = views.bookings.offers("HepB", ["4102"], story.today, story.today, 10)
    return next(row for row in rows if row.slot == slot)


def test_capacity_is_confirmed_and_held_and_free(house, story, views):
    story.open_supply("supply", 5)
    for number in range(1, 5):
        story.hold(f"b{number}", "supply", seat=number)
    story.confirm("b1", "1" * 12)
    story.happen("b2", "expired")
    story.confirm("b3", "3" * 12)
    story.happen("b3", "cancelled", reason="cannot-come", derived={})
    house.project()
    found = offer(views, story)
    assert (found.capacity, found.taken, found.free) == (5, 2, 3)


def test_a_moved_booking_is_counted_where_it_is_now(house, story, views):
    story.open_supply("supply", 2, 2)
    story.hold("b", "supply", slot=1)
    story.confirm("b", "1" * 12)
    house.project()
    assert (offer(views, story, 1).free, offer(views, story, 2).free) == (1, 2)
    story.happen(
        "b",
        "moved",
        supply=str(story.id("supply")),
        slot=2,
        site=str(story.id(SITE)),
        division="410204001",
        on=story.today.isoformat(),
        derived={"seat": 1},
    )
    house.project()
    assert (offer(views, story, 1).free, offer(views, story, 2).free) == (2, 1)
    assert views.bookings.of_number("1" * 12).starts == "09:00"


def test_a_supply_follows_its_site(house, story, views):
    story.open_supply("supply", 2, 2)
    story.add("slot-supply.raised.v1", "supply", None, slot=1, capacity=7, derived={"seats": []})
    story.add("slot-supply.slot-moved.v1", "supply", None, slot=1, starts="14:00", ends="15:00")
    story.add("slot-supply.closed.v1", "supply", None, slot=2, reason="no-staff")
    house.project()
    first, second = offer(views, story, 1), offer(views, story, 2)
    assert (first.capacity, first.starts, first.free, first.version) == (7, "14:00", 7, 4)
    assert (second.capacity, second.is_closed, second.free) == (2, True, 0)


def test_no_site_in_a_county_is_an_empty_list(house, story, views):
    story.open_supply("supply", 2)
    house.project()
    assert views.bookings.offers("HepB", ["4301"], story.today, story.today, 10) == []
    assert views.bookings.offers("PV", ["4102"], story.today, story.today, 10) == []


def test_the_day_of_a_site_shows_who_comes_and_who_came(house, story, views):
    story.open_supply("supply", 5)
    for number, what in enumerate(("held", "booked", "come", "done", "gone"), 1):
        story.hold(what, "supply", seat=number)
        if what != "held":
            story.confirm(what, str(number) * 12)
    story.happen("come", "verified", clinic=str(story.id(SITE)), derived={"punctuality": "late"})
    story.happen("done", "verified", clinic=str(story.id(SITE)), derived={"punctuality": "in-slot"})
    record, dose = str(story.id("record")), str(story.id("dose"))
    story.happen("done", "redeemed", clinic=str(story.id(SITE)), record=record, dose=dose)
    story.happen("gone", "called-off", clinic=str(story.id(SITE)), reason="fever-at-the-door")
    house.project()
    rows = views.bookings.day_of(story.id(SITE), story.today)
    assert [(row.state, row.punctuality) for row in rows] == [
        ("booked", None),
        ("arrived_scanned", "late"),
        ("redeemed", "in-slot"),
    ]
    assert str(rows[-1].dose) == dose


def test_holds_that_ran_out_and_days_that_are_over_are_found(house, story, views):
    story.open_supply("supply", 5)
    for number, what in enumerate(("held", "booked", "come"), 1):
        story.hold(what, "supply", seat=number)
        if what != "held":
            story.confirm(what, str(number) * 12)
    story.happen("come", "verified", clinic=str(story.id(SITE)), derived={"punctuality": "in-slot"})
    house.project()
    over = views.bookings.over
    assert over(story.now + timedelta(minutes=9), story.today, 10) == []
    assert over(story.now + timedelta(minutes=10), story.today, 10) == [story.id("held")]
    tomorrow = story.today + timedelta(days=1)
    assert set(over(story.now, tomorrow, 10)) == {story.id("booked")}
