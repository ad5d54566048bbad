"""Every kind of rule is asked over HTTP by the code that answers files, and stores nothing."""

import json
from pathlib import Path

import pytest

from domain.certificate_rules.case import answer_case
from domain.schedules.json_document import Node
from tests.integration.api.conftest import County

WORKED = Path(__file__).parents[2] / "spec/data"
ANNOTATIONS = {"id", "expected", "why", "source_ref"}
IMMUNIZATION = {
    "birth_date": "2026-08-01",
    "asked_on": "2026-09-02",
    "doses": [{"vaccine": "0201", "date": "2026-08-01"}],
}


def cases(name):
    return json.loads((WORKED / name).read_text(encoding="utf-8"))["cases"]


@pytest.fixture
def unchanged(county: County):
    head = county.served.head()
    yield
    assert county.served.head() == head


def ask(county: County, kind: str, body):
    answer = county.served.http.post(f"/v1/evaluations/{kind}", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


@pytest.mark.usefixtures("unchanged")
def test_worked_cases_of_the_schedules(county: County):
    for case in cases("immunization.json"):
        told = ask(county, "schedule", {k: v for k, v in case.items() if k not in ANNOTATIONS})
        for code, members in case["expected"]["series"].items():
            found = {name: told["series"][code].get(name) for name in members}
            assert found == members, case["id"]
        assert told["explanation"]["schedule"]["id"] == told["schedule"]
        assert any(gap["code"] == "secondary-source" for gap in told["explanation"]["gaps"])


@pytest.mark.usefixtures("unchanged")
def test_worked_cases_of_certificates_by_the_rules_of_the_installation(county: County):
    rules = county.served.parts.services.rules.certificates
    for case in cases("certificate.json"):
        question = {"rule": case["rule"], "input": case["input"]}
        told = ask(county, "certificate", question)
        said = answer_case(Node(question), rules, annotated=False)
        assert told["actual"] == said.actual, case["id"]
        assert [found["zh"] for found in told["explanation"]["findings"]] == [
            finding.sentence.zh for finding in said.findings
        ]
        assert told["explanation"]["rules"]["id"] == rules.edition.id


@pytest.mark.usefixtures("unchanged")
def test_worked_cases_of_appointments(county: County):
    for case in cases("appointments.json"):
        told = ask(county, "appointment", case["input"])
        assert told["actual"] == case["expected"], case["id"]
        if told["actual"].get("reason"):
            assert told["explanation"]["findings"][0]["zh"]


@pytest.mark.usefixtures("unchanged")
def test_worked_cases_of_roll_ups(county: County):
    compared = 0
    for case in cases("rollup.json"):
        told = ask(county, "roll-up", {"kind": case["kind"], "input": case["input"]})["actual"]
        both = told.keys() & case["expected"].keys() - {"rates", "total"}
        assert {name: told[name] for name in both} == {n: case["expected"][n] for n in both}
        for name, rate in case["expected"].get("rates", {}).items():
            assert told["rates"].get(name, rate) == rate
        compared += bool(told.keys() & case["expected"].keys())
    assert compared > len(cases("rollup.json")) / 2


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("kind", "body", "slug", "pointer"),
    [
        ("schedule", IMMUNIZATION | {"id": "1"}, "unexpected-member", "/id"),
        ("schedule", IMMUNIZATION | {"asked_on": "2026-07-31"}, "asked-before-birth", "/asked_on"),
        ("schedule", IMMUNIZATION | {"asked_on": "9999-12-31"}, "invalid-date", "/asked_on"),
        (
            "schedule",
            {"birth_date": "2019-01-01", "asked_on": "2020-01-01", "doses": []},
            "no-schedule-in-force",
            "/asked_on",
        ),
        ("schedule", [], "wrong-type", ""),
        (
            "schedule",
            IMMUNIZATION | {"doses": [{"vaccine": "X", "date": "2026-08-01"}]},
            "unknown-vaccine",
            "/doses/0/vaccine",
        ),
        ("certificate", {"rule": "moon", "input": {}}, "unknown-value", "/rule"),
        ("certificate", {"input": {}}, "missing-member", ""),
        (
            "certificate",
            {
                "rule": "correction",
                "input": {
                    "action": "view_after_correction",
                    "corrected_on": "9999-12-31",
                    "viewed_on": "2024-08-15",
                },
            },
            "invalid-date",
            "/input/corrected_on",
        ),
        ("certificate", {"id": "1", "rule": "grant", "input": {}}, "unexpected-member", "/id"),
        ("roll-up", {"kind": "moon", "input": {}}, "unknown-value", "/kind"),
        ("roll-up", {"kind": "class", "input": None}, "wrong-type", "/input"),
        ("roll-up", {"kind": "class", "input": {}}, "missing-member", "/input"),
        ("appointment", {}, "unknown-question", ""),
        ("appointment", {"dose1": "2026-01-01"}, "missing-member", ""),
    ],
)
def test_what_cannot_be_asked_is_a_problem_at_its_place(county: County, kind, body, slug, pointer):
    answer = county.served.http.post(f"/v1/evaluations/{kind}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["facts"]["pointer"]) == (f"/problems/{slug}", pointer)
    assert county.served.http.get(told["type"]).status_code == 200


@pytest.mark.parametrize("kind", ["schedule", "school-entry"])
def test_a_history_longer_than_a_life_is_refused(county: County, kind: str):
    day = {"check_date": "2026-09-02", "entry_type": "primary", "has_certificate": True}
    asked = IMMUNIZATION if kind == "schedule" else {"birth_date": "2026-08-01", **day}
    for doses, status in ((100, 200), (101, 413)):
        body = {**asked, "doses": IMMUNIZATION["doses"] * doses}
        answer = county.served.http.post(f"/v1/evaluations/{kind}", json=body)
        assert answer.status_code == status, answer.text
    assert answer.json()["facts"] == {"limit": 100, "what": "listed"}
