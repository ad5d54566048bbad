"""From the maternity ward to the child clinic and on: the roll and its history (C-23, C-24)."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from client.signing import Draft
from tests.days import today, tomorrow
from tests.drafts import id_number
from tests.integration.api.conftest import (
    OTHER_TOWNSHIP,
    Author,
    Child,
    County,
    admit,
    citizen,
    dose,
    doses_path,
    register,
    registration,
)


@pytest.fixture(scope="module")
def ward(county: County) -> Author:
    return admit(county.cdc, county.clinic.principal.role, "妇幼保健院产科", "clinic", "410299102")


def born_in(ward: Author) -> Child:
    """Registered in the ward, nobody's parents known yet."""
    draft, child = registration(ward, name=f"新生儿{uuid4().hex[:6]}", birth_date="2018-09-01")
    data = {**draft.data, "roll": "maternity", "guardians": []}
    only_child = {child.handle: draft.private[child.handle]}
    answer = ward.post("/v1/records", replace(draft, data=data, private=only_child))
    assert answer.status_code == 201, answer.text
    return child


def move(by: Author, child: Child, to: Author, status: str = "active") -> httpx.Response:
    data = {
        "status": status,
        "on": today().isoformat(),
        "managing_organisation": str(to.organisation),
        "division": to.principal.division,
    }
    draft = Draft("vaccination-record.roll-changed.v1", child.record, child.version, data)
    return by.post(f"/v1/records/{child.record}/roll", draft)


def add_guardian(
    by: Author, child: Child, number: str, person: UUID | None = None
) -> httpx.Response:
    person = person or uuid4()
    data = {"person": str(person), "relation": "mother"}
    private = {person: {"name": "李梅", "id_number": number}}
    draft = Draft(
        "vaccination-record.guardian-added.v1", child.record, child.version, data, private
    )
    return by.post(f"/v1/records/{child.record}/guardians", draft)


def code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition("/")[2]


def test_a_newborn_goes_from_the_ward_to_the_child_clinic(county: County, ward: Author):
    """产科建档、接种、补登父母、转入门诊，然后即可申领 (from which day on, the policy says)."""
    child = born_in(ward)
    first = dose(ward, child, occurred_on="2018-09-01", expires_on="2020-01-31")
    assert ward.post(doses_path(child), first).status_code == 201
    child = replace(child, version=2)
    refused = move(ward, child, county.clinic)
    assert (refused.status_code, code(refused)) == (422, "parents-missing")

    number = id_number("19900101", is_female=True)
    added = add_guardian(ward, child, number)
    assert added.status_code == 201, added.text
    child = replace(child, version=3)
    mother = citizen(county.served, number)
    claim = {"record": str(child.record), "has_consented": True}
    early = mother.call("/v1/certificates", claim)
    assert code(early) == "archive_in_maternity"

    # The child clinic takes it over by itself; the ward need not be asked.
    moved = move(county.clinic, child, county.clinic)
    assert moved.status_code == 201, moved.text
    claimed = mother.call("/v1/certificates", claim)
    assert claimed.status_code == 201, claimed.text

    county.served.caught_up()
    body = county.clinic.get(f"/v1/records/{child.record}").json()
    assert [one["status"] for one in body["rolls"]] == ["maternity", "active"]
    assert body["managing_organisation"] == str(county.clinic.organisation)
    assert [one["relation"] for one in body["guardians"]] == ["mother"]
    later = county.clinic.get(f"/v1/records/{child.record}", effective_on=tomorrow().isoformat())
    assert later.json()["guardians"][0]["id_number"] == number
    assert "name" not in body["guardians"][0]  # from tomorrow on


def test_a_guardian_known_from_a_sibling_keeps_one_handle(county: County):
    number = id_number("19910202", is_female=True)
    elder = register(county.clinic, mother_number=number)
    younger = register(county.clinic, mother_number=id_number("19600101", is_female=True))
    answer = add_guardian(county.clinic, younger, number, elder.mother)
    assert answer.status_code == 201, answer.text
    county.served.caught_up()
    asked = {"id_number": number}
    found = county.clinic.call("/v1/records/search", asked).json()["records"]
    assert {one["record"] for one in found} == {str(elder.record), str(younger.record)}


def remove_guardian(by: Author, child: Child, person: UUID) -> httpx.Response:
    data = {"person": str(person), "reason": "guardianship-ended"}
    draft = Draft("vaccination-record.guardian-removed.v1", child.record, child.version, data)
    return by.post(f"/v1/records/{child.record}/guardians", draft)


