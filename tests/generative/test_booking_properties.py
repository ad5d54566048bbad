"""What must hold for every wish and every booking: searched for counter-examples."""

import json
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.booking.address import is_address
from domain.booking.course import GivenDose, due_dose
from domain.booking.decision import Applicant, Outcome, Request, decide
from domain.booking.eligibility import Domicile
from domain.booking.hindrance import Hindrance
from domain.booking.lifecycle import OPEN, Event, OpenBooking, State, advance, follow
from domain.booking.question import answer
from domain.booking.rules import WARNING, BookingRules
from domain.errors import DomainError
from domain.schedules.json_document import Node

YONGZHOU = BookingRules.load()
TODAY = date(2021, 9, 1)
COUNTIES = ("冷水滩区", "零陵区", "长沙市")
KINDS = sorted(YONGZHOU.contraindications)

PRODUCTS = st.sampled_from(sorted(YONGZHOU.courses))
# Around the edges of the terms, so that days on them are common.
STEPS = st.sampled_from([0, 1, 20, 21, 22, 27, 28, 29, 55, 56, 57, 100, 183, 184, 185, 400])
PAST = STEPS.map(lambda step: TODAY - timedelta(days=step))
AHEAD = st.integers(0, 60).map(lambda step: TODAY + timedelta(days=step))
DOMICILES = st.builds(Domicile, st.sampled_from(COUNTIES), st.booleans())
HINDRANCES = st.builds(
    lambda code, start, end: Hindrance(
        YONGZHOU.contraindications[code].name,
        not YONGZHOU.contraindications[code].defers,
        start,
        end,
    ),
    st.sampled_from(KINDS),
    st.none() | PAST,
    st.none() | AHEAD,
)
APPLICANTS = st.builds(
    Applicant,
    st.dates(date(1930, 1, 1), date(2006, 1, 1)),
    DOMICILES,
    DOMICILES,
    st.lists(HINDRANCES, max_size=3).map(tuple),
    st.booleans(),
)
GIVEN = st.lists(st.builds(GivenDose, PRODUCTS, st.integers(1, 3), PAST), max_size=4).map(tuple)
BOOKINGS = st.lists(
    st.builds(OpenBooking, PRODUCTS, st.integers(1, 3), AHEAD, st.sampled_from(State)), max_size=3
).map(tuple)
REQUESTS = st.builds(
    Request,
    today=st.just(TODAY),
    applicant=APPLICANTS,
    product=PRODUCTS,
    dose_number=st.integers(0, 4),
    on=st.integers(-2, 60).map(lambda step: TODAY + timedelta(days=step)),
    site_county=st.sampled_from(COUNTIES),
    channel=st.sampled_from(sorted(YONGZHOU.channels)),
    given=GIVEN,
    seats_free=st.integers(0, 2),
    bookings=BOOKINGS,
)


@st.composite
def next_doses(draw):
    """A grown-up of the area asks for the dose that comes next, too early or late, say."""
    product = draw(PRODUCTS.filter(lambda code: YONGZHOU.courses[code].doses > 1))
    taken = draw(st.integers(1, YONGZHOU.courses[product].doses - 1))
    days = sorted(draw(st.lists(PAST, min_size=taken, max_size=taken, unique=True)))
    here = Domicile(COUNTIES[0], is_in_area=True)
    birth_date = draw(st.dates(date(2003, 7, 1), date(2003, 12, 31)))
    hindrances = draw(st.lists(HINDRANCES, max_size=2))
    return Request(
        today=TODAY,
        applicant=Applicant(birth_date, here, here, tuple(hindrances), True),
        product=product,
        dose_number=taken + 1,
        on=draw(AHEAD) - timedelta(days=1),
        site_county=COUNTIES[0],
        channel="individual",
        given=tuple(GivenDose(product, number, day) for number, day in enumerate(days, 1)),
        seats_free=1,
    )


@given(REQUESTS)
def test_outcome_reasons_and_sentences_agree(request):
    decision = decide(YONGZHOU, request)
    assert (decision.outcome is Outcome.ACCEPT) == (decision.reasons == ())
    assert (decision.outcome is Outcome.ACCEPT_WITH_WARNING) == (decision.reasons == (WARNING,))
    assert (decision.reason is None) == (decision.reasons == ())
    assert [finding.code for finding in decision.findings] == list(decision.reasons)
    assert len(set(decision.reasons)) == len(decision.reasons)
    ranks = [YONGZHOU.precedence.index(reason) for reason in decision.reasons]
    assert ranks == sorted(ranks)


@given(REQUESTS, st.randoms(use_true_random=False))
def test_the_order_of_doses_contraindications_and_bookings_is_irrelevant(request, random):
    def shuffled(items):
        return tuple(random.sample(items, len(items)))

    applicant = replace(request.applicant, hindrances=shuffled(request.applicant.hindrances))
    other = replace(
        request,
        applicant=applicant,
        given=shuffled(request.given),
        bookings=shuffled(request.bookings),
    )
    one, two = decide(YONGZHOU, request), decide(YONGZHOU, other)
    assert (one.reasons, one.window, one.defers, one.possible_from) == (
        two.reasons,
        two.window,
        two.defers,
        two.possible_from,
    )


