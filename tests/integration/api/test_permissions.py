"""Every address as every role, within and beyond its scope, for things in every state.

What is expected follows from `commands.permissions` alone: the routes do not say.
"""

from collections.abc import Callable
from typing import Any

import pytest

from api.app import openapi_document
from api.permission_table import BY_ANY_TOKEN, BY_CITIZENS, READ_AT
from api.write_addresses import ADDRESSES
from commands.permissions import READS, WRITES, Scope
from commands.principal import Principal, Role
from tests.integration.api.conftest import COUNTY, County
from tests.integration.api.permission_world import (
    FAR_COUNTY,
    HIDDEN,
    IN_STATE,
    MISSING,
    Thing,
    World,
    answer_of,
    new_world,
    permits,
)


@pytest.fixture(scope="module")
def world(county: County) -> World:
    return new_world(county)


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
    "/v1/institutions/{}/entry-papers": ("register", {"school_year": 2020}),
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
    "supervision": (("roll-up",), SHEET),
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


# The table itself ------------------------------------------------------------------------------


def test_every_topic_and_every_operation_is_in_the_table():
    assert {topic for one in ADDRESSES for topic in one.topics} <= set(WRITES)
    assert set(READ_AT) == set(READS)
    of_things = {("post", "/v1/visits"), ("post", "/v1/walk-ins")}
    written = {("post", one.path) for one in ADDRESSES} | of_things
    secured = {
        operation["operationId"]
        for path, operations in openapi_document()["paths"].items()
        for method, operation in operations.items()
        if "security" in operation and (method, path) not in written
    }
    told = {one for operations in READ_AT.values() for one in operations}
    assert secured == told | set(BY_CITIZENS) | set(BY_ANY_TOKEN)
