"""One child with two records: found, merged, separated, told apart, over HTTP."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bootstrap.fsck import inspect
from cli.app import app
from client.dossier import verify_dossier
from client.errors import RefutedError
from client.signing import Draft
from client.trust import Trust
from commands.principal import Role
from ledger.store.finding import Finding
from tests.drafts import id_number
from tests.integration.api.conftest import (
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
def city(county: County) -> Author:
    author = admit(county.operator, Role.CITY_CDC, "测试市疾控中心", "city-cdc", "410200")
    return replace(author, principal=replace(author.principal, division="4102"))


def decide(by: Author, what: str, child: Child, version: int, **fields: Any) -> httpx.Response:
    data = {"organisation": str(by.organisation), **fields}
    draft = Draft(f"vaccination-record.{what}.v1", child.record, version, data)
    return by.post(f"/v1/records/{child.record}/merges", draft)


def merge(by: Author, child: Child, other: Child) -> httpx.Response:
    return decide(
        by,
        "merged",
        child,
        child.version,
        duplicate=str(other.record),
        duplicate_version=other.version,
        reason="same-person",
    )


def code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition("/")[2]


def view(county: County, child: Child, **params: Any) -> dict[str, Any]:
    county.served.caught_up()
    answer = county.clinic.get(f"/v1/records/{child.record}", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def with_dose(clinic: Author, child: Child, **changes: Any) -> Child:
    answer = clinic.post(doses_path(child), dose(clinic, child, **changes))
    assert answer.status_code == 201, answer.text
    return replace(child, version=child.version + 1)


@pytest.fixture
def twofold(county: County) -> tuple[Child, Child]:
    """One child registered twice at one clinic, each time with another dose."""
    mother, name = id_number("19900909", is_female=True), "欧阳娜娜"
    first = register(county.clinic, mother_number=mother, name=name)
    second = register(county.clinic, mother_number=id_number("19910909"), name=name)
    return (
        with_dose(county.clinic, first),
        with_dose(county.clinic, second, occurred_on="2014-09-20"),
    )


def test_who_registers_a_child_again_is_told(county: County):
    mother = id_number("19890909", is_female=True)
    known = register(county.clinic, mother_number=mother, name="诸葛小明")
    draft, _ = registration(
        county.other_clinic, mother_number=id_number("19880101"), name="诸葛小明"
    )
    answer = county.other_clinic.post("/v1/records", draft)
    assert answer.status_code == 201
    (told,) = [one for one in answer.json()["remarks"] if one["record"] == str(known.record)]
    assert (told["id"], told["severity"]) == ("possible-duplicate-record", "warn")
    assert told["score"] == 55
    assert {one["id"] for one in told["alike"]} == {"same-name-birth-sex", "same-sound-birth"}


def test_a_clinic_elsewhere_is_told_without_being_shown_which(county: County):
    known = register(county.clinic, name="司徒小明")
    draft, _ = registration(county.far_clinic, name="司徒小明", mother_number=id_number("19880102"))
    answer = county.far_clinic.post("/v1/records", draft)
    remarks = answer.json()["remarks"]
    assert [one["id"] for one in remarks] == ["possible-duplicate-record"]
    assert "record" not in remarks[0]
    assert str(known.record) not in answer.text


def test_a_variant_character_does_not_hide_a_duplicate(county: County):
    """One guardian, 峰 and 峯."""
    number = id_number("19890404", is_female=True)
    known = register(county.clinic, name="上官峰", mother_number=number)
    draft, child = registration(county.clinic, name="上官峯", mother_number=number)
    mother = {known.mother: draft.private[child.mother]}
    private = {child.handle: draft.private[child.handle], **mother}
    data = {**draft.data, "guardians": [{"person": str(known.mother), "relation": "mother"}]}
    answer = county.clinic.post("/v1/records", replace(draft, data=data, private=private))
    assert answer.status_code == 201, answer.text
    (told,) = answer.json()["remarks"]
    assert {one["id"] for one in told["alike"]} == {
        "same-sound-birth",
        "same-guardian-birth",
        "same-guardian-sound",
    }


def test_a_record_lists_its_candidates_as_they_stand(county: County, twofold: tuple[Child, Child]):
    first, second = twofold
    county.served.caught_up()
    answer = county.clinic.get(f"/v1/records/{first.record}/duplicates")
    assert answer.status_code == 200, answer.text
    found = {one["record"]: one for one in answer.json()["duplicates"]}
    assert found[str(second.record)]["recipient"]["name"] == "欧阳娜娜"
    assert found[str(second.record)]["version"] == second.version
    assert found[str(second.record)]["score"] == 55
    assert county.school.get(f"/v1/records/{first.record}/duplicates").status_code == 404


def test_merged_the_survivor_reads_as_both(county: County, twofold: tuple[Child, Child]):
    first, second = twofold
    before = county.served.head()
    answer = merge(county.clinic, first, second)
    assert answer.status_code == 201, answer.text
    both = view(county, first)
    assert both["merged"] == [str(second.record)]
    assert [one["occurred_on"] for one in both["doses"]] == ["2014-08-15", "2014-09-20"]
    assert {one["record"] for one in both["doses"]} == {str(first.record), str(second.record)}

    other = view(county, second)
    assert other["merged_into"] == str(first.record)
    assert [one["occurred_on"] for one in other["doses"]] == ["2014-09-20"]
    past = view(county, first, known_at=str(before))
    assert past["merged"] == []
    assert [one["occurred_on"] for one in past["doses"]] == ["2014-08-15"]

    refused = county.clinic.post(
        doses_path(second), dose(county.clinic, replace(second, version=3), vaccine="BCG")
    )
    assert code(refused) == "record-merged"
    assert refused.json()["facts"]["survivor"] == str(first.record)


def test_merged_one_trail_and_one_dossier_tell_of_both(
    county: County, twofold: tuple[Child, Child], trust: Trust
):
    first, second = twofold
    path = f"/v1/records/{first.record}"
    before = county.served.head()
    assert merge(county.clinic, first, second).status_code == 201
    county.served.caught_up()

    lines = county.regulator.get(f"{path}/audit").json()["lines"]
    told = [(line["record"], line["version"]) for line in lines if "-record." in line["topic"]]
    one, other = str(first.record), str(second.record)
    assert told == [(one, 1), (other, 1), (one, 2), (other, 2), (one, 3), (other, 3)]
    timeline = county.clinic.get(f"{path}/timeline").json()["lines"]
    assert [line["position"] for line in timeline] == [line["position"] for line in lines]
    earlier = county.regulator.get(f"{path}/audit", known_at=before).json()["lines"]
    assert {line["record"] for line in earlier} == {one}

    whole = county.regulator.get(f"{path}/dossier").json()
    assert list(verify_dossier(whole, trust).entries) == [line["position"] for line in lines]
    unmerged = [line for line in whole["entries"] if ".merged.v1" not in line["entry"]]
    with pytest.raises(RefutedError, match="another-record"):
        verify_dossier({**whole, "entries": unmerged}, trust)


def test_separated_both_read_as_before(county: County, twofold: tuple[Child, Child]):
    first, second = twofold
    assert merge(county.clinic, first, second).status_code == 201
    separated = decide(
        county.clinic,
        "separated",
        first,
        first.version + 1,
        duplicate=str(second.record),
        reason="another-person",
    )
    assert separated.status_code == 201, separated.text
    assert len(view(county, first)["doses"]) == 1
    assert view(county, second)["merged_into"] is None
    again = with_dose(county.clinic, replace(second, version=4), occurred_on="2015-02-01")
    assert len(view(county, again)["doses"]) == 2


def test_a_merge_stands_on_what_its_author_saw(county: County, twofold: tuple[Child, Child]):
    first, second = twofold
    with_dose(county.clinic, second, occurred_on="2015-03-03")
    head = county.served.head()
    answer = merge(county.clinic, first, second)  # has not seen that dose
    assert answer.status_code == 409
    assert county.served.head() == head


def test_a_clinic_merges_only_what_it_manages(county: County, twofold: tuple[Child, Child], city):
    first, second = twofold
    elsewhere = register(county.other_clinic, name="欧阳娜娜")
    assert merge(county.clinic, first, elsewhere).status_code == 403
    assert merge(county.other_clinic, first, second).status_code == 403
    assert merge(county.school, first, second).status_code == 403
    assert merge(city, first, elsewhere).status_code == 201


def test_one_child_has_one_certificate(county: County, twofold: tuple[Child, Child]):
    """C-14: the duplicate's is released, and its holder finds the survivor's."""
    number = id_number("19920909", is_female=True)
    first = twofold[0]
    second = register(county.clinic, name="欧阳娜娜", mother_number=number)
    mother = citizen(county.served, number)
    claim = {"record": str(second.record), "has_consented": True}
    claimed = mother.call("/v1/certificates", claim)
    assert claimed.status_code == 201, claimed.text
    assert merge(county.clinic, first, second).status_code == 201
    county.served.caught_up()
    certificate = claimed.json()["stream"]
    assert mother.get(f"/v1/certificates/{certificate}").status_code == 404
    refused = mother.call("/v1/certificates", claim)
    assert code(refused) == "record-merged"
    county.served.verified()


def amend_number(by: Author, child: Child, before: str | None, after: str) -> httpx.Response:
    values = {"before": {"id_number": before} if before else {}, "after": {"id_number": after}}
    fields = ["id_number"]
    data = {"person": str(child.handle), "fields": fields, "reason": "number-known-now"}
    draft = Draft(
        "vaccination-record.identity-amended.v1",
        child.record,
        child.version,
        data,
        {child.handle: values},
    )
    return by.post(f"/v1/records/{child.record}/amendments", draft)


def test_a_duplicates_number_is_the_survivors_while_they_are_one(county: County):
    clinic, number, before = county.clinic, id_number("20140615"), county.served.head()
    first = register(clinic, name="令狐小明")
    second = register(clinic, name="令狐小明", number=number)
    assert amend_number(clinic, first, None, number).status_code == 409
    assert merge(clinic, first, second).status_code == 201
    first = replace(first, version=first.version + 1)
    moved = amend_number(clinic, first, None, number)
    assert moved.status_code == 201, moved.text
    first = replace(first, version=first.version + 1)
    fields = {"duplicate": str(second.record), "reason": "another-person"}
    separated = decide(clinic, "separated", first, first.version, **fields)
    assert separated.status_code == 201, separated.text
    third, _ = registration(clinic, name="令狐小明", number=number)
    assert clinic.post("/v1/records", third).status_code == 409  # the duplicate's again
    first = replace(first, version=first.version + 1)
    own = amend_number(clinic, first, None, id_number("20140615"))
    assert own.status_code == 201, own.text
    again = merge(clinic, replace(first, version=first.version + 1), replace(second, version=3))
    assert again.status_code == 201, again.text
    county.served.caught_up()
    assert claims_amiss(county, before) == []


def claims_amiss(county: County, after: int) -> list[Finding]:
    """What an inspection finds of claims that were taken since."""
    found: list[Finding] = []
    inspect(county.served.parts, found.append, lambda *_: None, full=False)
    return [one for one in found if "claim" in one.kind and (one.position or 0) > after]


def test_search_finds_the_survivor(county: County):
    number = id_number("20140615")
    first = register(county.clinic, name="东方小明")
    second = register(county.clinic, name="东方小明", number=number)
    assert merge(county.clinic, first, second).status_code == 201
    county.served.caught_up()
    answer = county.clinic.call("/v1/records/search", {"id_number": number})
    assert [one["record"] for one in answer.json()["records"]] == [str(first.record)]
    assert answer.json()["records"][0]["matched"] == "recipient"


def test_a_division_lists_its_pairs_until_they_are_settled(county: County, city: Author):
    mothers = [id_number("19930909"), id_number("19940909")]
    clinic = admit(county.operator, Role.CLINIC, "核查门诊", "clinic", "410277101")
    early = county.served.caught_up()
    one, other = (register(clinic, name="西门小明", mother_number=one) for one in mothers)

    def pairs(**clocks: int) -> list[set[str]]:
        county.served.caught_up()
        answer = city.get("/v1/divisions/410277/duplicates", **clocks)
        assert answer.status_code == 200, answer.text
        return [{line["record"] for line in pair["records"]} for pair in answer.json()["pairs"]]

    both = {str(one.record), str(other.record)}
    assert pairs() == [both]
    before = county.served.head()
    apart = decide(clinic, "told-apart", one, 1, other=str(other.record), reason="twins")
    assert apart.status_code == 201, apart.text
    assert pairs() == []
    assert pairs(known_at=before) == [both]
    assert pairs(known_at=early) == []
    path = f"/v1/records/{one.record}/duplicates"
    for known_at, found in ((before, [str(other.record)]), (county.served.head(), [])):
        told = clinic.get(path, known_at=known_at).json()["duplicates"]
        assert [each["record"] for each in told] == found
    assert county.clinic.get("/v1/divisions/410299/duplicates").status_code == 403


def test_a_dose_entered_twice_is_flagged_and_counted_as_it_is(county: County):
    child = with_dose(county.clinic, register(county.clinic, name="南宫小明"))
    again = county.clinic.post(doses_path(child), dose(county.clinic, child, lot="B20140601"))
    assert again.status_code == 201
    assert [one["id"] for one in again.json()["remarks"]] == ["same-day-again"]
    body = view(county, child)
    assert len(body["doses"]) == 2
    (flagged,) = body["entered_twice"]
    assert set(flagged["doses"]) == {one["dose"] for one in body["doses"]}
    assert flagged["id"] == "same-day-again"
    assert body["counts"] == {"doses": 2, "components": {"hepatitis-b": 1}}


def test_the_command_names_pairs_and_nobody(
    county: County, twofold: tuple[Child, Child], monkeypatch: pytest.MonkeyPatch
):
    settings = county.served.parts.settings
    monkeypatch.setenv("VAXLEDGER_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("VAXLEDGER_KEYS_URL", str(settings.keys_url))
    monkeypatch.setenv("VAXLEDGER_DATA_DIR", str(settings.data_dir))
    done = CliRunner().invoke(app, ["duplicates", "--division", "410299", "--json"])
    assert done.exit_code == 0, done.output
    for child in twofold:
        assert str(child.record) in done.output
    assert "欧阳" not in done.output
