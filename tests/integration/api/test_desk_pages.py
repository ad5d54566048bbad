"""The clinic's desk as a browser without scripts uses it."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bootstrap.fsck import inspect
from client.identifiers import new_id
from client.sources import StoreSource
from client.trust import Trust
from client.verify import verify_log
from commands.principal import Role
from ledger.entry import Entry
from ledger.store.finding import Finding
from tests.drafts import id_number
from tests.integration.api.conftest import TOWNSHIP, Author, County, admit

DOSE = {
    "vaccine": "0201",
    "occurred_at": "2014-08-15T09:30",
    "product": "重组乙型肝炎疫苗",
    "maker": "北京生物",
    "lot": "A20140601",
    "expires_on": "2017-01-31",
    "site": "LA",
    "route": "IM",
    "quantity": "0.5 mL",
    "vaccinator": "赵医生",
    "consent": "paper",
    "health_asked": "on",
    "matched": "on",
}


class Browser:
    """Whoever sits at the desk."""

    def __init__(self, author: Author) -> None:
        self.author = author
        token = author.bearer["Authorization"].removeprefix("Bearer ")
        self.http = httpx.Client(
            base_url=author.served.url,
            cookies={"session": token},
            headers={"Sec-Fetch-Site": "same-origin"},
            follow_redirects=True,
            timeout=60,
        )

    def get(self, path: str) -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, status: int = 200, **fields: str) -> httpx.Response:
        answer = self.http.post(path, data=fields)
        assert answer.status_code == status, answer.text
        return answer


@pytest.fixture
def sit() -> Iterator[Callable[[Author], Browser]]:
    with ExitStack() as stack:

        def down(author: Author) -> Browser:
            browser = Browser(author)
            stack.enter_context(browser.http)
            return browser

        yield down


@pytest.fixture
def browser(county: County, sit) -> Browser:
    return sit(admit(county.cdc, Role.CLINIC, "工作台门诊", "clinic", TOWNSHIP))


def value(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found[1]


def enter(browser: Browser, **more: str) -> tuple[str, str]:
    """Register a child; return the path of its page and its number."""
    number = id_number()
    person = {
        "kind": "child",
        "name": "王小明",
        "sex": "male",
        "birth_date": "2014-06-15",
        "id_number": number,
        "guardian_name": "李梅",
        "guardian_relation": "mother",
        **more,
    }
    answer = browser.post("/desk/register", key=str(uuid4()), **person)
    return answer.url.path, number


def last_entry(browser: Browser) -> Entry:
    served = browser.author.served
    return Entry.decode(served.parts.reader.recorded(served.head()))


def give(browser: Browser, record: str, **more: str) -> httpx.Response:
    html = browser.get(record)
    fields = {name: value(html, name) for name in ("key", "version")}
    package = f"81{uuid4().int % 10**18:018d}"
    return browser.post(f"{record}/doses", **{**DOSE, **fields, "package_code": package, **more})


def shown_doses(browser: Browser, record: str) -> list[dict[str, Any]]:
    browser.author.served.caught_up()
    found = browser.author.get(record.replace("/desk", "/v1")).json()["doses"]
    assert isinstance(found, list)
    return found


def test_a_child_is_registered_found_and_given_a_dose_with_a_receipt(browser: Browser):
    record, number = enter(browser)
    entry = last_entry(browser)
    platform = str(browser.author.served.parts.services.platform.organisation)
    assert (entry.topic, entry.author.org) == ("vaccination-record.registered.v1", platform)
    assert entry.data["managing_organisation"] == str(browser.author.organisation)
    browser.author.served.caught_up()
    for asked in ({"id_number": number}, {"name": "王小明", "birth_date": "2014-06-15"}):
        assert record in browser.post("/desk", **asked).text
    receipt = give(browser, record)
    assert receipt.url.path.startswith("/desk/receipts/")
    assert "c2sp.org/tlog-proof@v1" in receipt.text
    entry = last_entry(browser)
    assert (entry.topic, entry.author.org) == ("vaccination-record.dose-administered.v1", platform)
    assert entry.data["clinic"] == str(browser.author.organisation)
    (dose,) = shown_doses(browser, record)
    assert (dose["vaccine"], dose["lot"]) == ("HepB", "A20140601")
    again = browser.get(f"{record}?vaccine=HepB")
    assert (value(again, "lot"), value(again, "vaccinator")) == ("A20140601", "赵医生")


def test_a_form_sent_twice_is_written_once(browser: Browser):
    record, _ = enter(browser)
    html = browser.get(record)
    fields = {name: value(html, name) for name in ("key", "version")}
    package = f"81{uuid4().int % 10**18:018d}"
    sent = {**DOSE, **fields, "package_code": package}
    head = browser.author.served.head()
    first, second = (browser.post(f"{record}/doses", **sent) for _ in range(2))
    assert first.url == second.url
    assert browser.author.served.head() == head + 1
    browser.post(f"{record}/doses", status=409, **{**sent, "lot": "B1"})
    person = {"kind": "child", "name": "王小明", "sex": "male", "birth_date": "2014-06-15"}
    key = str(new_id())
    first, second = (browser.post("/desk/register", key=key, **person) for _ in range(2))
    assert first.url == second.url
    browser.post("/desk/register", status=409, key=key, **{**person, "name": "王大明"})


def test_what_the_platform_signed_at_the_desk_holds_for_everyone(browser: Browser):
    served = browser.author.served
    before = served.head()
    record, _ = enter(browser)
    give(browser, record)
    findings: list[Finding] = []
    inspect(served.parts, findings.append, lambda *_: None, full=False)
    own = range(before + 1, served.head() + 1)
    assert [found for found in findings if found.position in own] == []
    trust = Trust.parse(served.http.get("/log.vkey").content, served.parts.settings.origin)
    verify_log(StoreSource(served.parts.reader), trust)


def test_what_is_refused_is_a_page_that_says_why(browser: Browser):
    record, _ = enter(browser)
    html = browser.get(record)
    fields = {name: value(html, name) for name in ("key", "version")}
    early = {**DOSE, **fields, "package_code": "81000000000000000099"}
    answer = browser.post(
        f"{record}/doses", status=422, **{**early, "occurred_at": "2013-01-01T09:30"}
    )
    assert "接种日期早于出生日期" in answer.text
    unasked = {name: text for name, text in early.items() if name != "health_asked"}
    answer = browser.post(f"{record}/doses", status=422, **unasked)
    assert "未询问健康状况" in answer.text
    answer = browser.post(f"{record}/doses", status=422, **{**early, "vaccine": "1902"})
    assert "不同系统中代表不同疫苗" in answer.text
    for wrong in ({"key": "x"}, {"version": "-1"}, {"occurred_at": "yesterday"}):
        browser.post(f"{record}/doses", status=422, **{**early, **wrong})


def test_a_dose_is_corrected_with_before_and_after_or_the_request_withdrawn(
    county: County, browser: Browser
):
    record, _ = enter(browser)
    give(browser, record)
    (dose,) = shown_doses(browser, record)
    form = f"{record}/doses/{dose['dose']}"
    why = {"reason": "typing-error", "requested_by": "clinic"}
    html = browser.get(form)
    asked = browser.post(form, key=value(html, "key"), kind="amend", lot="A20140602", **why)
    assert "<del>A20140601</del>" in asked.text
    assert "<ins>A20140602</ins>" in asked.text
    for step, version in (("verified", "1"), ("applied", "2")):
        page = browser.post(f"{asked.url.path}/{step}", key=str(uuid4()), version=version)
    assert "已执行" in page.text
    html = browser.get(form)
    struck = browser.post(form, key=value(html, "key"), kind="entered-in-error", **why)
    page = browser.post(
        f"{struck.url.path}/withdrawn", key=str(uuid4()), version="1", reason="requested-in-error"
    )
    assert "已撤回" in page.text
    assert len(shown_doses(browser, record)) == 1
    _who_entered_it_is_told_by_the_trail_alone(county, browser, record)


def _who_entered_it_is_told_by_the_trail_alone(county: County, browser: Browser, record: str):
    answer = county.regulator.get(f"{record.replace('/desk', '/v1')}/audit")
    lines = answer.json()["lines"]
    entered = [line for line in lines if not line["topic"].endswith("dose-corrected.v1")]
    assert len(entered) == 7
    assert {line["entered_by"] for line in entered} == {browser.author.principal.subject}
    reader = browser.author.served.parts.reader
    for line in lines:
        assert browser.author.principal.subject not in reader.recorded(line["position"]).decode()


def test_the_desk_is_for_clinics_and_for_forms_of_our_own(county: County, browser: Browser, sit):
    for author in (county.school, county.cdc, county.regulator):
        other = sit(author)
        assert other.http.get("/desk").status_code == 403
        assert other.http.post("/desk/register", data={"key": str(uuid4())}).status_code == 403
    record, _ = enter(browser)
    far = sit(county.far_clinic)
    assert far.http.get(record).status_code == 404
    foreign = browser.http.post(
        "/desk", data={"id_number": "1"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403


def test_who_sat_at_the_desk_is_noted(county: County, browser: Browser):
    record, _ = enter(browser)
    reads = county.cdc.get(f"{record.replace('/desk', '/v1')}/access").json()["reads"]
    assert "entry" in [read["what"] for read in reads]
