"""What may follow a dose: its lot is recalled, or somebody falls ill."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from cli.app import app
from client.signing import Draft
from tests.integration.api.conftest import Author, Child, County, dose, doses_path, register

MAKER = "召回示例生物制品有限公司"


def code(answer: httpx.Response) -> str:
    return answer.json()["type"].rpartition("/")[2]


def give(clinic: Author, child: Child, **changes: Any) -> Draft:
    draft = dose(clinic, child, **changes)
    answer = clinic.post(doses_path(child), draft)
    assert answer.status_code == 201, answer.text
    return draft


def path(lot: str, maker: str = MAKER) -> str:
    return f"/v1/lots/{quote(maker)}/{quote(lot, safe='')}/doses"


@pytest.fixture(scope="module")
def lot() -> str:
    return f"R{uuid4().hex[:8]}/1"


@pytest.fixture(scope="module")
def children(county: County, lot: str) -> list[Child]:
    """Two in the county, one elsewhere, one with another lot of the maker."""
    known = []
    for clinic in (county.clinic, county.other_clinic, county.far_clinic):
        child = register(clinic)
        give(clinic, child, maker=MAKER, lot=lot)
        known.append(child)
    give(
        county.clinic,
        replace(known[0], version=2),
        maker=MAKER,
        lot="ANOTHER",
        vaccine="BCG",
        route="ID",
        occurred_on="2014-06-20",
    )
    county.served.caught_up()
    return known


def found(author: Author, lot: str, **params: Any) -> list[str]:
    answer = author.get(path(lot), **params)
    assert answer.status_code == 200, answer.text
    return [one["record"] for one in answer.json()["doses"]]


def test_a_recall_names_whom_to_call(county: County, children: list[Child], lot: str):
    answer = county.cdc.get(path(lot))
    assert answer.status_code == 200, answer.text
    lines = {one["record"]: one for one in answer.json()["doses"]}
    assert set(lines) == {str(child.record) for child in children[:2]}
    line = lines[str(children[0].record)]
    assert line["recipient"]["name"] == "王小明"
    assert [one["name"] for one in line["guardians"]] == ["李梅"]
    assert line["clinic_name"] == "第一门诊"


def test_each_sees_the_own_divisions(county: County, children: list[Child], lot: str):
    assert len(found(county.clinic, lot)) == 2
    assert found(county.far_clinic, lot) == [str(children[2].record)]
    assert len(found(county.regulator, lot)) == 3
    assert county.school.get(path(lot)).status_code == 403


def test_pages_lead_on(county: County, children: list[Child], lot: str):
    first = county.cdc.get(path(lot), limit=1)
    second = county.cdc.get(first.links["next"]["url"])
    records = [one["record"] for page in (first, second) for one in page.json()["doses"]]
    assert set(records) == {str(child.record) for child in children[:2]}


def test_a_lot_that_nobody_got_is_an_empty_list(county: County, children: list[Child]):
    assert children
    assert found(county.cdc, "NOBODY") == []


def test_the_command_names_handles_alone(
    county: County, children: list[Child], lot: str, monkeypatch: pytest.MonkeyPatch
):
    settings = county.served.parts.settings
    monkeypatch.setenv("VAXLEDGER_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("VAXLEDGER_KEYS_URL", str(settings.keys_url))
    monkeypatch.setenv("VAXLEDGER_DATA_DIR", str(settings.data_dir))
    done = CliRunner().invoke(app, ["lot", MAKER, lot])
    assert done.exit_code == 0, done.output
    assert "3 剂 doses, 3 人 people" in done.output
    assert str(children[0].record) in done.output
    assert "王小明" not in done.output


def test_an_adverse_event_stands_with_its_dose(county: County):
    child = register(county.clinic)
    given = give(county.clinic, child).data["dose"]
    event = str(uuid4())
    address = f"/v1/records/{child.record}/adverse-events"
    data = {
        "adverse_event": event,
        "dose": given,
        "onset_on": "2014-08-16",
        "is_serious": True,
        "organisation": str(county.clinic.organisation),
    }
    seen = {child.handle: {"reaction": "convulsion", "note": "惊厥两分钟"}}
    topic = "vaccination-record.adverse-event-reported.v1"
    reported = county.clinic.post(address, Draft(topic, child.record, 2, data, seen))
    assert reported.status_code == 201, reported.text
    assert "convulsion" not in reported.json()["entry"]

    verdict = {"adverse_event": event, "classification": "abnormal"}
    topic = "vaccination-record.adverse-event-classified.v1"
    own = {**verdict, "organisation": str(county.clinic.organisation)}
    assert county.clinic.post(address, Draft(topic, child.record, 3, own)).status_code == 403
    cdc = {**verdict, "organisation": str(county.cdc.organisation)}
    classified = county.cdc.post(address, Draft(topic, child.record, 3, cdc))
    assert classified.status_code == 201, classified.text

    county.served.caught_up()
    (line,) = county.clinic.get(f"/v1/records/{child.record}").json()["adverse_events"]
    assert (line["dose"], line["classification"], line["is_serious"]) == (given, "abnormal", True)
    before = str(classified.json()["position"] - 1)
    past = county.clinic.get(f"/v1/records/{child.record}", known_at=before).json()
    assert [one["classification"] for one in past["adverse_events"]] == [None]


def test_a_programme_dose_says_how_it_was_prepared(county: County):
    child = register(county.clinic)
    late = {"occurred_on": "2020-01-06", "expires_on": "2021-01-31"}
    draft = dose(county.clinic, child, **late)
    bare = {name: value for name, value in draft.data.items() if name != "preparation"}
    refused = county.clinic.post(doses_path(child), replace(draft, data=bare))
    assert (refused.status_code, code(refused)) == (422, "preparation-missing")
    unmatched = {"consent": "paper", "health_asked": True, "matched": False}
    wrong = dose(county.clinic, child, preparation=unmatched, **late)
    assert code(county.clinic.post(doses_path(child), wrong)) == "preparation-incomplete"
    assert county.clinic.post(doses_path(child), draft).status_code == 201
