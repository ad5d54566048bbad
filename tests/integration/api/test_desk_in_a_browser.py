"""A nurse at the desk, on a telephone and on a screen: register, record, correct."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from commands.principal import Role
from tests.browsers import DESK, IN_A_BROWSER, PHONE, chromium, opened_page
from tests.drafts import id_number
from tests.integration.api.conftest import TOWNSHIP, Author, County, admit

pytestmark = IN_A_BROWSER


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def clinic(county: County) -> Author:
    clinic = admit(county.cdc, Role.CLINIC, "窗口门诊", "clinic", TOWNSHIP)
    county.served.caught_up()
    return clinic


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(browser: Browser, clinic: Author, request) -> Iterator[Page]:
    with opened_page(browser, request.param) as page:
        page.goto(f"{clinic.served.url}/desk")
        page.get_by_label("身份", exact=True).select_option(str(clinic.organisation))
        page.get_by_role("button", name="登录").click()
        expect(page.locator("h1")).to_have_text("门诊工作台")
        yield page


def fits(page: Page, folder: Path, name: str) -> None:
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


DOSE = {
    "occurred_at": "2014-08-15T09:30",
    "lot": "A20140601",
    "product": "重组乙型肝炎疫苗",
    "maker": "北京生物",
    "expires_on": "2017-01-31",
    "vaccinator": "赵医生",
}


def register(page: Page, tmp_path: Path) -> str:
    """Open a record at the desk; returns its address."""
    page.get_by_role("link", name="新建档案").click()
    page.locator("[name=name]").fill("张小宝")
    page.locator("[name=birth_date]").fill("2014-06-15")
    page.locator("[name=id_number]").fill(id_number())
    page.locator("[name=guardian_name]").fill("李梅")
    fits(page, tmp_path, "register")
    page.get_by_role("button", name="建档").click()
    expect(page.locator("h1")).to_contain_text("张小宝")
    return page.url.partition("?")[0]


def give(page: Page, tmp_path: Path) -> None:
    """Record a dose of a package that the desk has not seen before."""
    package = f"81{id_number()}"
    for name, text in {**DOSE, "vaccine": "HepB", "package_code": package}.items():
        page.locator(f"form[action$=doses] [name={name}]").fill(text)
    page.get_by_label("已询问健康状况和禁忌").check()
    page.get_by_label("受种者、接种证、疫苗已核对一致").check()
    fits(page, tmp_path, "record")
    page.get_by_role("button", name="登记接种").click()
    expect(page.locator("h1")).to_have_text("回执")


def left_to_type(page: Page) -> list[str | None]:
    """What the desk does not know of the next dose out of a box."""
    needed = page.locator("form[action$=doses] input[required]:not([type=checkbox])").all()
    return [field.get_attribute("name") for field in needed if not field.input_value()]


def test_a_child_is_registered_given_a_dose_and_corrected(page: Page, tmp_path: Path):
    fits(page, tmp_path, "search")
    record = register(page, tmp_path)
    give(page, tmp_path)
    expect(page.locator("pre")).to_contain_text("c2sp.org/tlog-proof@v1")
    fits(page, tmp_path, "receipt")
    page.goto(f"{record}?vaccine=HepB")
    expect(page.locator("[name=lot]")).to_have_value("A20140601")
    assert left_to_type(page) == ["package_code"]  # a scanner types it: half a minute is enough
    page.locator("#main").get_by_role("link", name="更正").click()
    page.locator("#lot").fill("A20140602")
    page.locator("#site").select_option("RA")
    fits(page, tmp_path, "dose")
    page.get_by_role("button", name="申请更正").click()
    expect(page.locator("del")).to_have_text(["A20140601", "左上臂"])
    expect(page.locator("ins")).to_have_text(["A20140602", "右上臂"])
    decided(page)
    fits(page, tmp_path, "correction")
    page.get_by_role("link", name="English").click()
    expect(page.locator(".badge")).to_have_text("applied")
    expect(page.locator("ins").last).to_have_text("Right upper arm")
    page.get_by_role("link", name="中文").click()


def decided(page: Page) -> None:
    """Verify a correction, then apply it."""
    page.get_by_role("button", name="核实").click()
    page.get_by_role("button", name="执行").click()
    expect(page.locator(".badge")).to_have_text("已执行")


def reinstated(page: Page, tmp_path: Path, record: str) -> None:
    """Strike the one dose out, and take that back."""
    page.locator("#main").get_by_role("link", name="更正").click()
    page.get_by_role("button", name="申请作废").click()
    decided(page)
    page.goto(record)
    fits(page, tmp_path, "struck")
    page.get_by_role("link", name="恢复").click()
    fits(page, tmp_path, "reinstate")
    page.get_by_role("button", name="申请恢复").click()
    expect(page.locator("tbody")).to_have_text("恢复")
    decided(page)
    page.goto(record)
    expect(page.get_by_role("link", name="恢复")).to_have_count(0)
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_correction_is_withdrawn_and_the_dose_stays_as_it_was(page: Page, tmp_path: Path):
    record = register(page, tmp_path)
    give(page, tmp_path)
    page.goto(record)
    page.locator("#main").get_by_role("link", name="更正").click()
    page.get_by_role("button", name="申请作废").click()
    expect(page.locator(".badge")).to_have_text("已申请")
    expect(page.locator("tbody")).to_have_text("作废（误录）")
    fits(page, tmp_path, "asked")
    page.get_by_role("button", name="撤回").click()
    expect(page.locator(".badge")).to_have_text("已撤回")
    expect(page.get_by_role("button", name="核实")).to_have_count(0)
    fits(page, tmp_path, "withdrawn")
    page.goto(f"{page.url}?lang=en")
    expect(page.locator(".badge")).to_have_text("withdrawn")
    page.goto(f"{record}?lang=zh")
    expect(page.locator("tbody tr")).to_have_count(1)
    reinstated(page, tmp_path, record)
    page.goto(page.url.replace("/desk/records/", "/audit/").partition("?")[0])
    withdrawn = page.locator("article.entry", has_text="更正撤回")
    expect(withdrawn).to_contain_text("申请有误")
    expect(page.locator("article.entry").last).to_contain_text("接种记录已恢复")
