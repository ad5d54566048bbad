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


def test_a_child_is_registered_given_a_dose_and_corrected(page: Page, tmp_path: Path):
    page.set_default_timeout(60_000)
    fits(page, tmp_path, "search")
    page.get_by_role("link", name="新建档案").click()
    page.locator("[name=name]").fill("张小宝")
    page.locator("[name=birth_date]").fill("2014-06-15")
    page.locator("[name=id_number]").fill(id_number())
    page.locator("[name=guardian_name]").fill("李梅")
    fits(page, tmp_path, "register")
    page.get_by_role("button", name="建档").click()
    expect(page.locator("h1")).to_contain_text("张小宝")
    record = page.url.partition("?")[0]
    dose = {
        "vaccine": "HepB",
        "occurred_at": "2014-08-15T09:30",
        "lot": "A20140601",
        "package_code": f"81{id_number()}",
        "product": "重组乙型肝炎疫苗",
        "maker": "北京生物",
        "expires_on": "2017-01-31",
        "vaccinator": "赵医生",
    }
    for name, text in dose.items():
        page.locator(f"form[action$=doses] [name={name}]").fill(text)
    page.get_by_label("已询问健康状况和禁忌").check()
    page.get_by_label("受种者、接种证、疫苗已核对一致").check()
    fits(page, tmp_path, "record")
    page.get_by_role("button", name="登记接种").click()
    expect(page.locator("h1")).to_have_text("回执")
    expect(page.locator("pre")).to_contain_text("c2sp.org/tlog-proof@v1")
    fits(page, tmp_path, "receipt")
    page.goto(f"{record}?vaccine=HepB")
    expect(page.locator("[name=lot]")).to_have_value("A20140601")
    page.locator("#main").get_by_role("link", name="更正").click()
    page.locator("#lot").fill("A20140602")
    fits(page, tmp_path, "dose")
    page.get_by_role("button", name="申请更正").click()
    expect(page.locator("del")).to_have_text("A20140601")
    expect(page.locator("ins")).to_have_text("A20140602")
    page.get_by_role("button", name="核实").click()
    page.get_by_role("button", name="执行").click()
    expect(page.locator(".badge")).to_have_text("已执行")
    fits(page, tmp_path, "correction")
    page.get_by_role("link", name="English").click()
    expect(page.locator(".badge")).to_have_text("applied")
    page.get_by_role("link", name="中文").click()
