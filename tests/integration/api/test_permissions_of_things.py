"""Certificates, visits, statements, reports, personal values and pages, as every role.

What is expected of staff follows from `commands.permissions` alone; a citizen sees what the token's
number makes the own. Whatever somebody may not know of is answered as what is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from client.signing import Draft
from commands.permissions import READS, WRITES, Scope
from commands.principal import Principal, Role
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, citizen
from tests.integration.api.family import YEAR, Family, family, ok
from tests.integration.api.permission_world import (
    HIDDEN,
    IN_STATE,
    MISSING,
    NORMAL,
    RESTRICTED,
    World,
    answer_of,
    new_world,
    permits,
)
from tests.integration.api.test_http_school_reports import roll_up_draft

FORBIDDEN = 403
SHEET = {"school_year": YEAR, "entry_type": "primary"}
HOLDER, STRANGER = "holder", "stranger"


@dataclass
class Kept:
    """What is kept of one child in the first county."""

    state: str
    kin: Family | None = None
    certificate: UUID = field(default_factory=uuid4)
    visit: UUID = field(default_factory=uuid4)
    statement: UUID = field(default_factory=uuid4)

    @property
    def record(self) -> UUID:
        return self.kin.child.record if self.kin else uuid4()


@dataclass
class Things:
    """Everything that is asked for, and by whom."""

    world: World
    kept: list[Kept]
    division: str
    clinic: UUID
    school: UUID

    def callers(self, kept: Kept) -> dict[str, Author]:
        """Staff, who holds the certificate, and somebody who only has a name."""
        served = self.world.county.served
        staff = {
            name: one for name, one in self.world.callers.items() if one.principal.identity is None
        }
        stranger = citizen(served, id_number(), name="钱生人")
        return staff | {STRANGER: stranger} | ({HOLDER: kept.kin.mother} if kept.kin else {})


@pytest.fixture(scope="module")
def things(county: County) -> Things:
    world = new_world(county)
    kept = [kept_of(county, state) for state in (NORMAL, RESTRICTED)]
    county.served.caught_up()
    clinic, school = county.clinic, county.school
    return Things(
        world,
        [*kept, Kept(MISSING)],
        clinic.principal.division,
        clinic.organisation,
        school.organisation,
    )


def kept_of(county: County, state: str) -> Kept:
    kin = family(county)
    code = kin.mother.get(f"/v1/certificates/{kin.certificate}/show-code").json()["code"]
    visit = ok(county.clinic.call("/v1/visits", {"code": code})).json()["stream"]
    data = {
        "record": str(kin.child.record),
        "division": county.clinic.principal.division,
        "clinic": str(county.clinic.organisation),
        "checked_on": "2020-08-20",
        "entry_type": "primary",
        "has_certificate": True,
        "paper_agrees": True,
    }
    draft = Draft("check-statement.issued.v1", uuid4(), 0, data)
    ok(county.clinic.post("/v1/check-statements", draft))
    if state is RESTRICTED:
        ok(kin.restrict())
    return Kept(state, kin, kin.certificate, UUID(visit), draft.stream)


def is_as(expected: int, found: httpx.Response) -> bool:
    """Whether an answer is the expected one; what is hidden has one body alone."""
    return answer_of(found) == HIDDEN if expected == 404 else found.status_code == expected


def ask_all(things: Things, path: str, expected_of: Any, **params: Any) -> None:
    """Ask for the thing of every child, as everybody."""
    wrong = []
    for kept in things.kept:
        for name, caller in things.callers(kept).items():
            named = {part: getattr(kept, part) for part in ("record", "certificate", "visit")}
            found = caller.get(path.format(statement=kept.statement, **named), **params)
            expected = expected_of(name, caller.principal, kept)
            if not is_as(expected, found):
                wrong.append((name, kept.state, expected, found.status_code, found.text[:80]))
    assert wrong == []


@pytest.mark.parametrize("part", ["", "/certificate.pdf"])
def test_a_certificate_is_its_holder_s_and_of_who_reads_the_record(things: Things, part: str):
    def expected(name: str, who: Principal, kept: Kept) -> int:
        if kept.state is MISSING:
            return 404
        is_staff = who.identity is None
        is_shown = permits(READS["record"], who, Scope(things.division))
        return IN_STATE[kept.state] if name == HOLDER or (is_staff and is_shown) else 404

    ask_all(things, f"/v1/certificates/{{certificate}}{part}", expected)


CITIZENS = {
    "/v1/certificates/{certificate}/credential": {},
    "/v1/certificates/{certificate}/school-verdict": {"entry_type": "primary"},
    "/v1/certificates/{certificate}/show-code": {},
    "/v1/records/{record}/own": {},
}


@pytest.mark.parametrize("path", CITIZENS)
def test_what_a_citizen_carries_is_nobody_else_s(things: Things, path: str):
    """To staff it is forbidden before anything is looked up; a stranger finds nothing."""

    def expected(name: str, who: Principal, kept: Kept) -> int:
        if who.identity is None:
            return FORBIDDEN
        return IN_STATE[kept.state] if name == HOLDER else 404

    ask_all(things, path, expected, **CITIZENS[path])


def grant() -> dict[str, Any]:
    grantee = {
        "name": "张桂英",
        "phone": "13712345678",
        "relation": "外婆",
        "id_number": id_number("19600101"),
    }
    return {"scope": ["view"], "relation": "grandmother", "grantee": grantee}


ASKED_FOR = {
    "/v1/certificates/{}/grants": grant,
    "/v1/certificates/{}/revocations": lambda: {"grant": str(uuid4())},
    "/v1/certificates/{}/credential-revocations": lambda: {
        "credential": str(uuid4()),
        "reason": "device-lost",
    },
    "/v1/certificates/{}/release": lambda: {"reason": "no-longer-wanted"},
}


@pytest.mark.parametrize("path", ASKED_FOR)
def test_only_a_holder_changes_a_certificate(things: Things, path: str):
    head, wrong = things.world.county.served.head(), []
    for kept in things.kept:
        for name, caller in things.callers(kept).items():
            if name == HOLDER:
                continue
            found = caller.call(path.format(kept.certificate), ASKED_FOR[path]())
            if not is_as(404 if name == STRANGER else FORBIDDEN, found):
                wrong.append((name, kept.state, found.status_code, found.text[:80]))
    assert wrong == []
    assert things.world.county.served.head() == head


BOOKINGS = ("/v1/appointments/{}", "/v1/appointments/{}/code", "/v1/appointments")


@pytest.mark.parametrize("path", BOOKINGS)
def test_bookings_are_of_citizens_alone(things: Things, path: str):
    wrong = []
    for name, caller in things.callers(things.kept[0]).items():
        found = caller.get(path.format(uuid4()))
        expected = 404 if "{}" in path else 200
        if not is_as(expected if caller.principal.identity else FORBIDDEN, found):
            wrong.append((name, found.status_code, found.text[:80]))
    assert wrong == []


def test_a_visit_is_its_clinic_s(things: Things):
    def expected(name: str, who: Principal, kept: Kept) -> int:
        scope = Scope(things.division, managing=things.clinic)
        is_shown = kept.state is not MISSING and permits(READS["visit"], who, scope)
        return IN_STATE[kept.state] if is_shown else 404

    ask_all(things, "/v1/visits/{visit}", expected)


def test_a_walk_in_is_taken_by_clinics_alone(things: Things):
    """Whose site it is, is the supply's to say: here is none of this name."""
    sites = {role for role, _ in WRITES["appointment.held.v1"]}
    home = {"residence_division": things.division, "detail_address": "湘永路12号"}
    card = {"name": "钱生人", "id_number": id_number()} | home
    walk_in = {"supply": str(uuid4()), "slot": 1, "dose_number": 1, "person": card}
    wrong = []
    for name, caller in things.callers(things.kept[0]).items():
        found = caller.call("/v1/walk-ins", walk_in)
        expected = 404 if caller.principal.role in sites else FORBIDDEN
        if found.status_code != expected:
            wrong.append((name, found.status_code, found.text[:80]))
    assert wrong == []


