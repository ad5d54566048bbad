"""A grandmother books for a grandchild while the certificate's holder lets her (C-2, C-18)."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from tests.days import today
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, citizen
from tests.integration.api.family import Family, family, ok
from tests.integration.api.grants import grant, revoke
from tests.integration.api.test_http_bookings import HOME, City, city

__all__ = ["city"]


@pytest.fixture(scope="module")
def at_home(county: County) -> Family:
    return family(county)


@pytest.fixture(scope="module")
def supplies(city: City) -> list[UUID]:
    """Two days of one vaccine, of which the child lacks a dose."""
    days = (today() + timedelta(days=days) for days in (40, 41))
    return [city.open(city.site, on, 5, product="HepB") for on in days]


def wish(family: Family, supply: UUID) -> dict[str, object]:
    child = {"name": "王小明", "id_number": family.number, "phone": "13812345678", **HOME}
    return {
        "supply": str(supply),
        "slot": 1,
        "dose_number": 3,
        "channel": "proxy",
        "person": child,
    }


def hold(booker: Author, family: Family, supply: UUID) -> httpx.Response:
    return booker.call("/v1/appointments", wish(family, supply))


def reason(answer: httpx.Response) -> str:
    assert answer.status_code == 422, answer.text
    return answer.json()["facts"]["reason"]


def give_back(booker: Author, appointment: str) -> None:
    ok(booker.call(f"/v1/appointments/{appointment}/cancellation", {"reason": "cannot-come"}))


def test_a_grant_to_book_is_asked_for_at_each_step_and_ends(
    county: County, at_home: Family, supplies: list[UUID]
):
    holder, certificate = at_home.mother, at_home.certificate
    numbers = [id_number("19600101"), id_number("19610101")]
    grandmother, aunt = (citizen(county.served, number, name="张桂英") for number in numbers)
    for nobody in (grandmother, aunt):
        assert reason(hold(nobody, at_home, supplies[0])) == "not_entrusted"
    granted = ok(grant(holder, certificate, numbers[0], "book"))
    ok(grant(holder, certificate, numbers[1], "view", "show-code"))
    assert reason(hold(aunt, at_home, supplies[0])) == "not_entrusted"
    held = ok(hold(grandmother, at_home, supplies[0])).json()["stream"]
    ok(revoke(holder, certificate, granted))
    path = f"/v1/appointments/{held}"
    assert reason(grandmother.call(f"{path}/confirmation", {})) == "not_entrusted"
    give_back(grandmother, held)
    granted = ok(grant(holder, certificate, numbers[0], "book"))
    booked = ok(hold(grandmother, at_home, supplies[0])).json()["stream"]
    path = f"/v1/appointments/{booked}"
    ok(grandmother.call(f"{path}/confirmation", {}))
    assert grandmother.get(path).json()["name"] == "王小明"
    ok(revoke(holder, certificate, granted))
    other = {"supply": str(supplies[1]), "slot": 1}
    assert reason(grandmother.call(f"{path}/move", other)) == "not_entrusted"
    give_back(grandmother, booked)


def test_a_mother_books_for_her_child_and_a_stranger_learns_nothing_of_it(
    county: County, at_home: Family, supplies: list[UUID]
):
    booked = ok(hold(at_home.mother, at_home, supplies[1])).json()["stream"]
    stranger = citizen(county.served, id_number("19790101"), name="赵六")
    refused = hold(stranger, at_home, supplies[0]).json()["facts"]
    asked = wish(at_home, supplies[0])
    asked["person"] |= {"id_number": id_number("20140615")}
    unknown = stranger.call("/v1/appointments", asked).json()["facts"]
    assert refused == unknown, "whether the child has a record, a dose or a booking"
    give_back(at_home.mother, booked)
