"""Words for booking specifications: a wish for an appointment, said with as little as matters."""

from dataclasses import replace
from datetime import date

from domain.booking.course import GivenDose
from domain.booking.decision import Applicant, Request, decide
from domain.booking.eligibility import Domicile
from domain.booking.hindrance import Hindrance
from domain.booking.lifecycle import OpenBooking, State
from domain.booking.rules import BookingRules

YONGZHOU = BookingRules.load()
VERO, AD5, CHO = "inactivated_vero", "ad5_vector", "recombinant_cho"

LENGSHUITAN, LINGLING = Domicile("冷水滩区", is_in_area=True), Domicile("零陵区", is_in_area=True)
CHANGSHA = Domicile("长沙市", is_in_area=False)

GROWN_UP = Applicant(
    birth_date=date(1985, 6, 1),
    household=LENGSHUITAN,
    residence=LENGSHUITAN,
    hindrances=(),
    is_real_name_verified=True,
)


def day(text):
    return date.fromisoformat(text)


def doses(product, *days):
    return tuple(GivenDose(product, number, day(text)) for number, text in enumerate(days, 1))


def has(code, valid_from=None, valid_to=None):
    kind = YONGZHOU.contraindications[code]
    first, last = (text and day(text) for text in (valid_from, valid_to))
    return Hindrance(kind.name, not kind.defers, first, last)


def booking(product=VERO, number=1, on="2021-05-10", state=State.BOOKED):
    return OpenBooking(product, number, day(on), state)


def wish(on="2021-05-10", *, person=None, **changes):
    """A healthy grown-up of Lengshuitan asks, on 8 May or long before, for a first dose of Vero."""
    request = Request(
        today=min(day("2021-05-08"), day(on)),
        applicant=replace(GROWN_UP, **(person or {})),
        product=VERO,
        dose_number=1,
        on=day(on),
        site_county="冷水滩区",
        channel="individual",
        given=(),
        seats_free=1,
    )
    return replace(request, **changes)


def decided(on="2021-05-10", **changes):
    """Outcome and reasons of such a wish."""
    decision = decide(YONGZHOU, wish(on, **changes))
    return decision.outcome.value, *decision.reasons
