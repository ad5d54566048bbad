"""Citizens, the staff of a site and its county book, scan and count in a browser."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

from bootstrap.identifiers import new_id
from client.signing import Draft
from commands.principal import Role
from domain.calendar import civil_day
from tests.browsers import IN_A_BROWSER, PHONE, chromium, opened_page
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, admit, citizen
from tests.integration.api.test_my_pages_in_a_browser import fits, is_drawn

pytestmark = IN_A_BROWSER

DISTRICT, TOWN = "431122", "431122001"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def cdc(county: County) -> Author:
    return admit(county.operator, Role.COUNTY_CDC, "东安县疾控中心", "county-cdc", DISTRICT)


@pytest.fixture(scope="module")
def site(cdc: Author) -> Author:
    return admit(cdc, Role.CLINIC, "白牙市接种点", "clinic", TOWN)


def open_supply(county: County, site: Author, on: date, capacity: int) -> UUID:
    data = {
        "site": str(site.organisation),
        "division": TOWN,
        "on": on.isoformat(),
        "product": "inactivated_vero",
        "slots": [{"starts": "08:00", "ends": "09:00", "capacity": capacity}],
    }
    draft = Draft("slot-supply.opened.v1", new_id(), 0, data)
    assert site.post("/v1/slot-supplies", draft).status_code == 201
    county.served.caught_up()
    return draft.stream


def sign_in(page: Page, county: County) -> None:
    page.goto(f"{county.served.url}/book")
    page.get_by_label("身份", exact=True).select_option("adult")
    page.get_by_label("姓名（仅个人）").fill("周正")
    page.get_by_label("身份证号（仅个人）").fill(id_number("19850601"))
    page.get_by_role("button", name="登录").click()
    expect(page.locator("h1")).to_have_text("预约接种")


def choose(page: Page, on: date) -> None:
    """Find the hour of a day, and fill the form in."""
    page.get_by_label("疫苗").select_option("inactivated_vero")
    page.get_by_label("居住地或户籍地区划代码").fill(DISTRICT)
    page.get_by_role("button", name="查询").click()
    page.get_by_label(f"{on} 08:00").check()
    page.get_by_label("详细地址").fill("白牙市镇沿江路12号")


def in_days(days: int) -> date:
    return civil_day(datetime.now(UTC)) + timedelta(days=days)


def test_a_citizen_books_carries_the_code_and_cancels(
    browser: Browser, county: County, site: Author, tmp_path: Path
):
    on = in_days(5)
    open_supply(county, site, on, 3)
    with opened_page(browser, PHONE) as page:
        sign_in(page, county)
        choose(page, on)
        fits(page, tmp_path, "find")
        page.get_by_role("button", name="锁定号源").click()
        expect(page.locator(".badge")).to_have_text("待确认")
        page.get_by_role("button", name="确认预约").click()
        expect(page.locator(".badge")).to_have_text("已预约")
        assert is_drawn(page)
        fits(page, tmp_path, "booked")
        page.get_by_role("link", name="全部预约").click()
        expect(page.locator("main")).to_contain_text("我的预约")
        page.get_by_role("link", name=f"{on} 08:00").click()
        page.get_by_role("button", name="取消预约").click()
        expect(page.locator(".badge")).to_have_text("已取消")


def test_of_two_browsers_that_race_for_the_last_seat_one_gets_it(
    browser: Browser, county: County, site: Author
):
    on = in_days(6)
    open_supply(county, site, on, 1)
    with ExitStack() as stack:
        pages = [stack.enter_context(opened_page(browser, PHONE)) for _ in range(2)]
        for page in pages:
            sign_in(page, county)
            choose(page, on)
        for page in pages:  # both are on their way before either is answered
            page.evaluate("setTimeout(() => document.forms[2].requestSubmit())")
        outcomes = []
        for page in pages:
            told = page.locator(".badge", has_text="待确认").or_(page.get_by_role("alert").first)
            expect(told).to_be_visible()
            outcomes.append(told.inner_text())
        assert sum(outcome == "待确认" for outcome in outcomes) == 1, outcomes
        assert any("号源" in outcome for outcome in outcomes if outcome != "待确认")


def test_staff_open_seats_look_a_booking_up_and_call_it_off_and_the_county_counts(
    browser: Browser, county: County, cdc: Author, site: Author, tmp_path: Path
):
    on = in_days(7)
    someone = citizen(county.served, id_number("19850601"), role=Role.ADULT, name="周正")
    with opened_page(browser, PHONE) as page:
        enter(page, county, site, f"/site?day={on}")
        page.get_by_label("疫苗").fill("inactivated_vero")
        page.get_by_label("号源数", exact=True).fill("3")
        page.get_by_role("button", name="开放").click()
        expect(page.locator(".badge")).to_have_text(["0/3"])
        supply = county.served.views.bookings.supply_of(site.organisation, on)[0].supply
        home = {"residence_division": DISTRICT, "detail_address": "白牙市镇沿江路12号"}
        wish = {"supply": str(supply), "slot": 1, "dose_number": 1, "person": home}
        stream = someone.call("/v1/appointments", wish).json()["stream"]
        someone.call(f"/v1/appointments/{stream}/confirmation", {})
        number = someone.get(f"/v1/appointments/{stream}").json()["booking_number"]
        county.served.caught_up()
        page.reload()
        expect(page.locator(".badge")).to_have_text(["已预约", "1/3"])
        page.get_by_label("号源数（0 为停约）").fill("2")
        page.get_by_role("button", name="修改").click()
        expect(page.locator(".badge")).to_have_text(["已预约", "1/2"])
        fits(page, tmp_path, "site")
        page.get_by_label("预约编码，或扫描二维码").fill(number)
        page.get_by_role("button", name="核验").click()
        expect(page.locator("h1")).to_contain_text("周正")
        page.get_by_label("出示的身份证号").fill(id_number("19850601"))
        page.get_by_role("button", name="核验通过").click()
        expect(page.get_by_role("alert")).to_have_count(3)  # person, consent, hour
        fits(page, tmp_path, "refused")
        page.get_by_role("button", name="接种点取消").click()
        expect(page.locator(".badge")).to_have_text("已取消")
        page.get_by_role("link", name="返回名单").click()
        expect(page.locator(".badge")).to_have_text(["0/2"])
    with opened_page(browser, PHONE) as page:
        enter(page, county, cdc, f"/supply?day={on}")
        expect(page.locator("tbody tr").first).to_contain_text("白牙市接种点")
        cells = page.locator("tbody tr").first.locator("td")
        expect(cells).to_have_text([str(on), "inactivated_vero", "2", "0", "0", "0", "0", "2"])
        fits(page, tmp_path, "supply")


def enter(page: Page, county: County, who: Author, path: str) -> None:
    page.goto(f"{county.served.url}{path}")
    page.get_by_label("身份", exact=True).select_option(str(who.organisation))
    page.get_by_role("button", name="登录").click()
    expect(page.locator("h1")).to_contain_text("号源" if "supply" in path else "接种点")
