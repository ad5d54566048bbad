"""A mother on her telephone: signs in, claims, opens the certificate, shows the code."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from client.signing import Draft
from domain.calendar import civil_day
from tests.browsers import DESK, IN_A_BROWSER, PHONE, chromium, opened_page
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
        sign_in(page, county, "李梅", child.mother_number)
        yield page


def sign_in(page: Page, county: County, name: str, number: str) -> None:
    page.goto(f"{county.served.url}/my")
    page.get_by_label("身份", exact=True).select_option("guardian")
    page.get_by_label("姓名（仅个人）").fill(name)
    page.get_by_label("身份证号（仅个人）").fill(number)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("h1")).to_have_text("我的接种证")


def claim(page: Page) -> None:
    """The last two of the five steps (C-12)."""
    page.get_by_role("link", name="信息无误").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="同意并申领").click()


def fits(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def is_drawn(page: Page) -> bool:
    code = page.locator("img.code")
    expect(code).to_have_js_property("complete", value=True, timeout=60_000)
    return code.evaluate("image => image.naturalWidth") > 0


def test_she_claims_reads_carries_and_shows(page: Page, tmp_path: Path):
    fits(page, tmp_path, "to-claim")
    expect(page.get_by_text("王小明")).to_be_visible()
    page.get_by_role("link", name="申领").click()
    expect(page.locator(".steps li")).to_have_count(4)
    expect(page.get_by_role("button", name="同意并申领")).to_have_count(0)
    fits(page, tmp_path, "particulars")
    claim(page)
    expect(page.locator("h1")).to_have_text("王小明")
    expect(page.get_by_text("不等于没有接种")).to_be_visible()
    expect(page.locator(".timeline li")).to_have_count(1)
    assert is_drawn(page)
    fits(page, tmp_path, "certificate")
    page.get_by_role("link", name="亮码接种").click()
    expect(page.get_by_text("截图无效")).to_be_visible()
    assert is_drawn(page)
    fits(page, tmp_path, "show")
    page.get_by_role("link", name="我的接种证").click()
    expect(page.get_by_role("link", name="查看接种证")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.locator("h1")).to_have_text("My certificates")
    page.get_by_role("link", name="中文").click()
    fits(page, tmp_path, "list")


def test_her_code_takes_the_child_through_a_visit(
    county: County, child: Child, page: Page, desk: Page, tmp_path: Path
):
    """C-19, from the picture on her screen to the observation."""
    page.get_by_role("link", name="亮码").click()
    is_queued, is_refused = desk.get_by_role("button", name="登记"), desk.get_by_text("失效")
    for _ in range(10):  # on a slow machine a code may be a minute old by now
        page.reload()
        assert is_drawn(page)
        picture = page.locator("img.code").screenshot()
        desk.goto(f"{county.served.url}/desk/visits")
        desk.wait_for_selector("body[data-ready=yes]")
        file = {"name": "code.png", "mimeType": "image/png", "buffer": picture}
        desk.set_input_files("#picture input", file)
        expect(is_queued.or_(is_refused)).to_be_visible()
        if is_queued.count():
            break
    expect(desk.locator("h1")).to_contain_text("王小明")
    fits(desk, tmp_path, "queued")
    is_queued.click()
    expect(desk.get_by_text("还没有登记接种")).to_be_visible()
    ok(county.clinic.post(doses_path(child), dose_of_today(county, child)))
    desk.reload()
    fits(desk, tmp_path, "registered")
    desk.get_by_role("button", name="开始留观").click()
    expect(desk.locator("[data-until]")).to_have_text(re.compile(r"^\d\d?:\d\d$"))
    fits(desk, tmp_path, "under-observation")
    desk.get_by_label("提前离开").check()
    desk.get_by_role("button", name="结束留观").click()
    expect(desk.locator("h1 .badge")).to_have_text("已完成")
    desk.get_by_role("link", name="返回今日就诊").click()
    expect(desk.locator("ol")).to_contain_text("王小明")
    fits(desk, tmp_path, "visits")
    desk.set_viewport_size(PHONE)
    fits(desk, tmp_path, "visits-on-a-telephone")


@pytest.fixture
def desk(browser: Browser, county: County) -> Iterator[Page]:
    """A clinic's page; that it is refused a code may be no fault."""
    page = browser.new_page(viewport=DESK, locale="zh-CN")
    page.set_default_timeout(60_000)
    page.goto(f"{county.served.url}/desk/visits")
    page.get_by_label("身份", exact=True).select_option(str(county.clinic.organisation))
    page.get_by_role("button", name="登录").click()
    expect(page.locator("h1")).to_have_text("亮码取号")
    yield page
    page.close()


