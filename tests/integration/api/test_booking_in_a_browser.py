"""Citizens, the staff of a site and its county book, scan and count in a browser."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from client.identifiers import new_id
from client.signing import Draft
from commands.principal import Role
from tests.browsers import IN_A_BROWSER, PHONE, before_the_camera, chromium, opened_page
from tests.days import begin_within_a_day, today
from tests.drafts import id_number
from tests.integration.api.conftest import Author, Child, County, admit, citizen, dose
from tests.integration.api.family import ok
from tests.integration.api.test_my_pages_in_a_browser import fits, is_drawn
from tests.qr_codes import film, pixels

pytestmark = IN_A_BROWSER

DISTRICT, TOWN = "431122", "431122001"
VERO = "新冠病毒灭活疫苗（Vero细胞）"


@pytest.fixture(scope="module")
def camera(tmp_path_factory) -> Path:
    """What stands before the browser's camera, once it is switched on."""
    return tmp_path_factory.mktemp("camera") / "film.y4m"


@pytest.fixture(scope="module")
def browser(camera: Path) -> Iterator[Browser]:
    with chromium(*before_the_camera(camera)) as running:
        yield running


@pytest.fixture(scope="module")
def cdc(county: County) -> Author:
    return admit(county.operator, Role.COUNTY_CDC, "东安县疾控中心", "county-cdc", DISTRICT)


@pytest.fixture(scope="module")
def site(cdc: Author) -> Author:
    return admit(cdc, Role.CLINIC, "白牙市接种点", "clinic", TOWN)


def open_supply(county: County, site: Author, on: date, capacity: int, **changes: str) -> UUID:
    data: dict[str, Any] = {
        "site": str(site.organisation),
        "division": TOWN,
        "on": on.isoformat(),
        "product": "inactivated_vero",
        "slots": [{"starts": "08:00", "ends": "09:00", "capacity": capacity}],
    }
    data["slots"][0] |= changes
    draft = Draft("slot-supply.opened.v1", new_id(), 0, data)
    assert site.post("/v1/slot-supplies", draft).status_code == 201
    county.served.caught_up()
    return draft.stream


def book(citizen: Author, supply: UUID) -> str:
    home = {"residence_division": DISTRICT, "detail_address": "白牙市镇沿江路12号"}
    wish = {"supply": str(supply), "slot": 1, "dose_number": 1, "person": home}
    stream = ok(citizen.call("/v1/appointments", wish)).json()["stream"]
    ok(citizen.call(f"/v1/appointments/{stream}/confirmation", {}))
    return stream


def give_today(site: Author, number: str) -> None:
    """Register the grown-up, with the dose of the booked product that was given just now."""
    handle = uuid4()
    data = {
        "kind": "adult",
        "recipient": str(handle),
        "guardians": [],
        "birth_year": 1985,
        "managing_organisation": str(site.organisation),
        "division": TOWN,
        "roll": "active",
    }
    values = {"name": "周正", "birth_date": "1985-06-01", "id_number": number}
    values["sex"] = "male" if int(number[16]) % 2 else "female"
    draft = Draft("vaccination-record.registered.v1", new_id(), 0, data, {handle: values})
    ok(site.post("/v1/records", draft))
    given = dose(
        site,
        Child(draft.stream, handle, handle, ""),
        at="T00:00:01+08:00",
        vaccine="COVID-Vero",
        product="新型冠状病毒灭活疫苗（Vero细胞）",
        occurred_on=today().isoformat(),
        expires_on="2099-01-01",
    )
    ok(site.post(f"/v1/records/{draft.stream}/doses", given))


def sign_in(page: Page, county: County, number: str | None = None) -> None:
    page.goto(f"{county.served.url}/book")
    page.get_by_label("身份", exact=True).select_option("adult")
    page.get_by_label("姓名（仅个人）").fill("周正")
    page.get_by_label("身份证号（仅个人）").fill(number or id_number("19850601"))
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
    return today() + timedelta(days=days)


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