@pytest.mark.parametrize("form", ["", ".pdf"])
def test_a_statement_is_of_the_clinic_the_school_and_their_overseers(things: Things, form: str):
    def expected(name: str, who: Principal, kept: Kept) -> int:
        acting = who.organisation if who.organisation == things.school else None
        is_shown = permits(READS["statement"], who, Scope(things.division, acting=acting))
        return IN_STATE[kept.state] if is_shown and kept.state is not MISSING else 404

    ask_all(things, f"/v1/check-statements/{{statement}}{form}", expected)


def test_personal_values_are_opened_within_scope_alone(things: Things):
    """Of what lies elsewhere, of nobody and of who is restricted nothing is opened."""
    records = {str(kept.record): kept.state for kept in things.kept}
    wrong = []
    for name, caller in things.callers(things.kept[0]).items():
        who = caller.principal
        found = caller.call("/v1/personal", {"records": list(records)}, Access_Purpose="oversight")
        if not permits(READS["personal"], who, Scope(who.division)):
            is_right = found.status_code == FORBIDDEN
        else:
            is_near = permits(READS["personal"], who, Scope(things.division))
            opened = {part["record"] for part in found.json()["parts"]}
            is_right = {records[one] for one in opened} == ({NORMAL} if is_near else set())
            refused = {records[one["item"]]: one["reason"] for one in found.json()["refused"]}
            hidden = {MISSING} if is_near else {NORMAL, RESTRICTED, MISSING}
            is_right &= {one for one, why in refused.items() if why == "not-found"} == hidden
        if not is_right:
            wrong.append((name, found.status_code, found.text[:200]))
    assert wrong == []


