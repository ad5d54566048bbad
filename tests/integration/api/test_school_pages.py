"""Pages of the school check: who sees which, and that their numbers are those of the forms."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import httpx
import pytest
from openpyxl import Workbook
from playwright.sync_api import Browser, Page, expect

from tests.browsers import DESK, IN_A_BROWSER, PHONE, chromium, opened_page
from tests.integration.api.conftest import Author, County, register
from tests.integration.api.school_county import YEAR, SchoolCounty, school_county


@pytest.fixture(scope="module")
def place(county: County) -> SchoolCounty:
    """Three children of one class: two checked, of whom one has no certificate."""
    place = school_county(county, "410276")
    pupils = [place.pupil("一（1）班", number, name=f"页面{number}") for number in (1, 2, 3)]
    pupils[0].check()
    pupils[1].check(has_certificate=False)
    place.served.caught_up()
    return place


def opened(author: Author, path: str) -> httpx.Response:
    """A page as its browser gets it."""
    token = author.served.token(author.principal)
    cookies = {"session": token}
    with httpx.Client(base_url=author.served.url, cookies=cookies, timeout=60) as http:
        return http.get(path, follow_redirects=True)


def test_a_school_is_led_to_its_own_page(place: SchoolCounty):
    answer = opened(place.school, f"/school?school_year={YEAR}")
    assert answer.status_code == 200
    assert "城关小学" in answer.text
    tasks = re.findall(r"<dd[^>]*>([^<]*)</dd>", answer.text)
    assert tasks[:5] == ["1", "1", "2021-10-01", "1", "2"]


def test_a_class_shows_the_form(place: SchoolCounty):
    path = f"/school/{place.school.organisation}/class?name=一（1）班&school_year={YEAR}"
    text = opened(place.school, path).text
    assert text.count("<tr>") == 1 + 3 + 3
    assert "页面2" in text
    assert "╳" in text
    assert "2021-10-01" in text, "the last day of who is not checked yet"


def test_the_form_of_a_class_speaks_english(place: SchoolCounty):
    path = f"/school/{place.school.organisation}/class?name=一（1）班&school_year={YEAR}&lang=en"
    text = opened(place.school, path).text
    assert "MenAC 2</th>" in text
    assert "Made good" in text
    assert "页面2" in text
    assert "查验小计" not in text


def test_whoever_may_not_see_a_school_finds_none(place: SchoolCounty, county: County):
    path = f"/school/{place.school.organisation}"
    for other in (place.kindergarten, county.school, county.cdc, place.clinic):
        assert opened(other, path).status_code == 404
    for other in (place.township, place.cdc, place.school):
        assert opened(other, path).status_code == 200
    assert opened(place.school, "/roll-up").status_code == 403
    assert opened(county.cdc, f"/roll-up?division={place.division}").status_code == 403


def test_the_files_of_a_school_open_with_a_session(place: SchoolCounty):
    path = f"/school/{place.school.organisation}/register.pdf?school_year={YEAR}"
    assert opened(place.township, path).content.startswith(b"%PDF")
    path = f"/school/{place.school.organisation}/notice.pdf?school_year={YEAR}&name=一（1）班"
    assert opened(place.school, path).content.startswith(b"%PDF")
    assert opened(place.clinic, path).status_code == 404
    assert opened(place.cdc, f"/roll-up/form.xlsx?school_year={YEAR}").content.startswith(b"PK")


def test_a_number_of_the_page_opens_into_as_many_children(place: SchoolCounty):
    text = opened(place.cdc, f"/roll-up?school_year={YEAR}").text
    links = re.findall(r'<a href="(/roll-up/children[^"]*)">(\d+)</a>', text)
    assert links
    for address, count in links:
        children = opened(place.cdc, address.replace("&amp;", "&")).text
        assert children.count("<tr>") - 1 == int(count), address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def signed_in(page: Page, author: Author, path: str) -> None:
    page.goto(f"{author.served.url}{path}")
    page.get_by_label("身份", exact=True).select_option(str(author.organisation))
    page.get_by_role("button", name="登录").click()


class TestInABrowser:
    pytestmark = IN_A_BROWSER

    @pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
    def page(self, browser: Browser, request) -> Iterator[Page]:
        with opened_page(browser, request.param) as page:
            yield page

    def fits(self, page: Page) -> bool:
        width = page.evaluate("document.documentElement.scrollWidth")
        return width <= page.viewport_size["width"]

    def test_a_school_finds_its_class_and_prints(self, page: Page, place: SchoolCounty):
        signed_in(page, place.school, f"/school?school_year={YEAR}")
        expect(page.locator("h1")).to_have_text("城关小学")
        assert self.fits(page)
        page.get_by_role("link", name="一（1）班", exact=True).click()
        expect(page.locator("tbody tr")).to_have_count(3)
        assert self.fits(page)

    def test_a_county_opens_a_number_down_to_the_child(self, page: Page, place: SchoolCounty):
        signed_in(page, place.cdc, f"/roll-up?school_year={YEAR}")
        expect(page.get_by_role("heading", name="指标")).to_be_visible()
        assert self.fits(page)
        page.get_by_role("link", name="城关镇卫生院").click()
        page.get_by_role("link", name="城关小学").first.click()
        expect(page.locator("h1")).to_have_text("城关小学")
        page.go_back()
        page.locator("tfoot a").first.click()
        expect(page.get_by_role("cell", name="页面3")).to_be_visible()
        assert self.fits(page)

    def test_it_speaks_english(self, page: Page, place: SchoolCounty):
        signed_in(page, place.cdc, f"/roll-up?school_year={YEAR}&lang=en")
        expect(page.get_by_role("heading", name="Rates")).to_be_visible()
        page.get_by_role("link", name="中文").click()
        expect(page.get_by_role("heading", name="指标")).to_be_visible()


def sent(
    author: Author, path: str, shown: str, file: bytes | None = None, **changes: str
) -> httpx.Response:
    """The form of a page as its browser sends it, and the page after it."""
    page = opened(author, shown).text
    form = page[page.index(f'action="{path}"') :].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)"[^>]*? value="([^"]*)"', form)) | changes
    cookies = {"session": author.served.token(author.principal)}
    headers = {"sec-fetch-site": "same-origin"}
    files = {"file": ("名单.xlsx", file or b"")} if "multipart/form-data" in form else None
    with httpx.Client(
        base_url=author.served.url, cookies=cookies, headers=headers, timeout=60
    ) as http:
        answer = http.post(path, data=fields, files=files)
        if not answer.is_redirect:
            return answer
        author.served.caught_up()
        return http.get(answer.headers["location"], follow_redirects=True)


def test_forms_are_handed_in_at_the_page(place: SchoolCounty):
    """S-6, S-14, S-17."""
    shown = f"/school?school_year={YEAR}"
    assert "未上报" in opened(place.school, shown).text
    after = sent(place.school, "/school/registers", shown)
    assert after.status_code == 200
    assert "现行" in after.text
    again = sent(place.school, "/school/registers", shown)
    assert "已替代" in again.text
    posters = sent(place.school, "/preparations", shown, count="2", done_on="2021-06-10")
    assert "已完成 2021-06-10" in posters.text
    shown = f"/roll-up?school_year={YEAR}"
    reported = sent(place.township, "/roll-up/reports", shown)
    assert "现行" in reported.text
    asked = {"school_year": YEAR, "entry_type": "primary", "level": "township"}
    body = place.cdc.get(f"/v1/divisions/{place.division}/roll-up-reports", **asked).json()
    (report,) = [one["newest"] for one in body["units"] if one["versions"]]
    assert place.cdc.get(f"/v1/roll-up-reports/{report}").json()["agrees"] is True


def test_notices_are_noted_at_the_page_once(place: SchoolCounty):
    """S-6: for those who are ticked; who was told already is not ticked any more."""
    place.pupil("通知班", 1, name="通知甲")
    place.pupil("通知班", 2, name="通知乙")
    place.served.caught_up()
    shown = f"/school/{place.school.organisation}/notices?name=通知班&school_year={YEAR}"
    page = opened(place.school, shown).text
    assert page.count("尚未通知") == 2
    assert 'name="child-' not in opened(place.cdc, shown).text, "only the school notes its own"
    boxes = re.findall(r'name="(child-[^"]+)"', page)
    head = place.served.head()
    fields = dict(re.findall(r'name="(key|name|school_year)" value="([^"]*)"', page))
    fields |= {"given_on": f"{YEAR}-06-20", "channel": "wechat", boxes[0]: "1"}
    cookies = {"session": place.served.token(place.school.principal)}
    headers = {"sec-fetch-site": "same-origin"}
    with httpx.Client(
        base_url=place.served.url, cookies=cookies, headers=headers, timeout=60
    ) as http:
        for _ in range(2):
            answer = http.post("/school/notices", data=fields)
            assert answer.status_code == 303, answer.text
        place.served.caught_up()
        after = http.get(answer.headers["location"]).text
        assert http.post("/school/notices", data={**fields, boxes[0]: "x"}).status_code == 422
    assert place.served.head() == head + 1, "a form that is sent again is one"
    assert f"{YEAR}-06-20</span> 微信" in after
    assert re.findall(r'value="(\d)" aria-label="通知.">', after) == ["2"], "not ticked any more"
    assert after.count("尚未通知") == 1
    assert ">1/2<" in opened(place.school, f"/school?school_year={YEAR}").text


def test_a_pasted_class_list_is_reviewed_and_then_enrolled(place: SchoolCounty):
    register(place.clinic, name="名单一")
    place.served.caught_up()
    known = "班级\t姓名\t出生日期\n小班\t名单一\t2014-06-15\n"
    asked = {"school_year": "2022", "joined_on": "2022-09-01"}
    shown = "/school/class-list"
    head = place.served.head()
    missing = sent(
        place.kindergarten, shown, shown, rows=f"{known}小班\t无此人\t2014-06-15\n", **asked
    )
    assert "未找到档案" in missing.text
    assert "全部登记" not in missing.text
    twice = sent(place.kindergarten, shown, shown, rows="姓名\n甲\n", **asked)
    assert "warning bad" in twice.text
    review = sent(place.kindergarten, shown, shown, rows=known, **asked)
    assert "已找到档案" in review.text
    assert place.served.head() == head, "nothing is written before it was looked at"
    (name,) = re.findall(r'name="reviewed" value="([0-9a-f]{64})"', review.text)
    for _ in range(2):
        school = sent(place.kindergarten, shown, shown, rows=known, reviewed=name, **asked)
        assert "小班" in school.text
    assert place.served.head() == head + 1, "it is enrolled once"
    assert opened(place.clinic, shown).status_code == 403


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in [["班级", "姓名", "性别", "出生日期"], *rows]:
        book.active.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_an_uploaded_workbook_is_reviewed_and_enrolled_as_it_was_reviewed(place: SchoolCounty):
    register(place.clinic, name="名单二")
    place.served.caught_up()
    asked = {"school_year": "2023", "joined_on": "2023-09-01"}
    shown = "/school/class-list"
    child = ["中班", "名单二", "男", date(2014, 6, 15)]
    wrong = workbook(child, ["中班", "张三、李四", "男", date(2014, 6, 15)], ["中班", "=1+1"])
    review = sent(place.kindergarten, shown, shown, wrong, **asked)
    assert "一行只能填写一名儿童" in review.text
    assert "姓名 · 单元格含公式" in review.text
    assert "全部登记" not in review.text
    review = sent(place.kindergarten, shown, shown, workbook(["", "", "", None], child), **asked)
    (name,) = re.findall(r'name="reviewed" value="([0-9a-f]{64})"', review.text)
    (rows,) = re.findall(r'name="rows" value="([^"]*)"', review.text)
    head = place.served.head()
    done = sent(place.kindergarten, shown, shown, rows=rows, reviewed=name, **asked)
    assert "中班" in done.text
    assert place.served.head() == head + 1


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (b"PK\x03\x04 no workbook", "无法读取"),
        (b"\xd0\xcf\x11\xe0 an old one", "无法读取"),
        ("班级,姓名,出生日期\n" + "一班,甲,2014-06-15\n" * 1_001, "超过允许的大小"),
    ],
    ids=["damaged", "xls", "too-long"],
)
def test_a_file_that_cannot_be_taken_is_told(place: SchoolCounty, file: bytes | str, problem: str):
    asked = {"school_year": "2023", "joined_on": "2023-09-01"}
    raw = file.encode() if isinstance(file, str) else file
    answer = sent(place.kindergarten, "/school/class-list", "/school/class-list", raw, **asked)
    assert problem in answer.text


def test_a_workbook_that_unpacks_to_too_much_is_refused(place: SchoolCounty):
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", bytes(9 << 20))
    asked = {"school_year": "2023", "joined_on": "2023-09-01"}
    shown = "/school/class-list"
    answer = sent(place.kindergarten, shown, shown, bomb.getvalue(), **asked)
    assert "超过允许的大小" in answer.text


def test_files_are_taken_so_often_only(place: SchoolCounty):
    school = place.kindergarten
    sender = replace(school, principal=replace(school.principal, subject="of files"))
    asked = {"school_year": "2023", "joined_on": "2023-09-01"}
    shown = "/school/class-list"
    answers = (sent(sender, shown, shown, b"PK no workbook", **asked) for _ in range(60))
    assert any(answer.status_code == 429 for answer in answers)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b'--x\r\nContent-Disposition: form-data; name="rows"\r\n\r\na', 422),
        (b"--x\r\n\r\nno name\r\n--x--", 422),
        (b'--x\r\nContent-Disposition: form-data; name="rows"\r\n\r\na\r\n' * 2 + b"--x--", 422),
        (bytes(2_097_153), 413),
    ],
    ids=["empty", "no-end", "no-name", "twice", "too-large"],
)
def test_a_form_that_is_none_is_refused(place: SchoolCounty, body: bytes, status: int):
    cookies = {"session": place.served.token(place.school.principal)}
    headers = {
        "sec-fetch-site": "same-origin",
        "content-type": "multipart/form-data; boundary=x",
    }
    with httpx.Client(base_url=place.served.url, cookies=cookies, timeout=60) as http:
        answer = http.post("/school/class-list", content=body, headers=headers)
        assert answer.status_code == status
        del headers["sec-fetch-site"]
        foreign = http.post("/school/class-list", content=b"", headers=headers)
        assert foreign.status_code == 403


def test_nobody_hands_in_for_others_at_a_page(place: SchoolCounty):
    assert (
        "上报登记表</button>" not in opened(place.cdc, f"/school/{place.school.organisation}").text
    )
    shown = f"/roll-up?school_year={YEAR}"
    head = place.served.head()
    page = opened(place.cdc, shown).text
    assert 'action="/roll-up/reports"' in page
    cookies = {"session": place.served.token(place.school.principal)}
    headers = {"sec-fetch-site": "same-origin"}
    with httpx.Client(
        base_url=place.served.url, cookies=cookies, headers=headers, timeout=60
    ) as http:
        assert http.post("/roll-up/reports", data={"key": "x"}).status_code == 403
    assert place.served.head() == head
