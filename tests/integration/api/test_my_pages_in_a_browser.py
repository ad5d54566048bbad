"""A mother on her telephone: signs in, claims, opens the certificate, shows the code."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsers import IN_A_BROWSER, PHONE, chromium, opened_page
from tests.drafts import id_number
from tests.integration.api.conftest import Child, County, dose, doses_path, register
from tests.integration.api.family import ok

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def child(county: County) -> Child:
    number = id_number("19880303", is_female=True)
    child = register(county.clinic, number=id_number(), mother_number=number)
    ok(county.clinic.post(doses_path(child), dose(county.clinic, child)))
    county.served.caught_up()
    return child


@pytest.fixture
def page(browser: Browser, county: County, child: Child) -> Iterator[Page]:
    with opened_page(browser, PHONE) as page:
        page.goto(f"{county.served.url}/my")
        page.get_by_label("身份", exact=True).select_option("guardian")
        page.get_by_label("姓名（仅个人）").fill("李梅")
        page.get_by_label("身份证号（仅个人）").fill(child.mother_number)
        page.get_by_role("button", name="登录").click()
        expect(page.locator("h1")).to_have_text("我的接种证")
        yield page


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def is_drawn(page: Page) -> bool:
    code = page.locator("img.code")
    expect(code).to_have_js_property("complete", value=True, timeout=60_000)
    return code.evaluate("image => image.naturalWidth") > 0


def test_she_claims_reads_carries_and_shows(page: Page):
    expect(page.get_by_text("王小明")).to_be_visible()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="同意并申领").click()
    expect(page.locator("h1")).to_have_text("王小明", timeout=60_000)
    expect(page.get_by_text("不等于没有接种")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert is_drawn(page)
    assert fits(page)
    page.get_by_role("link", name="亮码接种").click()
    expect(page.get_by_text("截图无效")).to_be_visible()
    assert is_drawn(page)
    assert fits(page)
    page.get_by_role("link", name="我的接种证").click()
    expect(page.get_by_role("link", name="查看接种证")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("My certificates")
    page.get_by_role("link", name="中文").click()
    assert fits(page)


def test_a_stranger_sees_neither_certificate_nor_code(county: County, browser: Browser, page: Page):
    held = page.get_by_role("link", name="查看接种证").get_attribute("href")
    with opened_page(browser, PHONE) as other:
        other.goto(f"{county.served.url}/my")
        other.get_by_label("身份", exact=True).select_option("guardian")
        other.get_by_label("姓名（仅个人）").fill("赵六")
        other.get_by_label("身份证号（仅个人）").fill(id_number("19790101"))
        other.get_by_role("button", name="登录").click()
        expect(other.get_by_text("未查询到")).to_be_visible()
        for path in ("", "/code.svg", "/show", "/show.svg"):
            answer = other.request.get(f"{county.served.url}{held}{path}")
            assert answer.status == 404