def test_who_is_no_guardian_any_more_loses_certificate_and_sight_at_once(county: County):
    number = id_number("19910203", is_female=True)
    child = register(county.clinic, mother_number=number)
    mother = citizen(county.served, number)
    claim = {"record": str(child.record), "has_consented": True}
    claimed = mother.call("/v1/certificates", claim)
    assert claimed.status_code == 201, claimed.text
    certificate = f"/v1/certificates/{claimed.json()['stream']}"
    own = f"/v1/records/{child.record}/own"
    county.served.caught_up()
    assert mother.get(certificate).status_code == mother.get(own).status_code == 200

    assert remove_guardian(county.clinic, child, child.handle).status_code == 422
    assert remove_guardian(county.far_clinic, child, child.mother).status_code == 404
    removed = remove_guardian(county.clinic, child, child.mother)
    assert removed.status_code == 201, removed.text
    county.served.caught_up()
    assert mother.get(certificate).status_code == mother.get(own).status_code == 404
    assert mother.call("/v1/certificates", claim).status_code == 422
    assert county.clinic.get(f"/v1/records/{child.record}").json()["guardians"] == []
    before = county.clinic.get(f"/v1/records/{child.record}", known_at=claimed.json()["position"])
    assert len(before.json()["guardians"]) == 1

    child = replace(child, version=2)
    back = add_guardian(county.clinic, child, number, child.mother)
    assert back.status_code == 201, back.text


def test_a_stranger_cannot_be_attached_as_guardian(county: County):
    elder = register(county.clinic, mother_number=id_number("19920202", is_female=True))
    younger = register(county.clinic)
    other = id_number("19930303", is_female=True)
    answer = add_guardian(county.clinic, younger, other, elder.mother)
    assert answer.status_code == 409


def test_only_the_receiving_clinic_of_the_county_takes_a_record_over(county: County):
    child = register(county.clinic)
    far = move(county.far_clinic, child, county.far_clinic)
    assert far.status_code == 404
    for_another = move(county.other_clinic, child, county.far_clinic)
    assert for_another.status_code == 403
    own = move(county.other_clinic, child, county.other_clinic)
    assert own.status_code == 201, own.text
    assert county.far_clinic.principal.division == OTHER_TOWNSHIP


# The roll of a clinic, with its history (在册名单) ----------------------------------------


@pytest.fixture(scope="module")
def clinic(county: County) -> Author:
    return admit(county.cdc, county.clinic.principal.role, "名册门诊", "clinic", "410299103")


@pytest.fixture(scope="module")
def children(county: County, clinic: Author) -> list[Child]:
    """One stays, one went to another clinic, one is here for a while."""
    stays, left, guest = [register(clinic) for _ in range(3)]
    assert move(county.clinic, left, county.clinic).status_code == 201
    data = {"status": "temporary", "on": today().isoformat()}
    draft = Draft("vaccination-record.roll-changed.v1", guest.record, 1, data)
    assert clinic.post(f"/v1/records/{guest.record}/roll", draft).status_code == 201
    county.served.caught_up()
    return [stays, left, guest]


def roll_path(clinic: Author) -> str:
    return f"/v1/clinics/{clinic.organisation}/roll"


def test_it_lists_who_is_here_and_not_who_left(clinic: Author, children: list[Child]):
    body = clinic.get(roll_path(clinic)).json()
    stays, _, guest = children
    assert [(one["record"], one["status"]) for one in body["lines"]] == [
        (str(stays.record), "active"),
        (str(guest.record), "temporary"),
    ]
    assert body["lines"][0]["recipient"]["name"] == "王小明"
    assert body["counts"] == {
        "maternity": 0,
        "active": 1,
        "temporary": 1,
        "moved-out": 0,
        "deceased": 0,
    }


def test_a_page_leads_to_the_next(clinic: Author, children: list[Child]):
    first = clinic.get(roll_path(clinic), limit=1)
    assert len(first.json()["lines"]) == 1
    rest = clinic.get(first.links["next"]["url"])
    assert rest.json()["lines"][0]["record"] == str(children[2].record)


def test_it_can_be_asked_for_one_status(clinic: Author, children: list[Child]):
    body = clinic.get(roll_path(clinic), status="temporary").json()
    assert [one["record"] for one in body["lines"]] == [str(children[2].record)]


def test_before_the_first_day_it_is_empty(clinic: Author, children: list[Child]):
    assert children
    day = (today() - timedelta(days=1)).isoformat()
    assert clinic.get(roll_path(clinic), effective_on=day).json()["lines"] == []


def test_as_known_earlier_the_child_who_left_was_here(
    county: County, clinic: Author, children: list[Child]
):
    stays, left, guest = children
    moved = county.served.views.records.get(left.record)
    assert moved is not None
    body = clinic.get(roll_path(clinic), known_at=str(moved.rolls[-1].position - 1)).json()
    everyone = [str(child.record) for child in (stays, left, guest)]
    assert [one["record"] for one in body["lines"]] == everyone
    assert body["counts"]["active"] == 3


def test_another_clinic_and_a_school_see_no_such_address(county: County, clinic: Author):
    for stranger in (county.other_clinic, county.far_clinic, county.school):
        assert stranger.get(roll_path(clinic)).status_code == 404
    assert county.cdc.get(roll_path(clinic)).status_code == 200
    assert county.cdc.get(f"/v1/clinics/{uuid4()}/roll").status_code == 404
