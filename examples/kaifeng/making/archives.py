"""A line for each child: registration at the clinic, enrolment at the school, the check."""

from datetime import date

from examples.kaifeng.making.child import Child
from examples.kaifeng.making.draw import Draw, uuid7
from examples.kaifeng.making.families import Guardian
from examples.kaifeng.making.lines import Json, members
from examples.kaifeng.making.numbers import Numbers
from examples.kaifeng.making.organisations import COUNTY
from examples.kaifeng.making.programme import CHECK_DAY

SCHOOL_YEAR = 2018
REISSUED_ON = (date(2018, 9, 10), date(2018, 9, 28))
NOT_REISSUED = 3
"""Every so many-th child who never had a certificate gets none this autumn either."""

PROVINCIAL_COUNTIES = {"32": "320102", "33": "330102", "44": "440103", "37": "370102"}
"""Where the household of a newcomer is registered."""


def archive(child: Child, numbers: Numbers, rechecked_on: date | None) -> Json:
    """Return the child's line.

    Args:
        child: the child.
        numbers: gives out the child's own numbers.
        rechecked_on: when the school looks again, for a child with make-ups.
    """
    has_certificate = not (child.has("lost-certificate") or child.has("never-had-certificate"))
    return {
        "record": str(child.record),
        "registration": {"data": _registration(child), "private": _people(child, numbers)},
        "enrolment": {
            "enrolment": str(uuid7(f"{child.label}/enrolment")),
            "data": _enrolment(child),
        },
        "check": members(
            statement=uuid7(f"{child.label}/statement"),
            checked_on=CHECK_DAY,
            has_certificate=has_certificate,
            reissued_on=None if has_certificate else _reissued_on(child),
            rechecked_on=rechecked_on,
        ),
        "traits": list(child.traits),
    }


def _registration(child: Child) -> Json:
    return members(
        kind="child",
        recipient=child.recipient,
        guardians=[
            members(person=guardian.handle, relation=guardian.relation)
            for guardian in child.family.guardians
        ],
        birth_year=child.birth.year,
        managing_organisation=child.clinic.id,
        division=child.clinic.division,
        roll="temporary" if child.admission == "visiting" else "active",
    )


def _people(child: Child, numbers: Numbers) -> Json:
    people: Json = {str(child.recipient): _recipient(child, numbers)}
    for guardian in child.family.guardians:
        people[str(guardian.handle)] = _guardian(guardian)
    return people


def _guardian(guardian: Guardian) -> Json:
    return members(name=guardian.name, id_number=guardian.id_number, phone=guardian.phone)


def _recipient(child: Child, numbers: Numbers) -> Json:
    draw = Draw(f"{child.label}/numbers")
    id_number = numbers.id_number(child.birth, child.sex, draw)
    certificate = numbers.certificate(child.clinic.code, child.birth.year, draw)
    came_from = next((dose.province for dose in child.doses if dose.province), "")
    return members(
        name=child.name,
        sex=child.sex,
        birth_date=child.birth,
        id_number=None if child.has("no-id-number") else id_number,
        birth_certificate_number=numbers.birth_certificate(draw),
        certificate_number=None if child.has("never-had-certificate") else certificate,
        household_division=PROVINCIAL_COUNTIES.get(came_from, COUNTY),
        residence_division=child.clinic.division,
        address=child.family.address,
        phone=child.family.guardians[0].phone,
    )


def _enrolment(child: Child) -> Json:
    return members(
        record=child.record,
        institution=child.institution.id,
        division=child.institution.division,
        school_year=SCHOOL_YEAR,
        class_name=child.class_name,
        entry_type=child.institution.institution_type,
        admission=child.admission,
        number=child.number,
        joined_on=CHECK_DAY,
    )


def _reissued_on(child: Child) -> date | None:
    draw = Draw(f"{child.label}/reissue")
    if child.has("never-had-certificate") and not draw.below(NOT_REISSUED):
        return None
    return draw.day(*REISSUED_ON)
