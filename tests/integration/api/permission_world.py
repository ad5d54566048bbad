"""Two counties with a thing of each kind, and everybody who might ask for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from client.signing import Draft
from commands.permissions import Rows, Scope
from commands.principal import Principal, Role
from tests.drafts import id_number
from tests.integration.api.conftest import (
    COUNTY,
    OTHER_TOWNSHIP,
    Author,
    County,
    admit,
    citizen,
    register,
)
from tests.integration.api.family import ok

FAR_COUNTY = OTHER_TOWNSHIP[:6]
NORMAL, RESTRICTED, SHREDDED, MISSING = "normal", "restricted", "shredded", "missing"
IN_STATE = {NORMAL: 200, RESTRICTED: 423, SHREDDED: 410}
HIDDEN = (404, {"type": "/problems/not-found", "title": "未找到，或您无权查看。", "status": 404,
                "facts": {}})  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """What is asked for: where it lies, and whose it is."""

    name: str
    id: UUID
    division: str = ""
    managing: UUID | None = None
    state: str = NORMAL


@dataclass
class World:
    """Two counties, what lies in them, and everybody who might ask."""

    county: County
    callers: dict[str, Author]
    records: list[Thing]
    clinics: list[Thing]
    schools: list[Thing]
    other: UUID
    """One more record of the first clinic."""


def new_world(county: County) -> World:
    """Make one: it takes two seconds, and a file of tests shares it."""
    far_cdc = admit(county.operator, Role.COUNTY_CDC, "外县疾控中心", "county-cdc", FAR_COUNTY)
    city = admit(county.operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", "410200")
    city = replace(city, principal=replace(city.principal, division="4102"))
    places = (
        (COUNTY, county.clinic, county.cdc, city),
        (FAR_COUNTY, county.far_clinic, far_cdc, city),
    )
    primary = {"institution_type": "primary", "ownership": "public"}
    far_school = admit(
        county.operator, Role.SCHOOL, "外县小学", "school", OTHER_TOWNSHIP, **primary
    )
    records = [thing for place in places for thing in _records(*place)]
    callers = _callers(county, far_cdc, city, far_school)
    missing = Thing(MISSING, uuid4())
    county.served.caught_up()
    return World(
        county,
        callers,
        [*records, missing],
        [*(_organisation(one) for one in (county.clinic, county.far_clinic)), missing],
        [*(_organisation(one) for one in (county.school, far_school)), missing],
        register(county.clinic).record,
    )


def _organisation(one: Author) -> Thing:
    return Thing(one.principal.subject, one.organisation, one.principal.division, one.organisation)


def _records(division: str, clinic: Author, cdc: Author, city: Author) -> Iterator[Thing]:
    for state in IN_STATE:
        child = register(clinic)
        if state is RESTRICTED:
            _decide(cdc, child.record, 1, "restricted", reason="consent-withdrawn")
        if state is SHREDDED:
            _decide(cdc, child.record, 1, "shred-requested", ground="legal-order")
            _decide(city, child.record, 2, "shredded", request=2)
        yield Thing(
            f"{division} {state}",
            child.record,
            clinic.principal.division,
            clinic.organisation,
            state,
        )


def _decide(by: Author, record: UUID, version: int, what: str, **fields: Any) -> None:
    path = "restriction" if what == "restricted" else "shredding"
    data = {"organisation": str(by.organisation), **fields}
    draft = Draft(f"vaccination-record.{what}.v1", record, version, data)
    ok(by.post(f"/v1/records/{record}/{path}", draft))


def _callers(
    county: County, far_cdc: Author, city: Author, far_school: Author
) -> dict[str, Author]:
    """Everybody: those of the county, those of elsewhere, those of the whole log, citizens."""

    def of(role: Role, kind: str, division: str, within: str) -> Author:
        made = admit(county.operator, role, f"{kind} {within}", kind, division)
        return replace(made, principal=replace(made.principal, division=within))

    whole = county.operator.principal
    return {
        "clinic": county.clinic,
        "clinic next door": county.other_clinic,
        "clinic elsewhere": county.far_clinic,
        "school": county.school,
        "kindergarten": county.kindergarten,
        "school elsewhere": far_school,
        "township": of(Role.TOWNSHIP, "township", "410299101", "410299101"),
        "township next door": of(Role.TOWNSHIP, "township", "410299102", "410299102"),
        "county": county.cdc,
        "county elsewhere": far_cdc,
        "city": city,
        "city elsewhere": of(Role.CITY_CDC, "city-cdc", "410300", "4103"),
        "province": of(Role.PROVINCE_CDC, "province-cdc", "410000", "41"),
        "province elsewhere": of(Role.PROVINCE_CDC, "province-cdc", "420000", "42"),
        "education": of(Role.EDUCATION, "education", COUNTY, COUNTY),
        "education elsewhere": of(Role.EDUCATION, "education", FAR_COUNTY, FAR_COUNTY),
        "regulator": county.regulator,
        "regulator elsewhere": of(Role.REGULATOR, "regulator", FAR_COUNTY, FAR_COUNTY),
        "integrator": replace(
            county.operator, principal=replace(whole, role=Role.INTEGRATOR, subject="platform")
        ),
        "integrator elsewhere": of(Role.INTEGRATOR, "integrator", FAR_COUNTY, FAR_COUNTY),
        "operator": county.operator,
        "guardian": citizen(county.served, id_number("19850505", is_female=True)),
        "adult": citizen(county.served, id_number("19860606"), role=Role.ADULT, name="赵强"),
    }


def permits(rows: Rows, caller: Principal, scope: Scope) -> bool:
    return any(role == caller.role and policy(caller, scope) for role, policy in rows)


def answer_of(response: httpx.Response) -> tuple[int, Any]:
    """Status and body without the request's id: what must not tell one thing from another."""
    body = response.json()
    body.pop("request_id", None)
    return response.status_code, body