def test_a_citizen_moves_the_booking_and_is_told_where_a_full_hour_is(
    browser: Browser, county: County, site: Author, tmp_path: Path
):
    number = id_number("19850601")
    first, full, other = (in_days(days) for days in (8, 9, 10))
    someone = citizen(county.served, number, role=Role.ADULT, name="周正")
    stream = book(someone, open_supply(county, site, first, 1))
    taken = open_supply(county, site, full, 1)
    open_supply(county, site, other, 2)
    with opened_page(browser, PHONE) as page:
        sign_in(page, county, number)
        page.goto(f"{county.served.url}/book/{stream}")
        page.get_by_role("button", name="查询其他时间").click()
        page.get_by_label(f"{full} 08:00").check()
        book(citizen(county.served, id_number("19850601"), role=Role.ADULT), taken)
        page.get_by_role("button", name="改到这一时间").click()
        expect(page.get_by_role("alert")).to_contain_text("号源")
        fits(page, tmp_path, "move")
        page.get_by_label(f"{other} 08:00").check()
        page.get_by_role("button", name="改到这一时间").click()
        expect(page.locator("h1")).to_contain_text(str(other))
        expect(page.locator(".badge")).to_have_text("已预约")
    assert county.served.parts.desk.bookings.seats.free(
        county.served.parts.desk.bookings.supply(taken), 1
    ) == []  # fmt: skip


def test_staff_scan_a_booking_on_arrival_and_after_the_dose(
    browser: Browser, county: County, site: Author, camera: Path, tmp_path: Path
):
    begin_within_a_day()
    number = id_number("19850601")
    supply = open_supply(county, site, today(), 2, starts="00:00", ends="23:59")
    someone = citizen(county.served, number, role=Role.ADULT, name="周正")
    stream = book(someone, supply)
    county.served.caught_up()
    headers = someone.bearer | {"Accept": "image/png"}
    path = f"/v1/appointments/{stream}/code"
    camera.write_bytes(film(pixels(county.served.http.get(path, headers=headers).content)))
    with opened_page(browser, PHONE) as page:
        enter(page, county, site, "/site")
        scan(page)
        page.get_by_label("出示的身份证号").fill(number)
        page.get_by_label("已签署知情同意书").check()
        page.get_by_role("button", name="核验通过").click()
        expect(page.locator("h1 .badge")).to_have_text("已到场核验")
        expect(page.locator("main")).to_contain_text("请先在门诊工作台登记")
        give_today(site, number)
        page.goto(f"{county.served.url}/site")
        scan(page)
        fits(page, tmp_path, "to-redeem")
        page.get_by_role("button", name="核销").click()
        expect(page.locator("h1 .badge")).to_have_text("已核销")
        page.get_by_role("link", name="返回名单").click()
        page.get_by_text("现场登记（未预约）").click()
        for label, text in (
            ("姓名", "吴桐"),
            ("身份证号", id_number("19850601")),
            ("现居住地区划代码", DISTRICT),
            ("详细地址（汉字和数字）", "白牙市镇沿江路12号"),
        ):
            page.get_by_label(label, exact=True).fill(text)
        fits(page, tmp_path, "walk-in")
        page.get_by_role("button", name="登记并占用号源").click()
        expect(page.locator("h1")).to_have_text("吴桐 已预约")
        page.get_by_role("link", name="返回名单").click()
        expect(page.locator("h2", has_text="今日名单")).to_contain_text("2")
        expect(page.get_by_text("现场登记（未预约）")).to_have_count(0)  # no seat is left


def scan(page: Page) -> None:
    """Hold the code before the camera of the site's page."""
    page.wait_for_selector("body[data-ready=yes]")
    page.get_by_role("button", name="用摄像头扫码").click()
    expect(page.locator("h1")).to_contain_text("周正")


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
        page.get_by_label("疫苗").select_option("inactivated_vero")
        page.get_by_label("号源数", exact=True).fill("3")
        page.get_by_role("button", name="开放").click()
        expect(page.locator(".badge")).to_have_text(["0/3"])
        supply = county.served.views.bookings.supply_of(site.organisation, on)[0].supply
        stream = book(someone, supply)
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
        expect(page.locator("dl")).to_contain_text(f"{VERO}，第 1 剂")
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
        expect(cells).to_have_text([str(on), VERO, "2", "0", "0", "0", "0", "2"])
        fits(page, tmp_path, "supply")


def enter(page: Page, county: County, who: Author, path: str) -> None:
    page.goto(f"{county.served.url}{path}")
    page.get_by_label("身份", exact=True).select_option(str(who.organisation))
    page.get_by_role("button", name="登录").click()
    expect(page.locator("h1")).to_contain_text("号源" if "supply" in path else "接种点")
