"""May this dose be booked on this day? Every policy is asked, and the answers put in order."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.booking.address import judge_address, judge_proxy
from domain.booking.course import Due, GivenDose, Window, due_dose, judge_due, judge_mixing
from domain.booking.eligibility import (
    Domicile,
    judge_age,
    judge_channel,
    judge_place,
    judge_real_name,
)
from domain.booking.hindrance import Hindrance, first_free_day, judge_health
from domain.booking.lifecycle import OpenBooking, judge_second_booking
from domain.booking.objection import Objection
from domain.booking.rules import WARNING, BookingRules
from domain.booking.slot import judge_day, judge_seats
from domain.schedules.finding import Finding


class Outcome(StrEnum):
    """What becomes of a request."""

    ACCEPT = "accept"
    ACCEPT_WITH_WARNING = "accept_with_warning"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Applicant:
    """The person whom the dose is for.

    Attributes:
        birth_date: Civil date.
        household: Where the household is registered.
        residence: Where the person lives.
        hindrances: Contraindications; groups such as the over-sixties are none (A-17).
        is_real_name_verified: By face or in another way (A-3).
    """

    birth_date: date
    household: Domicile
    residence: Domicile
    hindrances: tuple[Hindrance, ...]
    is_real_name_verified: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A wish for an appointment, with all that its judging looks at.

    Attributes:
        today: Civil day on which it is made.
        applicant: The person whom the dose is for.
        product: Code of the product.
        dose_number: Number of the dose in its course.
        on: Civil day of the appointment.
        site_county: County of the site.
        channel: Code of the channel.
        given: Doses of the record.
        seats_free: Seats left in the slot.
        bookings: The person's other bookings.
        proxy_for: Fields of the person booked for, None when one books for oneself.
        detail_address: Detailed address, None where it is known already.
        forecast: For products of a childhood programme, the dose due by its forecast.
    """

    today: date
    applicant: Applicant
    product: str
    dose_number: int
    on: date
    site_county: str
    channel: str
    given: tuple[GivenDose, ...]
    seats_free: int
    bookings: tuple[OpenBooking, ...] = ()
    proxy_for: Mapping[str, str] | None = None
    detail_address: str | None = None
    forecast: Due | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request.

    Attributes:
        outcome: Accepted, accepted with a warning, or refused.
        reason: The first reason by the rule file's precedence, None when there is none.
        reasons: All of them in that order.
        findings: The same as sentences under their rules.
        window: Window of the dose, where the dose asked for is the one due.
        defers: Whether the contraindication passes; None when there is none.
        possible_from: First day on which time alone has removed every reason of a refusal, else
            None.
    """

    outcome: Outcome
    reason: str | None
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...]
    window: Window | None
    defers: bool | None
    possible_from: date | None


def decide(rules: BookingRules, request: Request) -> Decision:
    """Judge a request by every rule; no rule hides another.

    Raises:
        UnknownProduct: When neither the rules nor a forecast know the product.
    """
    due = request.forecast or due_dose(rules.course(request.product), request.given)
    objections = sorted(_objections(rules, request, due), key=rules.rank)
    refusals = [objection for objection in objections if objection.reason != WARNING]
    # A warning beside a refusal would speak of an appointment that there will not be.
    told = refusals or objections
    return Decision(
        outcome=_outcome(refusals, objections),
        reason=told[0].reason if told else None,
        reasons=tuple(objection.reason for objection in told),
        findings=tuple(rules.finding(objection) for objection in told),
        window=due.window if request.dose_number == due.number <= due.of else None,
        defers=next((o.defers for o in told if o.defers is not None), None),
        possible_from=_possible_from(refusals, request.applicant.hindrances),
    )


def _objections(rules: BookingRules, request: Request, due: Due) -> Iterator[Objection]:
    applicant, on = request.applicant, request.on
    yield from judge_channel(request.channel, rules.channels_here)
    yield from judge_day(request.today, on)
    yield from judge_real_name(is_verified=applicant.is_real_name_verified)
    if request.proxy_for is not None:
        yield from judge_proxy(request.proxy_for, rules.proxy_fields, rules.address_characters)
    if request.detail_address is not None:
        yield from judge_address(request.detail_address, rules.address_characters)
    if request.forecast is None:  # which has an age of its own for every dose
        yield from judge_age(applicant.birth_date, on, rules.minimum_age_years)
    yield from judge_place(
        applicant.household, applicant.residence, request.site_county, rules.area
    )
    yield from judge_health(applicant.hindrances, on)
    if request.forecast is None:
        yield from judge_mixing(rules.courses, request.product, request.given)
    yield from judge_due(due, request.dose_number, on)
    yield from judge_second_booking(request.bookings, rules.rivals(request.product))
    yield from judge_seats(request.seats_free)


def _outcome(refusals: Collection[Objection], objections: Collection[Objection]) -> Outcome:
    if refusals:
        return Outcome.REJECT
    return Outcome.ACCEPT_WITH_WARNING if objections else Outcome.ACCEPT


def _possible_from(
    refusals: Collection[Objection], hindrances: Collection[Hindrance]
) -> date | None:
    ends = [objection.ends_on for objection in refusals if objection.ends_on is not None]
    if not ends or len(ends) < len(refusals):
        return None
    # Another contraindication may hold by then.
    return first_free_day(hindrances, max(ends))