def dose_of_today(county: County, child: Child) -> Draft:
    today = civil_day(datetime.now(UTC)).isoformat()
    given = {"occurred_on": today, "at": "T00:00:01+08:00", "expires_on": "2099-01-01"}
    return dose(county.clinic, replace(child, version=2), **given)


def test_she_grants_it_to_the_grandmother_and_takes_it_back(
    browser: Browser, county: County, page: Page, tmp_path: Path
):
    grandmother = id_number("19600101", is_female=True)
    page.get_by_role("link", name="查看接种证").click()
    page.get_by_role("link", name="授权").click()
    expect(page.locator("main")).to_contain_text("目前没有授权给任何人")
    page.get_by_label("姓名").fill("张桂英")
    page.get_by_label("手机号码").fill("13712345678")
    page.get_by_label("与儿童的关系").select_option("grandmother")
    page.get_by_label("亮码接种").check()
    page.get_by_label("查看接种记录").uncheck()
    page.get_by_label("身份证号").fill(
        f"{grandmother[:-1]}{'1' if grandmother[-1] == 'X' else 'X'}"
    )
    page.get_by_role("button", name="授权").click()
    expect(page.get_by_role("alert")).to_contain_text("invalid-id-number")
    fits(page, tmp_path, "grant-refused")
    expect(page.get_by_label("手机号码")).to_have_value("13712345678")
    expect(page.get_by_label("查看接种记录")).not_to_be_checked()
    page.get_by_label("身份证号").fill(grandmother)
    page.get_by_label("查看接种记录").check()
    page.get_by_role("button", name="授权").click()
    expect(page.locator("h3")).to_contain_text("张桂英")
    expect(page.locator("dl")).to_contain_text("查看接种记录、亮码接种")
    fits(page, tmp_path, "grants")
    with opened_page(browser, PHONE) as other:
        sign_in(other, county, "张桂英", grandmother)
        expect(other.get_by_text("他人授权")).to_be_visible()
        other.get_by_role("link", name="查看接种证").click()
        expect(other.locator("h1")).to_have_text("王小明")
        expect(other.get_by_role("link", name="授权")).to_have_count(0)
        for held in ("grants", "access", "credentials"):
            assert other.request.get(f"{other.url}/{held}").status == 404
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("ul")).to_contain_text("张桂英")
    expect(page.locator("main")).to_contain_text("目前没有授权给任何人")
    page.go_back()
    page.get_by_role("link", name="返回接种证").click()
    page.get_by_role("link", name="谁看过").click()
    expect(page.locator("main")).to_contain_text("您本人的查阅")
    expect(page.locator("ol")).to_contain_text("监护人或被授权人")
    fits(page, tmp_path, "access")


def test_she_loses_her_telephone_and_gives_the_certificate_up(page: Page, tmp_path: Path):
    page.get_by_role("link", name="查看接种证").click()
    assert is_drawn(page)
    page.get_by_role("link", name="挂失与放弃").click()
    fits(page, tmp_path, "credentials")
    lost = page.get_by_role("button", name="挂失")
    for left in reversed(range(lost.count())):  # the older one is true still, and may be lost too
        lost.first.click()
        expect(lost).to_have_count(left)
    expect(page.locator("main")).to_contain_text("目前没有有效的凭证")
    page.get_by_text("已失效的凭证").click()
    expect(page.locator("details li").first).to_contain_text("已挂失")
    fits(page, tmp_path, "credentials-lost")
    page.get_by_label("我确认放弃持有此接种证").check()
    page.get_by_role("button", name="放弃持有").click()
    expect(page.locator("h1")).to_have_text("我的接种证")
    expect(page.get_by_text("待申领")).to_be_visible()
    page.get_by_role("link", name="申领").click()
    claim(page)
    expect(page.locator("h1")).to_have_text("王小明")


def test_a_stranger_sees_neither_certificate_nor_code(county: County, browser: Browser, page: Page):
    held = page.get_by_role("link", name="查看接种证").get_attribute("href")
    with opened_page(browser, PHONE) as other:
        sign_in(other, county, "赵六", id_number("19790101"))
        expect(other.get_by_text("未查询到")).to_be_visible()
        for path in ("", "/code.svg", "/show", "/show.svg"):
            answer = other.request.get(f"{county.served.url}{held}{path}")
            assert answer.status == 404
