"""The page that verifies credentials: in a real browser, offline, beside our own verifier."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from certificates.verify import verify
from tests.browsers import IN_A_BROWSER, PHONE, chromium
from tests.integration.api.conftest import County
from tests.integration.api.test_http_credentials import (
    Carrier,
    carrier,
    correct,
    lists_of,
    renew,
)

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def held(county: County) -> Carrier:
    return carrier(county)


@dataclass
class Opened:
    """The page in a browser of its own, and everything that it asked the server for."""

    context: BrowserContext
    page: Page
    asked: list[str]

    def verdict(self, text: str) -> str:
        self.page.fill("#text", text)
        self.page.click("#paste button")
        self.page.wait_for_selector("#result [data-verdict]:focus", timeout=60_000)
        found = self.page.get_attribute("#result [data-verdict]", "data-verdict")
        self.page.evaluate("document.querySelector('#result').replaceChildren()")
        assert found is not None
        return found


@pytest.fixture
def opened(browser: Browser, county: County, held: Carrier) -> Iterator[Opened]:
    held.carried()
    with_size = {"width": PHONE["width"], "height": PHONE["height"]}
    context = browser.new_context(viewport=with_size, locale="zh-CN")
    page, asked, complaints = context.new_page(), [], []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.goto(f"{county.served.url}/verify")
    page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    yield Opened(context, page, asked)
    context.close()
    assert not complaints


def test_a_certificate_is_shown_in_chinese_with_all_its_doses(opened: Opened, held: Carrier):
    text = held.carried()["credential"]
    opened.page.fill("#text", text)
    opened.page.click("#paste button")
    opened.page.wait_for_selector("#result [data-verdict=valid]", timeout=60_000)
    said = opened.page.inner_text("#result")
    for expected in ("有效", "王小明", "2014-06-15", "2014-08-15", "2014-09-20", "不等于没有接种"):
        assert expected in said
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]


def test_it_verifies_without_a_network_after_it_was_opened_once(
    opened: Opened, county: County, held: Carrier
):
    text = held.carried()["credential"]
    opened.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    opened.context.set_offline(offline=True)
    opened.page.reload()
    opened.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    assert opened.verdict(text) == "valid"
    opened.context.set_offline(offline=False)


def test_nothing_of_a_credential_leaves_the_browser(opened: Opened, held: Carrier):
    opened.asked.clear()
    assert opened.verdict(held.carried()["credential"]) == "valid"
    assert opened.asked == []


def test_the_browser_says_what_our_own_verifier_says(opened: Opened, county: County):
    family = carrier(county)
    corrected, school = family.carried()["credential"], family.verdict()["credential"]
    correct(family, family.doses[0], "immediate")
    renew(county)
    county.served.caught_up()
    valid = family.carried()["credential"]
    half = len(valid) // 2
    other = "A" if valid[half] != "A" else "B"
    texts = [
        *(valid, corrected, school, family.verdict()["credential"]),
        *(valid[:half] + other + valid[half + 1 :], valid[:-3], valid + "00", valid.lower()),
        *("HC1:", "hello", "HC1:" + "Z" * 5_000, "HC1:6BF", f"{valid} "),
    ]
    opened.page.click("#update")
    opened.page.wait_for_function(
        "fetch('/certificates/status/0').then(() => true)", timeout=60_000
    )
    opened.page.reload()
    opened.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    trust, statuses = lists_of(county)
    now = datetime.now(UTC)
    expected = [str(verify(text, trust, statuses, now).verdict) for text in texts]
    assert [opened.verdict(text) for text in texts] == expected
    assert {"valid", "superseded", "altered"} <= set(expected)


def test_a_list_of_nobody_who_is_trusted_changes_nothing(opened: Opened, held: Carrier):
    """Neither a forged list nor an older one takes the place of the newest that was seen."""
    text = held.carried()["credential"]
    for body in (b"", b"\xd2\x84", b"\x00" * 100):
        opened.context.route(
            "**/certificates/**", lambda route, _, body=body: route.fulfill(status=200, body=body)
        )
        opened.page.click("#update")
        opened.page.wait_for_function("document.querySelector('#lists').textContent.length > 0")
        assert opened.verdict(text) == "valid"
        opened.context.unroute("**/certificates/**")


def test_the_page_speaks_english_too(opened: Opened, county: County, tmp_path: Path):
    opened.page.goto(f"{county.served.url}/verify?lang=en")
    opened.page.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    assert "Verify a vaccination certificate" in opened.page.inner_text("h1")
    assert opened.verdict("HC1:") == "altered"
