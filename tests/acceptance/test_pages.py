"""What a person sees in a browser, at the width of a telephone."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bootstrap.settings import Settings
from tests.crash.serving import Installation, free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None and os.environ.get("CI") != "true",
        reason="no Chromium on this machine (Debian: apt-get install chromium)",
    ),
]


@pytest.fixture(scope="module")
def site(servers_dir: Path) -> Iterator[str]:
    installation = Installation(Settings(data_dir=servers_dir / "pages", port=free_port()))
    installation.start()
    try:
        installation.until_ready()
        yield installation.addresses().http_url
    finally:
        installation.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM is not None, "CI installs Chromium; see .ci/run"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=PHONE, locale="zh-CN")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert not complaints, "the browser complained"


def test_the_first_page_speaks_chinese_first_and_fits_a_telephone(page: Page, site: str):
    page.goto(site)
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator("h1").inner_text() == "预防接种记录完整性账本"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_link_of_the_first_page_opens(page: Page, site: str):
    page.goto(site)
    links = page.locator("a")
    addresses = [links.nth(n).get_attribute("href") or "" for n in range(links.count())]
    assert {"/checkpoint", "/openapi.json", "/problems"} <= set(addresses)
    for address in addresses:
        answer = page.request.get(site + address)
        assert answer.ok, address


def test_a_problem_opens_into_a_page_that_says_what_to_do(page: Page, site: str):
    problem = page.request.get(f"{site}/v1/records/nothing").json()
    page.goto(site + problem["type"])
    assert page.locator("h1").inner_text() == problem["type"].rsplit("/", 1)[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_first_page_can_be_walked_with_the_keyboard(page: Page, site: str):
    page.goto(site)
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
    assert reached[0] == "#main", "the first stop skips to the content"
    assert "/checkpoint" in reached
