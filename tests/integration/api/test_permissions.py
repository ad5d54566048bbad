"""Every address as every role, within and beyond its scope, for things in every state.

What is expected follows from `commands.permissions` alone: the routes do not say.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.app import openapi_document
from api.permission_table import READ_AT
from api.writes import ADDRESSES
from client.signing import Draft
from commands.permissions import READS, WRITES, Rows, Scope
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
GOLDEN = Path(__file__).parents[2] / "golden/events"
NORMAL, RESTRICTED, SHREDDED, MISSING = "normal", "restricted", "shredded", "missing"
IN_STATE = {NORMAL: 200, RESTRICTED: 423, SHREDDED: 410}


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


@pytest.fixture(scope="module")
def world(county: County) -> World:
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


# Reads -----------------------------------------------------------------------------------------

HIDDEN = (404, {"type": "/problems/not-found", "title": "未找到，或您无权查看。", "status": 404,
                "facts": {}})  # fmt: skip
OF_RECORD = {
    "": ("record", IN_STATE),
    "/timeline": ("record", IN_STATE),
    "/audit": ("record", IN_STATE),
    "/dossier": ("record", IN_STATE),
    "/duplicates": ("record", IN_STATE),
    "/protection": ("record", dict.fromkeys(IN_STATE, 200)),
    "/access": ("access", dict.fromkeys(IN_STATE, 200)),
}


@pytest.mark.parametrize("part", OF_RECORD)
def test_a_record(world: World, part: str):
    what, in_state = OF_RECORD[part]
    wrong = []
    for name, caller in world.callers.items():
        for thing in world.records:
            found = caller.get(f"/v1/records/{thing.id}{part}")
            scope = Scope(thing.division, managing=thing.managing)
            if thing.name != MISSING and permits(READS[what], caller.principal, scope):
                is_right = found.status_code == in_state[thing.state]
            else:
                is_right = answer_of(found) == HIDDEN
            if not is_right:
                wrong.append((name, thing.name, found.status_code, found.text[:80]))
    assert wrong == []


OF_CLINIC: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/clinics/{}/roll": ("clinic", {}),
    "/v1/clinics/{}/quality": ("clinic", {"since": "2020-01-01", "until": "2020-01-31"}),
    "/v1/sites/{}/days/2030-01-01": ("bookings", {}),
}
OF_SCHOOL: dict[str, tuple[str, dict[str, Any]]] = {
    "/v1/institutions/{}/classes": ("register", {"school_year": 2020}),
    "/v1/institutions/{}/classes/1/register": ("register", {"school_year": 2020}),
    "/v1/institutions/{}/register-reports": ("register", {"school_year": 2020}),
}


@pytest.mark.parametrize("path", [*OF_CLINIC, *OF_SCHOOL])
def test_what_an_organisation_keeps(world: World, path: str):
    (what, params), things = (
        (OF_CLINIC[path], world.clinics) if path in OF_CLINIC else (OF_SCHOOL[path], world.schools)
    )
    wrong = []
    for name, caller in world.callers.items():
        for thing in things:
            found = caller.get(path.format(thing.id), **params)
            scope = Scope(thing.division, acting=thing.managing, managing=thing.managing)
            if thing.name != MISSING and permits(READS[what], caller.principal, scope):
                is_right = found.status_code == 200
            else:
                is_right = answer_of(found) == HIDDEN
            if not is_right:
                wrong.append((name, thing.name, found.status_code, found.text[:80]))
    assert wrong == []


SHEET = {"school_year": 2020, "entry_type": "primary"}
OF_DIVISION: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "duplicates": (("duplicates",), {}),
    "quality": (("quality",), {"since": "2020-01-01", "until": "2020-01-31"}),
    "roll-up": (("roll-up",), SHEET),
    "roll-up/children": (("roll-up", "register"), {**SHEET, "column": "enrolled"}),
    "roll-up/changes": (("roll-up", "register"), {**SHEET, "since": 1}),
    "roll-up-reports": (("roll-up",), {**SHEET, "level": "county"}),
    "register-reports": (("roll-up",), {"school_year": 2020, "edition": "september"}),
    "preparations": (("roll-up",), {"school_year": 2020}),
}
DIVISIONS = ("410299101", COUNTY, FAR_COUNTY, "4102", "41", "42")


@pytest.mark.parametrize("part", OF_DIVISION)
def test_what_is_told_of_a_division(world: World, part: str):
    needed, params = OF_DIVISION[part]
    wrong = []
    for name, caller in world.callers.items():
        for division in DIVISIONS:
            found = caller.get(f"/v1/divisions/{division}/{part}", **params)
            is_allowed = all(
                permits(READS[what], caller.principal, Scope(division)) for what in needed
            )
            if found.status_code != (200 if is_allowed else 403):
                wrong.append((name, division, found.status_code, found.text[:80]))
    assert wrong == []


def test_what_is_told_of_the_whole_log(world: World):
    keyid = next(iter(world.callers.values())).key.keyid
    paths = {
        "/v1/entries?limit=1": "entries",
        f"/v1/keys/{keyid}/entries?limit=1": "signatures",
        "/v1/feed/status": "feed",
        "/v1/lots/M/L/doses": "lot",
    }
    wrong = []
    for name, caller in world.callers.items():
        who = caller.principal
        for path, what in paths.items():
            scope = Scope("" if what == "feed" else who.division, acting=who.organisation)
            expected = 200 if permits(READS[what], who, scope) else 403
            found = caller.get(path)
            if found.status_code != expected:
                wrong.append((name, path, found.status_code))
        for path in ("/tile/entries/000.p/1", "/envelopes/000.p/1"):
            is_allowed = permits(READS["entries"], who, Scope("")) and not who.division
            if caller.get(path).status_code != (200 if is_allowed else 403):
                wrong.append((name, path, caller.get(path).status_code))
    assert wrong == []


PAGES: dict[str, Callable[[Principal, Thing], bool]] = {
    "/operator": lambda who, _: permits(READS["feed"], who, Scope("")),
    "/desk": lambda who, _: who.role is Role.CLINIC,
    "/desk/register": lambda who, _: who.role is Role.CLINIC,
    "/my": lambda who, _: who.identity is not None,
    "/audit/{}": lambda who, at: permits(
        READS["record"], who, Scope(at.division, managing=at.managing)
    ),
}


@pytest.mark.parametrize("page", PAGES)
def test_pages(world: World, page: str):
    things = world.records if "{}" in page else world.records[:1]
    wrong = []
    for name, caller in world.callers.items():
        for thing in things:
            status = caller.get(page.format(thing.id)).status_code
            is_allowed = thing.name != MISSING and PAGES[page](caller.principal, thing)
            expected = {IN_STATE[thing.state]} if is_allowed else {403, 404}
            if status not in expected:
                wrong.append((name, thing.name, status))
    assert wrong == []


# Signed writes ---------------------------------------------------------------------------------

TOPICS_OF_RECORDS = [
    (topic, one.path)
    for one in ADDRESSES
    for topic in one.topics
    if one.path.startswith("/v1/records/{stream}/")
]
OTHER_TOPICS = [
    (topic, one.path)
    for one in ADDRESSES
    for topic in one.topics
    if "{stream}" in one.path and (topic, one.path) not in TOPICS_OF_RECORDS
]
FORBIDDEN, UNKNOWN, MOVED = 403, 404, 412
ACTING = ("clinic", "organisation")
WRONG_VERSION = 99
STAFF = (
    "clinic", "clinic next door", "clinic elsewhere", "school", "township", "county",
    "county elsewhere", "city", "city elsewhere", "province", "education", "operator",
)  # fmt: skip


def example(topic: str, author: Author) -> dict[str, Any]:
    """The clear fields of a topic as an author would state them, in the own name."""
    data = json.loads((GOLDEN / f"{topic}.json").read_text(encoding="utf-8"))["example"]
    own = str(author.organisation)
    return {
        name: own if name in ACTING else value for name, value in data.items() if name != "derived"
    }


def expected_of(topic: str, who: Principal, thing: Thing, data: Mapping[str, Any]) -> int:
    """What a write at a version that is not the record's is answered with, or a forbidden one."""
    if all(role != who.role for role, _ in WRITES[topic]):
        return FORBIDDEN
    known = Scope(thing.division, managing=thing.managing)
    is_known = permits(READS["record"], who, known) or who.organisation == thing.managing
    if thing.name == MISSING or not is_known:
        return UNKNOWN
    is_of_protection = topic.partition(".")[2].startswith(("restrict", "shred"))
    if thing.state != NORMAL and not is_of_protection:
        return IN_STATE[thing.state]
    receiving = data.get("managing_organisation")
    scope = replace(
        known, acting=who.organisation, receiving=UUID(receiving) if receiving else None
    )
    return MOVED if permits(WRITES[topic], who, scope) else FORBIDDEN


