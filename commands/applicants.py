"""What the booking rules must know of the person whom a dose is for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from commands.reading import Reading
from commands.records import id_number
from commands.writing import ID_NUMBER
from domain.booking.course import Due, GivenDose
from domain.booking.decision import Applicant
from domain.booking.eligibility import Domicile
from domain.booking.forecast_due import forecast_due
from domain.booking.hindrance import Hindrance
from domain.booking.rules import BookingRules, UnknownProduct
from domain.codec import MalformedData
from domain.contraindication import ContraindicationState
from domain.errors import shown
from domain.identity import IdNumber
from domain.schedules.dose_allocation import Dose
from domain.schedules.edition import Wording
from domain.schedules.immunization import Against, Question
from domain.schedules.json_document import LAST_DAY
from domain.vaccination_record import VaccinationRecord

COUNTY_DIGITS = 6
_ON_RECORD = Wording("档案登记的接种禁忌", "a contraindication on the record")


@dataclass(frozen=True, slots=True)
class Person:
    """The person whom a dose is for.

    Attributes:
        handle: Their handle.
        is_new: Whether nobody has had the handle before, so that it gets a key.
        record: Their vaccination record, where there is one.
    """

    handle: UUID
    is_new: bool
    record: VaccinationRecord | None


def find_person(reading: Reading, number: str, kinds: tuple[str, ...]) -> Person:
    """The person who has a number: by a vaccination record, else by an earlier booking.

    Args:
        reading: The log.
        number: Normalised.
        kinds: Indexes of bookings.

    Raises:
        Restricted, Erased: there is a record, and it may not be processed.
    """
    found = reading.find((ID_NUMBER, *kinds), number)
    for kind, handle, stream in found:
        if not reading.exists(stream):
            continue  # an index left over from a write that failed
        if kind != ID_NUMBER:
            return Person(handle, is_new=False, record=None)
        if reading.stored(VaccinationRecord, stream).recipient == handle:
            record = reading.survivor(stream)
            return Person(record.recipient, is_new=False, record=record)
    fresh = UUID(bytes=reading.services.random(16), version=4)
    return Person(fresh, is_new=True, record=None)


def applicant_of(
    reading: Reading, values: Mapping[str, Any], record: VaccinationRecord | None, product: str
) -> Applicant:
    """The applicant by what was stated and what the record tells.

    Args:
        reading: The log.
        values: The typed values that are sealed with a booking.
        record: Of the person, where there is one.
        product: What is to be booked.

    Raises:
        MalformedData: a contraindication of no such code.
    """
    rules = reading.services.rules.booking
    return Applicant(
        birth_date=_number(values).birth_date,
        household=_domicile(rules, values.get("household_division")),
        residence=_domicile(rules, values.get("residence_division")),
        hindrances=(
            *(_declared(rules, code) for code in values.get("contraindications", ())),
            *_recorded(reading, record, product),
        ),
        is_real_name_verified=True,
    )


def given_doses(reading: Reading, record: VaccinationRecord | None) -> tuple[GivenDose, ...]:
    """The doses of the courses that the rules know, each under its recorded number or its place."""
    rules = reading.services.rules.booking
    products = {course.vaccine: product for product, course in rules.courses.items()}
    places: dict[str, int] = defaultdict(int)
    given = []
    for dose in reading.doses_on(record, reading.today) if record is not None else ():
        product = products.get(dose.vaccine)
        if product is not None:
            places[product] += 1
            number = dose.dose_number or places[product]
            given.append(GivenDose(product, number, dose.occurred_on))
    return tuple(given)


def forecast_of(
    reading: Reading, applicant: Applicant, record: VaccinationRecord | None, product: str
) -> Due | None:
    """The dose due by the immunization schedule, for what no course of the rules names.

    Raises:
        UnknownProduct: no schedule in force knows it either.
        NothingDue: no dose of it is to come.
    """
    rules = reading.services.rules
    if product in rules.booking.courses:
        return None
    schedule = rules.schedule_on(reading.today)
    if schedule is None or product not in schedule.catalogue.vaccines:
        raise UnknownProduct(value=shown(product))
    known = schedule.groups.keys() | schedule.catalogue.vaccines.keys()
    question = Question(
        birth_date=applicant.birth_date,
        asked_on=reading.today,
        doses=tuple(
            Dose(dose.vaccine, dose.occurred_on)
            for dose in (reading.doses_on(record, reading.today) if record is not None else ())
            if dose.vaccine in schedule.catalogue
        ),
        against=tuple(
            Against(group, state.lasting, state.valid_to and min(state.valid_to, LAST_DAY))
            for state in (
                reading.contraindications_on(record, reading.today) if record is not None else ()
            )
            for group in state.vaccine_groups
            if group in known
        ),
    )
    return forecast_due(schedule, question, product)


def _number(values: Mapping[str, Any]) -> IdNumber:
    number = values["id_number"]
    assert isinstance(number, IdNumber), f"{id_number(values)} is built by GB 11643"
    return number


def _domicile(rules: BookingRules, division: str | None) -> Domicile:
    if division is None:
        return Domicile("", is_in_area=False)
    return Domicile(division[:COUNTY_DIGITS], is_in_area=rules.is_in_area(division))


def _declared(rules: BookingRules, code: str) -> Hindrance:
    kind = rules.contraindications.get(code)
    if kind is None:
        raise MalformedData(pointer="/contraindications", reason=f"unknown code {shown(code)}")
    return Hindrance(kind.name, is_lasting=not kind.defers)


def _recorded(
    reading: Reading, record: VaccinationRecord | None, product: str
) -> tuple[Hindrance, ...]:
    """Those of the record that are against the product; a forecast has its own eye on them."""
    course = reading.services.rules.booking.courses.get(product)
    if record is None or course is None:
        return ()
    return tuple(
        Hindrance(_ON_RECORD, state.lasting, state.valid_from, _last_day(state))
        for one in reading.with_merged(record)
        for state in one.contraindications.values()
        if course.vaccine in state.vaccine_groups
    )


def _last_day(state: ContraindicationState) -> Any:
    if state.lifted_on is None:
        return state.valid_to
    return state.lifted_on - timedelta(days=1)
