"""Forms as files: nothing is lost on the way to paper, and equal values give equal bytes."""

import hashlib
import subprocess
import sys
from datetime import date
from io import BytesIO

import pypdfium2
import pytest
from openpyxl import load_workbook

from printing.certificate import CertificateForm, CertificateLine
from printing.glyphs import drawable
from printing.register import PrintedClass, RegisterForm
from printing.roll_up import RollUpForm
from projections import annex3, annex4

DAY = date(2018, 9, 30)


def child(number, pupil="张小明"):
    doses = [
        "/" if number % 3 == index % 7 else "18/10" if index == 5 else "" for index in range(22)
    ]
    return [str(number), pupil, "男", "2012-03-04", "13800138000", "是", "╳", *doses, "否"]


def one_class(name, count, **options):
    sums = [
        [title, "", "", "", "", "1", "2", *["3"] * 22, ""]
        for title in ("查验小计", "无证、漏种小计", "补证、补种小计")
    ]
    return PrintedClass(name, [child(number, **options) for number in range(1, count + 1)], sums)


def register(*classes):
    return RegisterForm("开封市", "鼓楼区第一实验小学", DAY, "附件3 · 账本位置 12345", classes)


def roll_up(rows=40):
    row = ["示范幼儿园", *range(1, 29)]
    return RollUpForm(
        "鼓楼区疾控中心", True, DAY, "附件4", [row] * rows, ["合计", *range(101, 129)]
    )


def pages(pdf):
    """The text of each page, without the line breaks that narrow cells make."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [
            "".join(document[index].get_textpage().get_text_range().split())
            for index in range(len(document))
        ]


def test_every_page_of_a_register_repeats_the_heads_and_no_row_is_lost():
    text = pages(register(one_class("一年级（1）班", 75), one_class("一年级（2）班", 3)).pdf())
    assert len(text) == 3
    for page in text:
        assert "预防接种证查验登记表" in page
        assert "含麻疹成分疫苗" in page
        assert "鼓楼区第一实验小学" in page
    assert sum(page.count("13800138000") for page in text) == 78
    assert ["班级：一年级（1）班" in page for page in text] == [True, True, False]
    assert "班级：一年级（2）班" in text[2]
    assert "第3页共3页" in text[2]
    assert all("小计" in page for page in text[1:])


@pytest.mark.parametrize("count", [37, 38, 39, 40, 41])
def test_the_subtotals_of_a_class_stand_together_on_one_page(count):
    text = pages(register(one_class("一年级（1）班", count)).pdf())
    assert sorted(page.count("小计") for page in text) == [0, 3]


def test_a_roll_up_repeats_its_head_and_ends_with_the_total():
    text = pages(roll_up(60).pdf())
    assert len(text) > 1
    assert all("应补种剂次" in page and "入托（√）" in page for page in text)
    assert "合计101102" in text[-1]


def test_the_headings_are_those_of_the_forms():
    book = load_workbook(BytesIO(register(one_class("一班", 1)).xlsx()))
    assert tuple(cell.value for cell in book["一班"][2]) == annex3.COLUMNS
    book = load_workbook(BytesIO(roll_up().xlsx()))
    assert tuple(cell.value for cell in book["入托"][2]) == annex4.COLUMNS


def certificate(count=22, **fields):
    lines = [
        CertificateLine(f"疫苗{n // 4}", DAY, "左上臂", f"2018A{n:03}", "北京生物", "第一门诊")
        for n in range(count)
    ]
    values = {
        "name": "张小明",
        "sex": "男",
        "birth_date": date(2012, 3, 4),
        "holder": "李梅",
        "managed_by": "第一门诊",
        "identifier": "0f" * 16,
        "lines": lines,
        "withheld": 0,
        "differs": False,
        "notices": ("此处没有某次接种的记录，不等于没有接种。",),
        "day": DAY,
        "foot": "账本位置 12345",
    }
    return CertificateForm(**(values | fields))


def test_a_certificate_has_every_dose_in_its_vaccines_row_and_says_that_it_is_complete():
    text = "".join(pages(certificate().pdf()))
    assert [text.count(f"2018A{n:03}") for n in range(22)] == [1] * 22
    assert text.count("疫苗3") == 1
    assert "共22剂次，已全部打印" in text
    assert "不等于没有接种" in text
    kept_back = "".join(pages(certificate(withheld=2, differs=True).pdf()))
    assert "共24剂次，其中2剂次（犬伤处置系统）未打印" in kept_back
    assert "有差异" in kept_back
    assert "无接种记录" in "".join(pages(certificate(0).pdf()))


def test_a_name_without_a_glyph_is_printed_with_its_code_point():
    assert drawable("张喆䶮") == "张喆䶮"
    assert drawable("张\U0003106c") == "张〓[U+3106C]"
    (text,) = pages(register(one_class("一班", 1, pupil="张\U0003106c")).pdf())
    assert "张〓[U+3106C]" in text.replace("\n", "")


def test_every_mark_and_heading_has_a_glyph():
    for text in (*annex3.COLUMNS, *annex4.COLUMNS, "√╳/禁", annex3.ERASED, annex3.RESTRICTED):
        assert drawable(text) == text


@pytest.mark.parametrize("kind", ["pdf", "xlsx"])
def test_another_process_makes_the_same_bytes(kind):
    form = "register(one_class('一班', 40))"
    made = getattr(register(one_class("一班", 40)), kind)()
    assert made == getattr(register(one_class("一班", 40)), kind)()
    program = (
        "import hashlib; from tests.unit.printing.test_forms import *; "
        f"print(hashlib.sha256({form}.{kind}()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == hashlib.sha256(made).hexdigest()


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("http://x")', "+A1", "@SUM(A1)", "-2"])
def test_a_name_that_looks_like_a_formula_stays_text(name):
    made = register(one_class("一班", 1, pupil=name)).xlsx()
    cell = load_workbook(BytesIO(made))["一班"]["B3"]
    assert (cell.value, cell.data_type) == (name, "s")


def test_markup_in_a_name_is_printed_as_it_is():
    (text,) = pages(register(one_class("#pagebreak()", 1, pupil="*张*$x$")).pdf())
    assert "*张*$x$" in text
    assert "班级：#pagebreak()" in text


def test_tabs_have_names_that_spreadsheets_accept_and_no_two_the_same():
    classes = [one_class(name, 1) for name in ("一/1", "一/1", "班" * 40, "班" * 41)]
    names = load_workbook(BytesIO(register(*classes).xlsx())).sheetnames
    assert names == ["一／1", "一／1 2", "班" * 31, "班" * 29 + " 4"]
