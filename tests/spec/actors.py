"""Who takes part in the specifications: an operator, a county CDC, clinics, a school, a child.

Days are civil days in China; `at(day)` is ten in the morning of one.
"""

from datetime import date, datetime, time
from uuid import UUID

from domain.calendar import SHANGHAI
from domain.dose_events import Change
from domain.dose_policy import DoseFacts
from domain.effect import Cause
from domain.guardianship import Guardian
from domain.organisation import (
    InstitutionType,
    Organisation,
    OrganisationKind,
    Ownership,
)
from domain.roll import Roll
from domain.schedules.catalogue import Catalogue
from domain.vaccination_record import VaccinationRecord
from domain.vocabulary import PersonKind, Relation, SourceSystem, Urgency

CATALOGUE = Catalogue.load()
TODAY = date(2018, 9, 3)
BORN = date(2015, 3, 20)
ROOT_KEY = "ab" * 32
PROOF = "cd" * 64


def handle(number):
    return UUID(int=number)


OPERATOR, CDC, CLINIC, OTHER_CLINIC, SCHOOL = (handle(n) for n in range(1, 6))
RECORD, CHILD, MOTHER, FATHER, GRANDMOTHER, DOSE, CORRECTION = (handle(n) for n in range(10, 17))


def at(day, hour=10):
    return datetime.combine(day, time(hour), SHANGHAI)


def operator():
    return Organisation.register(
        OPERATOR,
        registrar=None,
        recorded_at=at(TODAY),
        name="运营单位",
        kind=OrganisationKind.OPERATOR,
        division="410200",
        public_key=ROOT_KEY,
        key_proof=PROOF,
    )


def county_cdc(division="410221"):
    return organisation(CDC, OrganisationKind.COUNTY_CDC, division, registrar=operator())


def organisation(stream, kind, division="410221001", *, registrar=None, **fields):
    return Organisation.register(
        stream,
        registrar=registrar or county_cdc(),
        recorded_at=at(TODAY),
        name="示例单位",
        kind=kind,
        division=division,
        **fields,
    )


def clinic(stream=CLINIC, division="410221001"):
    return organisation(stream, OrganisationKind.CLINIC, division)


def school(kind=InstitutionType.KINDERGARTEN):
    return organisation(
        SCHOOL,
        OrganisationKind.SCHOOL,
        institution_type=kind,
        ownership=Ownership.PRIVATE,
    )


def registration(**changes):
    return {
        "kind": PersonKind.CHILD,
        "recipient": CHILD,
        "guardians": (Guardian(MOTHER, Relation.MOTHER), Guardian(FATHER, Relation.FATHER)),
        "birth_year": BORN.year,
        "managing_organisation": CLINIC,
        "division": "410221001",
        "roll": Roll.ACTIVE,
        **changes,
    }


def record(day=TODAY, **changes):
    return VaccinationRecord.register(
        RECORD,
        managed_by=clinic(),
        birth_date=BORN,
        recorded_at=at(day),
        **registration(**changes),
    )


def facts(**changes):
    return DoseFacts(**{"catalogue": CATALOGUE, "birth_date": BORN, **changes})


def dose(**changes):
    return {
        "dose": DOSE,
        "vaccine": "MPSV-AC",
        "product": "A群C群脑膜炎球菌多糖疫苗",
        "maker": "示例生物制品有限公司",
        "lot": "201803012",
        "expires_on": date(2020, 2, 29),
        "occurred_on": TODAY,
        "site": "LA",
        "route": "SC",
        "quantity": "0.5 mL",
        "clinic": CLINIC,
        "source_system": SourceSystem.PROGRAMME,
        **changes,
    }


def give(child, day=TODAY, *, knowing=None, **changes):
    child.administer_dose(facts=knowing or facts(), recorded_at=at(day), **dose(**changes))
    return child


def correct(child, *changes, day=TODAY, urgency=Urgency.NEXT_DAY, knowing=None):
    child.correct_dose(
        facts=knowing or facts(),
        cause=Cause(CORRECTION, 3),
        recorded_at=at(day),
        dose=DOSE,
        changes=changes,
        correction=CORRECTION,
        urgency=urgency,
    )
    return child


def change(field, before, after):
    return Change(field, before, after)
