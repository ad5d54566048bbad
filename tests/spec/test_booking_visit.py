"""At the site: verified before the dose, redeemed after it, and each slip its own answer."""

from datetime import datetime, time
from itertools import pairwise

import pytest

from domain.booking.address import is_address
from domain.booking.arrival import Arrival, judge_visit
from domain.booking.lifecycle import Event, State, advance, follow
from domain.booking.reminder import reminder_day
from domain.booking.slot import Slot, SlotReversed
from tests.spec.bookings import YONGZHOU, day

MORNING = Slot(day("2021-05-10"), time(9), time(10))


def came(moment="2021-05-10T09:30", **changes):
    facts = {"has_id_card": True, "has_signed_consent": True, **changes}
    return [
        o.reason for o in judge_visit(Arrival(MORNING, datetime.fromisoformat(moment), **facts))
    ]


@pytest.mark.parametrize(
    ("moment", "reasons"),
    [
        ("2021-05-10T08:59:59", ["outside_slot"]),
        ("2021-05-10T09:00", []),
        ("2021-05-10T10:00", []),
        ("2021-05-10T10:00:59", []),
        ("2021-05-10T10:01", ["outside_slot"]),
        ("2021-05-09T09:30", ["outside_slot"]),
        ("2021-05-11T09:30", ["outside_slot"]),
    ],
)
def test_a20_one_comes_inside_the_slot_both_edges_included(moment, reasons):
    assert came(moment) == reasons


def test_a16_identity_card_and_signed_consent_are_asked_for():
    assert came(has_id_card=False) == ["id_card_missing"]
    assert came(has_signed_consent=False) == ["consent_missing"]
    assert came(has_id_card=False, has_signed_consent=False) == [
        "id_card_missing",
        "consent_missing",
    ]


def test_wrong_site_and_other_person_are_answers_of_their_own():
    assert came(is_right_site=False) == ["wrong_site"]
    assert came(is_right_person=False) == ["other_person"]


def test_a_slot_does_not_end_before_it_begins():
    with pytest.raises(SlotReversed):
        Slot(day("2021-05-10"), time(10), time(9))


@pytest.mark.parametrize(
    ("events", "state", "reason"),
    [
        ("booked arrived_scanned vaccinated redeemed", "redeemed", None),
        ("held booked arrived_scanned vaccinated redeemed", "redeemed", None),
        ("booked moved moved arrived_scanned", "arrived_scanned", None),
        ("booked", "booked", None),
        ("", None, None),
        ("held expired", "expired", None),
        ("booked no_show", "no_show", None),
        ("booked arrived_scanned cancelled", "cancelled", None),
        # redemption only after the dose
        ("redeemed", None, "redeem_before_vaccination"),
        ("booked redeemed", "booked", "redeem_before_vaccination"),
        ("booked redeemed vaccinated", "booked", "redeem_before_vaccination"),
        ("booked arrived_scanned redeemed", "arrived_scanned", "redeem_before_vaccination"),
        ("booked cancelled redeemed", "cancelled", "redeem_before_vaccination"),
        # once
        (
            "booked arrived_scanned vaccinated redeemed redeemed",
            "redeemed",
            "already_redeemed",
        ),
        (
            "booked arrived_scanned vaccinated redeemed arrived_scanned",
            "redeemed",
            "already_redeemed",
        ),
        ("booked arrived_scanned vaccinated redeemed cancelled", "redeemed", "already_redeemed"),
        # verified before the dose
        ("booked vaccinated redeemed", "booked", "not_verified"),
        ("vaccinated", None, "not_verified"),
        # what the state does not allow
        ("arrived_scanned", None, "not_possible_now"),
        ("booked booked", "booked", "not_possible_now"),
        ("booked cancelled arrived_scanned", "cancelled", "not_possible_now"),
        ("held arrived_scanned", "held", "not_possible_now"),
        ("held expired booked", "expired", "not_possible_now"),
        ("booked no_show vaccinated", "no_show", "not_possible_now"),
    ],
)
def test_a7_what_a_booking_goes_through(events, state, reason):
    progress = follow(Event(name) for name in events.split())
    assert progress.state == state
    assert (progress.objection and progress.objection.reason) == reason


def test_a7_an_event_that_is_refused_leaves_the_state():
    for state in (None, *State):
        for event in Event:
            progress = advance(state, event)
            assert (progress.state == state) or progress.objection is None


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ("冷水滩区梅湾街道湘永路12号", True),
        ("湘永路", True),
        ("12", True),
        ("〇", True),
        ("𠮷祥街3号", True),  # a rare character beyond the basic plane
        ("", False),
        (" ", False),
        ("湘永路 12号", False),
        ("湘永路12号\n", False),
        ("梅湾街道😊", False),
        ("梅湾街道❤️", False),
        ("湘永路12号A座", False),
        ("湘永路12号Ａ座", False),
        ("湘永路１２号", False),
        ("湘永路12-1号", False),
        ("湘永路12号（东）", False),
        ("湘永路12号。", False),
        ("湘永路①号", False),
        ("湘永路٣号", False),
        ("湘永路²号", False),
        ("ひばり", False),
        ("湘永路\u200b12号", False),
    ],
)
def test_a19_an_address_is_chinese_characters_and_digits(text, is_valid):
    assert is_address(text, YONGZHOU.address_characters) is is_valid


def test_a19_the_ranges_do_not_overlap():
    spans = sorted((span.first, span.last) for span in YONGZHOU.address_characters)
    assert all(before[1] < after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("on", "today", "reminded_on"),
    [
        ("2021-05-10", None, "2021-05-09"),
        ("2021-06-01", None, "2021-05-31"),
        ("2024-03-01", None, "2024-02-29"),
        ("2022-01-01", None, "2021-12-31"),
        ("2021-05-10", "2021-05-08", "2021-05-09"),
        ("2021-05-10", "2021-05-09", "2021-05-09"),
        ("2021-05-10", "2021-05-10", None),
    ],
)
def test_a4_one_is_reminded_the_day_before_if_it_is_still_to_come(on, today, reminded_on):
    found = reminder_day(day(on), YONGZHOU.reminder_days_before, today and day(today))
    assert found == (reminded_on and day(reminded_on))
