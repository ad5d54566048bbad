"""What a person sees in a browser, at the width of a telephone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from bootstrap.settings import Settings
from tests.browsers import IN_A_BROWSER, PHONE, chromium, opened_page
from tests.crash.serving import Installation, free_port

pytestmark = IN_A_BROWSER


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
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_page(browser) as page:
        yield page


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
