"""Booking over HTTP: look, hold, confirm, cancel; the day of a site (A-2, A-18 to A-23)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from api.parts import BOOKING_THREADS
from certificates.booking_code import Scan, scan_booking_code
from certificates.trust import verify_trust_list
from client.identifiers import new_id
from client.signing import Draft
from commands.principal import Role
from tests import drafts
from tests.days import today
from tests.integration.api.conftest import Author, County, Served, admit
from tests.integration.api.conftest import citizen as citizen_of

DISTRICT, TOWN, VILLAGE = "431103", "431103001", "431103002"
OTHER_DISTRICT, OTHER_TOWN = "431102", "431102001"
HOME = {"residence_division": DISTRICT, "detail_address": "梅湾街道湘永路12号"}
VERO = "inactivated_vero"


@dataclass
class City:
    served: Served
    cdc: Author
    site: Author
    near_site: Author
    far_site: Author

    def citizen(self, born: str = "19850601", name: str = "周正") -> Author:
        return citizen_of(self.served, drafts.id_number(born), role=Role.ADULT, name=name)

    def open(self, site: Author, on: date, *capacities: int, product: str = VERO) -> UUID:
        slots = [
            {"starts": f"{hour:02}:00", "ends": f"{hour + 1:02}:00", "capacity": capacity}
            for hour, capacity in enumerate(capacities, 8)
        ]
        data = {
            "site": str(site.organisation),
            "division": site.principal.division,
            "on": on.isoformat(),
            "product": product,
            "slots": slots,
        }
        draft = Draft("slot-supply.opened.v1", new_id(), 0, data)
        answer = site.post("/v1/slot-supplies", draft)
        assert answer.status_code == 201, answer.text
        return draft.stream

    def hold(self, citizen: Author, supply: UUID, slot: int = 1, **changes):
        wish = {"supply": str(supply), "slot": slot, "dose_number": 1, "person": HOME}
        return citizen.call("/v1/appointments", wish | changes)

    def book(self, citizen: Author, supply: UUID, slot: int = 1) -> str:
        held = self.hold(citizen, supply, slot)
        assert held.status_code == 201, held.text
        stream = held.json()["stream"]
        confirmed = citizen.call(f"/v1/appointments/{stream}/confirmation", {})
        assert confirmed.status_code == 201, confirmed.text
        return stream

    def offers(self, *divisions: str, on: date, days: int = 1):
        asked = {"product": VERO, "division": list(divisions), "days": days}
        asked |= {"first_day": on.isoformat(), "at_least": self.served.head()}
        answer = self.served.http.get("/v1/offers", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()["sites"]


@pytest.fixture(scope="module")
def city(served: Served, county: County) -> City:
    cdc = admit(county.operator, Role.COUNTY_CDC, "冷水滩区疾控中心", "county-cdc", DISTRICT)
    far = admit(county.operator, Role.COUNTY_CDC, "零陵区疾控中心", "county-cdc", OTHER_DISTRICT)
    return City(
        served,
        cdc,
        admit(cdc, Role.CLINIC, "梅湾接种点", "clinic", TOWN),
        admit(cdc, Role.CLINIC, "凤凰接种点", "clinic", VILLAGE),
        admit(far, Role.CLINIC, "零陵接种点", "clinic", OTHER_TOWN),
    )


def in_days(days: int) -> date:
    return today() + timedelta(days=days)


def test_anyone_sees_the_sites_of_the_permitted_counties_nearest_first(city):
    on = in_days(10)
    for site in (city.site, city.near_site, city.far_site):
        city.open(site, on, 3, 2)
    near = city.offers(VILLAGE, on=on)
    assert [site["name"] for site in near] == ["凤凰接种点", "梅湾接种点"]
    assert [slot["free"] for slot in near[0]["slots"]] == [3, 2]
    both = city.offers(DISTRICT, OTHER_DISTRICT, on=on)
    assert {site["name"] for site in both} == {"凤凰接种点", "梅湾接种点", "零陵接种点"}


def test_a_county_without_sites_is_an_empty_list(city):
    assert city.offers("431121", on=in_days(10), days=60) == []


@pytest.mark.parametrize("bad", [{"division": "4311"}, {"days": "0"}, {"product": "a b"}])
def test_a_malformed_question_is_refused(city, bad):
    asked = {"product": VERO, "division": DISTRICT} | bad
    answer = city.served.http.get("/v1/offers", params=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed-parameter")


def test_hold_confirm_look_cancel(city):
    who, on = city.citizen(), in_days(11)
    supply = city.open(city.site, on, 1)
    stream = city.book(who, supply)
    shown = who.get(f"/v1/appointments/{stream}")
    assert shown.headers["Cache-Control"] == "no-store"
    body = shown.json()
    assert (body["state"], body["name"], body["site_name"]) == ("booked", "周正", "梅湾接种点")
    assert (body["day"], body["starts"]) == (on.isoformat(), "08:00")
    assert len(body["booking_number"]) == 12
    assert [one["appointment"] for one in who.get("/v1/appointments").json()["bookings"]] == [
        stream
    ]
    assert city.offers(DISTRICT, on=on)[0]["slots"][0]["free"] == 0
    cancelled = who.call(f"/v1/appointments/{stream}/cancellation", {"reason": "cannot-come"})
    assert cancelled.status_code == 201
    assert city.offers(DISTRICT, on=on)[0]["slots"][0]["free"] == 1


def test_a_refusal_tells_every_reason_the_first_day_and_where_seats_are_free(city):
    on = in_days(12)
    full, free = city.open(city.site, on, 1), city.open(city.near_site, on, 4)
    city.book(city.citizen(), full)
    city.served.caught_up()
    answer = city.hold(city.citizen(), full)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/problems/booking-refused")
    facts = problem["facts"]
    assert facts["reason"] == "no_slot"
    assert facts["reasons"][0]["zh"]
    assert facts["reasons"][0]["en"]
    offered = facts["alternatives"]
    assert 1 <= len(offered) <= 5
    assert all(one["free"] and one["site_name"] and one["supply"] != str(full) for one in offered)
    young = city.hold(city.citizen(born=f"{in_days(-17 * 365):%Y%m%d}"), free).json()["facts"]
    assert young["reason"] == "under_18"
    assert young["possible_from"] > on.isoformat()


def test_moving_changes_site_and_day(city):
    who = city.citizen()
    old, new = city.open(city.site, in_days(13), 1), city.open(city.near_site, in_days(14), 1)
    stream = city.book(who, old)
    moved = who.call(f"/v1/appointments/{stream}/move", {"supply": str(new), "slot": 1})
    assert moved.status_code == 201, moved.text
    body = who.get(f"/v1/appointments/{stream}").json()
    assert (body["site_name"], body["day"]) == ("凤凰接种点", in_days(14).isoformat())


def test_a_booking_that_carries_a_charge_is_refused(city):
    supply = city.open(city.site, in_days(15), 1)
    answer = city.hold(city.citizen(), supply, price=0)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed-body")


def test_a_booking_is_nobody_elses(city):
    supply = city.open(city.site, in_days(16), 2)
    stream = city.book(city.citizen(), supply)
    other = city.citizen()
    assert other.get("/v1/appointments").json() == {"bookings": []}
    assert other.get(f"/v1/appointments/{stream}").status_code == 404
    path = f"/v1/appointments/{stream}/cancellation"
    assert other.call(path, {"reason": "cannot-come"}).status_code == 404
    assert city.site.get("/v1/appointments").status_code == 403
    assert city.served.http.get("/v1/appointments").status_code == 401


def test_a_site_sees_its_day_and_nobody_elses(city):
    on = in_days(17)
    supply = city.open(city.site, on, 2, 3)
    who = city.citizen(name="吴桐")
    stream = city.book(who, supply, slot=2)
    number = who.get(f"/v1/appointments/{stream}").json()["booking_number"]
    path = f"/v1/sites/{city.site.organisation}/days/{on}"
    for reader in (city.site, city.cdc):
        body = reader.get(path, at_least=city.served.head()).json()
        assert [(one["capacity"], one["taken"]) for one in body["slots"]] == [(2, 0), (3, 1)]
        (line,) = body["appointments"]
        assert (line["booking_number"], line["person"]["name"]) == (number, "吴桐")
    for stranger in (city.near_site, city.far_site, who):
        assert stranger.get(path).status_code == 404
    found = city.site.call("/v1/appointments/search", {"booking_number": number})
    assert (found.json()["appointment"], found.headers["ETag"]) == (stream, '"2"')
    assert city.far_site.call(
        "/v1/appointments/search", {"booking_number": number}
    ).status_code == 404  # fmt: skip


def test_the_wrong_site_and_the_wrong_hour_have_answers_of_their_own(city):
    who = city.citizen()
    supply = city.open(city.site, in_days(18), 2)
    stream = city.book(who, supply)
    city.served.caught_up()
    number = who.get(f"/v1/appointments/{stream}").json()["booking_number"]
    line = city.site.call("/v1/appointments/search", {"booking_number": number}).json()
    for site, reasons in (
        (city.near_site, ["wrong_site", "outside_slot"]),
        (city.site, ["outside_slot"]),
    ):
        data = {
            "clinic": str(site.organisation),
            "has_id_card": True,
            "has_signed_consent": True,
            "admits_outside_slot": True,
        }
        private = {UUID(line["person"]["handle"]): {"id_number": who.principal.identity.id_number}}
        draft = Draft("appointment.verified.v1", UUID(stream), line["version"], data, private)
        answer = site.post(f"/v1/appointments/{stream}/verification", draft)
        assert answer.status_code == 422, answer.text
        assert [told["code"] for told in answer.json()["facts"]["reasons"]] == reasons


def test_the_code_is_signed_shown_as_a_picture_and_found_by_its_site_alone(city):
    who = city.citizen()
    supply = city.open(city.site, in_days(19), 2)
    held = city.hold(who, supply).json()["stream"]
    early = who.get(f"/v1/appointments/{held}/code")
    assert early.json()["facts"]["reason"] == "not_possible_now"
    who.call(f"/v1/appointments/{held}/confirmation", {})
    path = f"/v1/appointments/{held}/code"
    code = who.get(path).json()["code"]
    keys = city.served.parts.credential_keys
    trust = verify_trust_list(keys.trust_list(), [keys.root.public_key])
    now = datetime.now(UTC)
    assert scan_booking_code(code, trust, city.site.organisation, now).scan is Scan.OUTSIDE_SLOT
    assert scan_booking_code(code, trust, city.far_site.organisation, now).scan is Scan.WRONG_SITE
    picture = who.served.http.get(path, headers={**who.bearer, "Accept": "image/png"})
    assert picture.content.startswith(b"\x89PNG")
    city.served.caught_up()
    found = city.site.call("/v1/appointments/search", {"code": code}).json()
    assert found["appointment"] == held
    elsewhere = city.far_site.call("/v1/appointments/search", {"code": code})
    assert elsewhere.json()["facts"]["reason"] == "wrong_site"
    altered = code[:-1] + ("A" if code[-1] != "A" else "B")
    forged = city.site.call("/v1/appointments/search", {"code": altered})
    assert forged.json()["type"] == "/problems/booking-code-refused"
    assert city.citizen().get(path).status_code == 404


def test_a_rush_of_more_people_than_seats_sells_each_seat_once(city):
    supply = city.open(city.site, in_days(21), 8)
    crowd = [city.citizen() for _ in range(40)]
    with ThreadPoolExecutor(BOOKING_THREADS) as pool:  # nobody is asked to come again
        answers = list(pool.map(lambda who: city.hold(who, supply), crowd))
    held = (201, 202)  # the second where the checkpoint comes after 1.5 s
    won = [answer.json()["stream"] for answer in answers if answer.status_code in held]
    lost = [answer.json()["facts"]["reason"] for answer in answers if answer.status_code == 422]
    assert len(won) == len(set(won)) == 8
    assert lost == ["no_slot"] * 32