def hand_in_registers(county: County) -> UUID:
    """An edition of the first county's school, handed in."""
    data = {
        "institution": str(county.school.organisation),
        "division": county.school.principal.division,
        "school_year": YEAR,
        "edition": "september",
        "position": county.served.caught_up(),
        "effective_on": "2020-09-28",
    }
    draft = Draft("register-report.submitted.v1", uuid4(), 0, data)
    ok(county.school.post("/v1/register-reports", draft))
    county.served.caught_up()
    return draft.stream


def hand_in_roll_up(township: Author) -> UUID:
    """The roll-up of a township, handed in as it stands."""
    served, town = township.served, township.principal.division
    served.caught_up()
    seen = township.get(f"/v1/divisions/{town}/roll-up", **SHEET).json()
    draft = roll_up_draft(township, "township", seen)
    data = {**draft.data, "school_year": YEAR, "effective_on": "2020-12-01"}
    ok(township.post("/v1/roll-up-reports", replace(draft, data=data)))
    served.caught_up()
    return draft.stream


def test_what_a_school_and_a_township_handed_in(things: Things, county: County):
    registers = hand_in_registers(county)
    roll_up = hand_in_roll_up(things.world.callers["township"])
    paths = {
        f"/v1/register-reports/{registers}.xlsx": ("register", things.school),
        f"/v1/register-reports/{uuid4()}.xlsx": None,
        f"/v1/roll-up-reports/{roll_up}": ("roll-up", None),
        f"/v1/roll-up-reports/{roll_up}.xlsx": ("roll-up", None),
        f"/v1/roll-up-reports/{uuid4()}": None,
    }
    wrong = []
    for name, caller in things.callers(things.kept[0]).items():
        for path, of in paths.items():
            is_shown = of is not None and permits(
                READS[of[0]], caller.principal, Scope(things.division, acting=of[1])
            )
            found = caller.get(path)
            if not is_as(200 if is_shown else 404, found):
                wrong.append((name, path, found.status_code, found.text[:80]))
    assert wrong == []


def test_lists_show_what_lies_within_the_caller_s_divisions(things: Things):
    """A search finds nothing for who may not see it, as for a number that nobody has."""
    child, wrong = things.kept[0], []
    asked = {"id_number": child.kin.number}
    for name, caller in things.callers(child).items():
        who = caller.principal
        own = who.division[:6] if who.role is Role.CLINIC else who.division
        may = permits(READS["record"], who, Scope(own, managing=who.organisation))
        sees = permits(READS["record"], who, Scope(things.division, managing=things.clinic))
        listed = caller.get("/v1/corrections", state="open", limit=100)
        searched = caller.call("/v1/records/search", asked, Access_Purpose="oversight")
        is_listed, is_found = (str(child.record) in found.text for found in (listed, searched))
        if (listed.status_code, is_listed, is_found) != (200 if may else FORBIDDEN, sees, sees):
            wrong.append((name, listed.status_code, is_listed, is_found, sees))
    assert wrong == []


