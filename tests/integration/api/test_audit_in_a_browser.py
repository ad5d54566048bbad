"""A regulator at a desk, and on a telephone: sign in, replay, verify, print."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import DESK, IN_A_BROWSER, PHONE, chromium, opened_page
from tests.integration.api.conftest import County
from tests.integration.api.family import Family, family

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def household(county: County) -> Family:
    return family(county)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(browser: Browser, county: County, household: Family, request) -> Iterator[Page]:
    """The audit of the elder child, opened by a regulator who had to sign in first."""
    with opened_page(browser, request.param) as page:
        page.goto(f"{county.served.url}/audit/{household.child.record}")
        page.get_by_label("身份", exact=True).select_option("regulator")
        page.get_by_role("button", name="登录").click()
        expect(page.locator("h1")).to_have_text("档案审计")
        yield page


def entries(page: Page) -> int:
    return page.locator("article.entry").count()


def test_it_fits_speaks_chinese_and_shows_before_and_after(page: Page):
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    expect(page.locator("del", has_text="赵医生")).to_be_visible()
    expect(page.locator("ins", has_text="钱医生")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("Audit of a record")
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="中文").click()  # the cookie is this context's alone


def test_the_slider_replays_with_the_keyboard(page: Page):
    whole = entries(page)
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("article.entry")).to_have_count(1)
    assert "step=1" in page.url
    page.get_by_role("link", name="现在").click()
    expect(page.locator("article.entry")).to_have_count(whole)


def test_the_browser_climbs_to_the_root_of_the_checkpoint(page: Page, county: County):
    page.get_by_role("button", name="在浏览器中核验").click()
    verdict = page.locator("[data-verdict]")
    expect(verdict).to_have_class("good")
    assert re.search(rf"{entries(page)} · [0-9a-f]{{64}}$", verdict.inner_text())
    with page.expect_download() as download:
        page.get_by_role("link", name="下载证据包").click()
    assert download.value.suggested_filename.endswith(".dossier.json")


def test_an_altered_entry_is_found_by_the_browser(page: Page):
    def alter(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("A20140601", "A20140602"))

    page.route("**/dossier?*", alter)
    page.get_by_role("button", name="在浏览器中核验").click()
    verdict = page.locator("[data-verdict]")
    expect(verdict).to_have_class("bad")
    assert re.search(r"：[0-9]+$", verdict.inner_text())


def test_paper_has_the_trail_and_no_buttons(page: Page):
    page.emulate_media(media="print")
    for hidden in ("header.top", "form", "[data-print]", "details"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator("article.entry").first).to_be_visible()
    assert len(page.pdf()) > 10_000


def test_a_lot_is_recalled_keys_have_a_history_and_alarms_are_told(page: Page, county: County):
    page.goto(f"{county.served.url}/audit")
    page.get_by_role("link", name="批号追溯").click()
    page.get_by_label("上市许可持有人").fill("北京生物")
    page.get_by_label("批号").fill("A20140601")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("table").get_by_text("李梅").first).to_be_visible()
    page.goto(f"{county.served.url}/audit")
    page.get_by_role("link", name="密钥历史").click()
    page.get_by_label("单位").select_option(str(county.clinic.organisation))
    page.get_by_role("button", name="显示").click()
    expect(page.locator("code", has_text=county.clinic.key.keyid)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.goto(f"{county.served.url}/audit")
    page.get_by_role("link", name="警报").click()
    expect(page.locator("dd.good").first).to_have_text("正常")
