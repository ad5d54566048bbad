"""Health, pages, development tokens, metrics and the interface's own description over HTTP."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from structlog.testing import capture_logs

from api import errors as http_errors
from api import reads
from api.app import openapi_document
from api.problems import INTERNAL, KINDS, all_kinds, kind_of_class
from commands.desk import HANDLERS
from commands.errors import CommandError
from domain.errors import DomainError
from domain.topics import EVENTS
from tests.integration.api.conftest import County, dose, doses_path, register

WORKED = Path(__file__).parents[2] / "spec/data/school-entry.json"


@pytest.fixture(scope="module")
def document() -> dict:
    return openapi_document()


# Health ----------------------------------------------------------------------------------------


def test_it_lives_and_is_ready(county: County):
    assert county.served.http.get("/livez").json() == {"status": "ok"}
    county.served.caught_up()
    answer = county.served.http.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert list(body["checks"]) == [
        "database", "writes", "keys", "checkpoint", "views", "feed", "witnesses"
    ]  # fmt: skip
    assert body["checks"]["feed"] == {"ok": True, "configured": False}


def test_the_version_names_log_schema_and_keys(county: County):
    body = county.served.http.get("/version").json()
    assert body["origin"] == county.served.parts.settings.origin
    assert "0001_ledger" in body["schema"]["log"]
    assert body["schema"].keys() == {"keys", "log"}
    assert body["log_keys"] == county.served.http.get("/log.vkey").text.split()
    assert body["root_keyid"] == county.operator.key.keyid


def test_metrics_count_routes_never_addresses(county: County):
    child = register(county.clinic)
    county.clinic.get(f"/v1/records/{child.record}")
    county.served.http.get("/secret-path")
    text = county.served.http.get("/metrics").text
    assert 'route="/v1/records/{record}"' in text
    assert str(child.record) not in text
    assert "secret-path" not in text
    assert "vaxledger_published_position" in text
    assert "vaxledger_append_queue 0.0" in text


# Feed ------------------------------------------------------------------------------------------


def test_the_schema_that_a_message_names_is_served_to_everyone(county: County):
    for topic in EVENTS:
        answer = county.served.http.get(f"/schemas/{topic}.json")
        assert answer.status_code == 200
        assert answer.json()["title"] == topic
    assert county.served.http.get("/schemas/forged.v1.json").status_code == 404


def test_the_state_of_the_feed_is_for_the_operator_alone(county: County):
    assert county.served.http.get("/v1/feed/status").status_code == 401
    assert county.clinic.get("/v1/feed/status").status_code == 403
    answer = county.operator.get("/v1/feed/status")
    assert answer.status_code == 200
    assert answer.json()["answers"] is False  # this installation has none
    assert "vaxledger_feed_up 0.0" in county.served.http.get("/metrics").text


# Development tokens ----------------------------------------------------------------------------


def test_a_development_token_works_and_says_what_it_is(county: County):
    asked = {
        "subject": "nurse",
        "role": "clinic",
        "organisation": str(county.clinic.organisation),
        "division": county.clinic.principal.division,
    }
    answer = county.served.http.post("/development/token", json=asked)
    assert answer.status_code == 200
    assert "DEVELOPMENT TOKEN" in answer.json()["WARNING"]["en"]
    token = answer.json()["access_token"]
    child = register(county.clinic)
    written = county.clinic.post(
        doses_path(child), dose(county.clinic, child), authorization=f"Bearer {token}"
    )
    assert written.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "vaccines.example.cn"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
def test_development_tokens_stay_on_this_machine(county: County, headers):
    asked = {"subject": "x", "role": "regulator", "organisation": str(county.clinic.organisation)}
    answer = county.served.http.post("/development/token", json=asked, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/loopback-only")


@pytest.mark.parametrize(
    "asked",
    [
        {"subject": "x", "role": "root"},
        {"subject": "x", "role": "clinic"},
        {"subject": "x", "role": "guardian"},
        {"subject": "", "role": "clinic"},
        {"subject": "x", "role": "regulator", "organisation": "7"},
    ],
)
def test_development_tokens_that_nobody_could_use(county: County, asked):
    answer = county.served.http.post("/development/token", json=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed-body")


# Evaluations -----------------------------------------------------------------------------------

CASE = {
    "birth_date": "2014-06-15",
    "check_date": "2018-09-10",
    "entry_type": "kindergarten",
    "has_certificate": True,
    "doses": [{"vaccine": "BCG", "date": "2014-06-16"}],
}


def test_the_rules_can_be_asked_by_anyone(county: County):
    head = county.served.head()
    answer = county.served.http.post("/v1/evaluations/school-entry", json=CASE)
    assert answer.status_code == 200
    body = answer.json()
    assert body["age_years"] == 4
    assert body["complete"] is False
    assert body["missing"][0]["vaccine_group"] == "HepB"
    assert set(body) == {
        *("age_years", "complete", "missing", "annex1_row", "exempt", "annex2_template"),
        *("reissue_certificate", "explanation"),
    }
    assert body["explanation"]["requirements"]["id"]
    assert county.served.head() == head


BODY = ("birth_date", "check_date", "entry_type", "has_certificate", "doses", "contraindications")


@pytest.mark.parametrize("case", json.loads(WORKED.read_text())["cases"], ids=lambda one: one["id"])
def test_worked_cases_over_http(county: County, case):
    body = {name: case[name] for name in BODY if name in case}
    answer = county.served.http.post("/v1/evaluations/school-entry", json=body).json()
    expected = case["expected"] | case.get("expected_more", {})
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"id": "case-1"}, "unexpected-member"),
        ({"expected": {}}, "unexpected-member"),
        ({"birth_date": "2018-02-30"}, "invalid-date"),
        ({"check_date": "2014-06-14"}, "check-before-birth"),
        ({"entry_type": "nursery"}, "unknown-entry-type"),
        ({"doses": [{"vaccine": "HepZ", "date": "2014-06-16"}]}, "unknown-vaccine"),
        ({"doses": "none"}, "wrong-type"),
        (
            {"contraindications": [{"vaccine_group": "X", "kind": "permanent"}]},
            "unknown-vaccine-group",
        ),
    ],
)
def test_cases_that_the_rules_do_not_know(county: County, changes, slug: str):
    answer = county.served.http.post("/v1/evaluations/school-entry", json=CASE | changes)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{slug}")


# Pages -----------------------------------------------------------------------------------------


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.languages: list[str | None] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        assert "style" not in given
        assert tag not in {"script", "iframe", "object", "embed"}
        assert not any(name.startswith("on") for name in given)
        if tag == "a":
            self.found.append(given["href"])
        if tag == "html":
            self.languages.append(given["lang"])


def opened(http: httpx.Client, path: str) -> Links:
    http.cookies.clear()  # a link in another language was opened before
    answer = http.get(path)
    assert answer.status_code == 200, path
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    links = Links()
    links.feed(answer.text)
    assert links.languages == ["zh-CN"]
    assert "width=device-width" in answer.text
    return links


def test_every_link_of_the_front_page_leads_somewhere(county: County):
    for link in opened(county.served.http, "/").found:
        if link.startswith("/"):
            assert county.served.http.get(link).status_code == 200, link
    assert county.served.http.get("/style.css").headers["content-type"].startswith("text/css")


def test_every_problem_has_a_page(county: County):
    listed = opened(county.served.http, "/problems").found
    for slug in all_kinds():
        address = f"/problems/{slug}"
        assert address in listed
        opened(county.served.http, address)


def test_every_error_class_has_a_kind_with_both_languages():
    slugs = all_kinds()
    for root in (http_errors.HttpError, CommandError, DomainError):
        for cls in _tree(root):
            assert cls.code in slugs, cls
    for kind in (*slugs.values(), *KINDS.values(), INTERNAL):
        assert kind.en.endswith((".", ")")), kind
        assert any("一" <= character <= "鿿" for character in kind.zh), kind
        assert 400 <= kind.status < 600


def test_a_slug_has_one_meaning():
    meanings: dict[str, set[tuple[int, str]]] = {}
    for root in (http_errors.HttpError, CommandError, DomainError):
        for cls in _tree(root):
            kind = kind_of_class(cls)
            meanings.setdefault(kind.slug, set()).add((kind.status, kind.zh))
    assert {slug: said for slug, said in meanings.items() if len(said) > 1} == {}


# What nobody foresaw ---------------------------------------------------------------------------


def test_an_unforeseen_error_says_nothing_of_itself(
    county: County, monkeypatch: pytest.MonkeyPatch
):
    def broken(_self, _record):
        raise RuntimeError("王小明 11010519491231002X")

    monkeypatch.setattr(type(county.served.views.records), "get", broken)
    with capture_logs() as lines:
        answer = county.clinic.get(f"/v1/records/{county.clinic.organisation}")
    assert answer.status_code == 500
    body = answer.json()
    assert body["type"] == "/problems/internal"
    assert "王小明" not in answer.text
    failure = next(line for line in lines if line["event"] == "request-failed")
    assert failure["request_id"] == body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("value", ["第一门诊", "one\r\nSet-Cookie: two"])
def test_a_header_that_cannot_be_sent_is_an_error_and_not_a_silence(
    county: County, monkeypatch: pytest.MonkeyPatch, value: str
):
    child = register(county.clinic)
    county.served.caught_up()
    monkeypatch.setitem(reads.NO_STORE, "X-Name", value)
    answer = county.clinic.get(f"/v1/records/{child.record}")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "x-name" not in answer.headers
    assert "set-cookie" not in answer.headers


# OpenAPI ---------------------------------------------------------------------------------------


def test_the_interface_description_is_valid_openapi(document: dict):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_the_served_description_is_the_generated_one(county: County, document: dict):
    assert county.served.http.get("/openapi.json").json() == json.loads(json.dumps(document))


def test_every_operation_has_a_stable_name_and_a_problem(document: dict):
    names = []
    for path in document["paths"].values():
        for operation in path.values():
            names.append(operation["operationId"])
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
            assert "422" not in operation["responses"]
    assert len(set(names)) == len(names)
    assert "recordDose" in names


def test_whatever_is_not_described_as_open_answers_no_stranger(county: County, document: dict):
    open_to_all = set()
    for path, operations in document["paths"].items():
        address = re.sub(r"\{[^}]+\}", "x", path)
        for method, operation in operations.items():
            status = county.served.http.request(method, address).status_code
            assert (status == 401) == bool(operation.get("security")), operation["operationId"]
            if status != 401:
                open_to_all.add(operation["operationId"])
    assert {one for one in open_to_all if not one.startswith("evaluate")} == {
        "getCheckpoint", "getLogKeys", "getLogKeyHistory", "getPolicy", "getTile",
        "getInclusionProof", "getConsistencyProof", "getSchema", "getStatementStatus",
        "getTrustList", "getTrustRoot", "getStatusList", "getSupersededList", "listOffers",
        "isAlive", "isReady", "getVersion", "getMetrics", "mintDevelopmentToken",
        "getFrontPage", "getStyle", "getPageScript", "getIcon", "listProblems", "getProblem",
    }  # fmt: skip


def test_signed_writes_name_their_topics_and_schemas(document: dict):
    topics: set[str] = set()
    for path in document["paths"].values():
        operation = path.get("post", {})
        for topic, reference in operation.get("x-vaxledger-statements", {}).items():
            topics.add(topic)
            schema = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
            assert "derived" not in schema["properties"]
            assert set(operation["responses"]) == {"201", "202", "default"}
    assert topics == set(HANDLERS)


def _tree(root):
    return [root, *(cls for child in root.__subclasses__() for cls in _tree(child))]