def oversees(what: str, things: Things, who: Principal) -> bool:
    return permits(READS[what], who, Scope(things.division, acting=things.school))


PAGES: dict[str, Callable[[Things, Principal], bool]] = {
    "/school": lambda _, who: who.role is Role.SCHOOL,
    "/school/{school}": lambda at, who: oversees("register", at, who),
    "/school/{school}/class?name={name}&school_year=2020": lambda at, who: oversees(
        "register", at, who
    ),
    "/school/{school}/notices?name={name}&school_year=2020": lambda at, who: oversees(
        "register", at, who
    ),
    "/school/{school}/register.xlsx?school_year=2020": lambda at, who: oversees(
        "register", at, who
    ),
    "/school/{school}/notice.pdf?school_year=2020": lambda at, who: oversees("register", at, who),
    "/school/class-list": lambda _, who: who.role is Role.SCHOOL,
    "/roll-up?division={division}": lambda at, who: oversees("roll-up", at, who),
    "/roll-up/changes?division={division}&school_year=2021&since=1": lambda at, who: oversees(
        "roll-up", at, who
    ),
    "/roll-up/children?division={division}&column=enrolled": lambda at, who: oversees(
        "roll-up", at, who
    ),
    "/roll-up/form.xlsx?division={division}": lambda at, who: oversees("roll-up", at, who),
    "/corrections": lambda _, who: permits(
        READS["record"], who, Scope(who.division, managing=who.organisation)
    ),
    "/recall": lambda _, who: permits(
        READS["lot"], who, Scope(who.division, acting=who.organisation)
    ),
    "/recall?maker=A&lot=B": lambda _, who: permits(
        READS["lot"], who, Scope(who.division, acting=who.organisation)
    ),
    "/key-history": lambda _, who: permits(READS["signatures"], who, Scope(who.division)),
    "/key-history?organisation={clinic}": lambda at, who: permits(
        READS["signatures"], who, Scope(at.division)
    ),
    "/alarms": lambda _, who: permits(READS["signatures"], who, Scope(who.division)),
    "/site": lambda _, who: who.role is Role.CLINIC,
    "/supply": lambda _, who: who.role in {Role.COUNTY_CDC, Role.CITY_CDC, Role.PROVINCE_CDC},
    "/desk/visits": lambda _, who: who.role is Role.CLINIC,
    "/desk/visits/{visit}": lambda at, who: who.organisation == at.clinic,
    "/desk/records/{record}": lambda at, who: (
        who.role is Role.CLINIC and permits(READS["record"], who, Scope(at.division))
    ),
    "/book": lambda _, who: who.identity is not None,
}


@pytest.mark.parametrize("page", PAGES)
def test_pages(things: Things, page: str):
    child, wrong = things.kept[0], []
    address = page.format(
        school=things.school,
        clinic=things.clinic,
        division=things.division,
        name=child.kin.class_name,
        visit=child.visit,
        record=child.record,
    )
    for name, caller in things.callers(child).items():
        found = caller.get(address)
        expected = {200, 303} if PAGES[page](things, caller.principal) else {403, 404}
        if found.status_code not in expected:
            wrong.append((name, found.status_code))
    assert wrong == []


@pytest.mark.parametrize("part", ["", "/grants", "/access", "/credentials", "/show", "/code.svg"])
def test_pages_of_a_certificate_are_its_holder_s(things: Things, part: str):
    """Its first page is of who reads the record too."""
    child, wrong = things.kept[0], []
    for name, caller in things.callers(child).items():
        who = caller.principal
        reads = who.identity is None and permits(READS["record"], who, Scope(things.division))
        status = caller.get(f"/my/{child.certificate}{part}").status_code
        if status not in ({200} if name == HOLDER or (reads and not part) else {403, 404}):
            wrong.append((name, status))
    assert wrong == []