@given(next_doses())
def test_the_earliest_day_is_allowed_and_the_day_before_is_not(request):
    window = decide(YONGZHOU, request).window
    before = replace(request, on=window.earliest - timedelta(days=1))
    assert "interval_too_short" in decide(YONGZHOU, before).reasons
    on_it = replace(request, on=window.earliest)
    assert "interval_too_short" not in decide(YONGZHOU, on_it).reasons


@given(next_doses())
def test_on_the_day_told_time_has_removed_every_reason(request):
    decision = decide(YONGZHOU, request)
    if decision.possible_from is None:
        assert decision.outcome is not Outcome.REJECT or request.applicant.hindrances
    else:
        later = decide(YONGZHOU, replace(request, on=decision.possible_from))
        assert not set(later.reasons) & set(decision.reasons)


@given(REQUESTS, st.integers(1, 2000))
def test_waiting_never_makes_a_dose_too_early_nor_starts_the_course_again(request, days):
    later = replace(request, on=request.on + timedelta(days=days))
    about_number = {"course_complete", "wrong_dose_number", "previous_dose_not_given"}
    one, two = decide(YONGZHOU, request), decide(YONGZHOU, later)
    if "interval_too_short" not in one.reasons:
        assert "interval_too_short" not in two.reasons
    assert set(one.reasons) & about_number == set(two.reasons) & about_number
    assert one.window == two.window


@given(REQUESTS, PRODUCTS, PAST)
def test_one_more_dose_never_lowers_the_number_that_is_due(request, product, on):
    course = YONGZHOU.courses[product]
    before = due_dose(course, request.given)
    after = due_dose(course, (*request.given, GivenDose(product, before.number, on)))
    assert after.number > before.number


@given(REQUESTS, HINDRANCES)
def test_one_more_contraindication_never_lets_anyone_in(request, hindrance):
    hindrances = (*request.applicant.hindrances, hindrance)
    more = replace(request, applicant=replace(request.applicant, hindrances=hindrances))
    assert set(decide(YONGZHOU, request).reasons) - {WARNING} <= set(decide(YONGZHOU, more).reasons)


@given(st.lists(st.sampled_from(Event), max_size=12))
def test_a_booking_is_redeemed_once_after_verification_and_dose(events):
    state, taken = None, []
    for event in events:
        progress = advance(state, event)
        if progress.objection is None:
            taken.append(event)
        state = progress.state
    assert taken.count(Event.REDEEMED) <= 1
    if state is State.REDEEMED:
        assert taken[-3:] == [Event.ARRIVED_SCANNED, Event.VACCINATED, Event.REDEEMED]
    if follow(events).objection is None:
        assert taken == events


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Event)), max_size=60))
def test_confirmed_held_and_free_seats_are_the_capacity_whatever_the_order(steps):
    """Six people want three seats: each step is refused, or moves exactly one seat."""
    capacity, states = 3, dict.fromkeys(range(6))
    for person, event in steps:
        taken = sum(state in OPEN for state in states.values())
        progress = advance(states[person], event)
        starts = states[person] is None and progress.state in OPEN
        request_is_refused = starts and taken == capacity
        if progress.objection is None and not request_is_refused:
            states[person] = progress.state
        assert sum(state in OPEN for state in states.values()) <= capacity


@given(st.text(max_size=8), st.text(max_size=8))
def test_an_address_is_valid_when_its_parts_are(one, two):
    allowed = YONGZHOU.address_characters
    assume(one)
    assume(two)
    assert is_address(one + two, allowed) == (is_address(one, allowed) and is_address(two, allowed))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.text(max_size=6) | st.dates().map(str),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = (
    *("today", "person", "product", "dose_number", "appointment_date", "site_county", "channel"),
    *("history", "slot_free", "open_bookings", "proxy_for", "detail_address", "events", "dose1"),
    *("slot", "arrived", "id_card", "consent_signed"),
)
GOOD = {
    "today": "2021-05-08",
    "person": {
        "birth_date": "1985-06-01",
        "hukou_county": "冷水滩区",
        "hukou_in_yongzhou": True,
        "residence_county": "冷水滩区",
        "residence_in_yongzhou": True,
        "contraindications": [],
        "groups": [],
    },
    "product": "inactivated_vero",
    "dose_number": 1,
    "appointment_date": "2021-05-10",
    "site_county": "冷水滩区",
    "channel": "individual",
    "history": [],
    "slot_free": True,
}


def told(question):
    try:
        return dict(answer(YONGZHOU, Node(question)).actual)
    except DomainError as error:
        return error.describe()


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=6) | JSON)
def test_any_document_is_answered_or_refused_with_a_code(question):
    json.dumps(told(question), ensure_ascii=False).encode()


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, min_size=1, max_size=2))
def test_any_change_of_a_good_request_is_answered_or_refused_with_a_code(changes):
    json.dumps(told({**GOOD, **changes}), ensure_ascii=False).encode()


@given(
    st.sampled_from(["today", "appointment_date"]),
    st.dates(date.min, date.max),
    st.dates(date.min, date.max),
)
def test_no_day_leaves_the_calendar(member, one, two):
    dose = {"product": "inactivated_vero", "dose": 1, "date": str(two)}
    until = {"code": "fever", "valid_to": str(two)}
    person = {**GOOD["person"], "contraindications": [until]}
    for changes in ({"history": [dose], "dose_number": 2}, {"person": person}):
        told({**GOOD, member: str(one), **changes})
    told({"product": "recombinant_cho", "dose1": str(one), "dose_number": 3})
    told({"appointment_date": str(one), "today": str(two)})