@pytest.mark.parametrize(("topic", "path"), TOPICS_OF_RECORDS)
def test_writes_about_a_record(world: World, topic: str, path: str):
    versions = {NORMAL: 1, RESTRICTED: 2, SHREDDED: 3}
    head, wrong = world.county.served.head(), []
    for name in STAFF:
        author = world.callers[name]
        data = example(topic, author)
        data |= {one: str(world.other) for one in ("duplicate", "other") if one in data}
        refused: dict[int, Any] = {}
        for thing in world.records:
            expected = expected_of(topic, author.principal, thing, data)
            version = versions[thing.state] if expected == FORBIDDEN else WRONG_VERSION
            found = author.post(path.format(stream=thing.id), Draft(topic, thing.id, version, data))
            if found.status_code != expected:
                wrong.append((name, thing.name, expected, found.text[:120]))
            elif expected in {FORBIDDEN, UNKNOWN}:
                assert answer_of(found) == refused.setdefault(expected, answer_of(found))
    assert wrong == []
    assert world.county.served.head() == head


@pytest.mark.parametrize(("topic", "path"), OTHER_TOPICS)
def test_other_writes_are_refused_by_role_before_anything_is_looked_up(
    world: World, topic: str, path: str
):
    wrong = []
    for name in STAFF:
        author = world.callers[name]
        stream = uuid4()
        has_row = any(role == author.principal.role for role, _ in WRITES[topic])
        draft = Draft(topic, stream, WRONG_VERSION, example(topic, author))
        found = author.post(path.format(stream=stream), draft)
        if found.status_code != (UNKNOWN if has_row else FORBIDDEN):
            wrong.append((name, found.text[:120]))
    assert wrong == []


# The table itself ------------------------------------------------------------------------------


def test_every_topic_and_every_read_is_in_the_table():
    assert {topic for one in ADDRESSES for topic in one.topics} <= set(WRITES)
    assert set(READ_AT) == set(READS)
    known = {
        operation["operationId"]
        for operations in openapi_document()["paths"].values()
        for operation in operations.values()
    }
    assert {one for operations in READ_AT.values() for one in operations} <= known
