"""Tables as clinics and schools send them: Excel's CSV, GB18030, workbooks, and hostile ones."""

import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from client.sheet import (
    CellBeyondHeadings,
    DigitsLost,
    ErrorInCell,
    FormulaInCell,
    HeadingsRefused,
    Limits,
    SheetRefused,
    SheetTooLarge,
)
from client.sheets import open_sheet

HEADINGS = ("姓名", "出生日期")
ROWS = ({"姓名": "张㐂", "出生日期": "2014-06-15"}, {"姓名": "李四,五", "出生日期": "2014-07-01"})
TEXT = '姓名,出生日期\r\n张㐂,2014-06-15\r\n\r\n"李四,五", 2014-07-01 \r\n'


def cells(raw: bytes, limits: Limits | None = None):
    sheet = open_sheet(io.BytesIO(raw), limits)
    return tuple(sheet.headings), [dict(row.cells) for row in sheet.rows()]


def workbook(*rows: list) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_reads_alike_in_every_encoding_that_clinics_save(encoding):
    assert cells(TEXT.encode(encoding)) == (HEADINGS, list(ROWS))


@pytest.mark.parametrize("separator", ["\t", ";"])
def test_csv_is_read_with_the_separator_of_its_headings(separator):
    raw = f"姓名{separator}出生日期\n张三{separator}2014-06-15\n".encode()
    assert cells(raw)[1] == [{"姓名": "张三", "出生日期": "2014-06-15"}]


def test_a_name_at_the_very_end_decides_the_encoding():
    raw = b"name,note\n" + b"plain,plain\n" * 200_000 + "末名,x\n".encode("gb18030")
    sheet = open_sheet(io.BytesIO(raw))
    assert [*sheet.rows()][-1].cells["name"] == "末名"


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    sheet = open_sheet(io.BytesIO(TEXT.encode()))
    assert [row.number for row in sheet.rows()] == [2, 4]


def test_a_workbook_gives_dates_and_numbers_as_text():
    half_past_nine = datetime.fromisoformat("2014-06-15T09:30")
    raw = workbook(
        ["姓 名", "出生日期", "时间", "剂次", "身份证号"],
        [" 张三 ", date(2014, 6, 15), half_past_nine, 2.0, "110105194912310021"],
        [None, None, None, None, None],
        ["李四", None, None, None, None],
    )
    assert cells(raw) == (
        ("姓名", "出生日期", "时间", "剂次", "身份证号"),
        [
            {
                "姓名": "张三",
                "出生日期": "2014-06-15",
                "时间": "2014-06-15T09:30:00",
                "剂次": "2",
                "身份证号": "110105194912310021",
            },
            {"姓名": "李四"},
        ],
    )


def test_what_is_wrong_with_a_cell_is_told_with_its_row_and_the_others_go_on():
    raw = workbook(
        ["a", "b"],
        ['=HYPERLINK("http://x")', "1"],
        ["#N/A", "2"],
        [110105194912310021, "3"],
        ["x", "4", "behind the headings"],
        ["x", "5"],
    )
    found = [*open_sheet(io.BytesIO(raw)).rows()]
    assert [[type(fault) for fault in row.faults] for row in found] == [
        [FormulaInCell],
        [ErrorInCell],
        [DigitsLost],
        [CellBeyondHeadings],
        [],
    ]
    assert [row.cells["b"] for row in found] == ["1", "2", "3", "4", "5"]
    assert found[2].faults[0].facts == {"column": "a"}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "encrypted-or-xls"),
        (b"PK\x03\x04 no archive", "xlsx"),
        (b"\xff\xff\xff\xff", "encoding"),
        (b'a,b\n"open', "csv"),
    ],
)
def test_what_is_no_table_is_refused_in_words(raw, reason):
    with pytest.raises(SheetRefused) as refused:
        cells(raw)
    assert refused.value.facts["reason"] == reason


@pytest.mark.parametrize("headings", [b",b\n", b"a,a\n", "a,\uff41\n".encode(), b"\n"])
def test_every_column_must_have_a_name_of_its_own(headings):
    with pytest.raises(HeadingsRefused):
        cells(headings)


def test_a_table_beyond_its_limits_is_refused_before_it_is_held():
    limits = Limits(rows=2, columns=3, row_bytes=64, workbook_bytes=100_000)
    for raw in (
        b"a\n" + b"1\n" * 3,
        b"a,b,c,d\n",
        b"a\n" + b"x" * 65,
        workbook(["a"], ["1"], ["2"], ["3"]),
        workbook(["a", "b", "c", "d"]),
        _bomb(200_000),
    ):
        with pytest.raises(SheetTooLarge):
            cells(raw, limits)


def test_a_workbook_whose_xml_multiplies_itself_is_refused():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(9))
    sheet = f"""<!DOCTYPE t [{levels}]><worksheet xmlns="{_MAIN}"><sheetData><row r="1">
        <c r="A1" t="inlineStr"><is><t>&e8;</t></is></c></row></sheetData></worksheet>"""
    with pytest.raises(SheetRefused):
        cells(_with_part(workbook(["a"]), "xl/worksheets/sheet1.xml", sheet.encode()))


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", b"<row>" + b"<c/>" * 3_000 + b"</row>"),
        ("xl/worksheets/sheet1.xml", ("<c/>" * 3_000).encode("utf-16")),
        ("xl/styles.xml", b"<font/>" * 101),
        ("xl/workbook.xml", b'<x:sheet r:id="rId1"/>' * 101),
    ],
    ids=["cells", "cells-in-utf-16", "styles", "sheets"],
)
def test_a_workbook_of_many_tags_is_refused(part: str, content: bytes):
    raw = _with_part(workbook(["a"]), part, content)
    with pytest.raises(SheetTooLarge, match="workbook-tags"):
        cells(raw, Limits(workbook_tags=3_000))


def test_a_workbook_of_many_parts_is_refused():
    raw = workbook(["a"])
    for number in range(101):
        raw = _with_part(raw, f"xl/{number}.xml", b"")
    with pytest.raises(SheetTooLarge, match="workbook-tags"):
        cells(raw, Limits(workbook_tags=3_000))


def test_a_workbook_with_entities_is_refused_where_tags_are_counted():
    raw = _with_part(workbook(["a"]), "xl/styles.xml", b'<!DOCTYPE a [<!ENTITY e "<c/>">]>')
    with pytest.raises(SheetRefused, match="xlsx"):
        cells(raw, Limits(workbook_tags=100_000))


def test_a_plain_list_of_a_thousand_has_few_tags():
    rows = [[number, "一班", "王明", "2020-01-01", "男"] for number in range(1_000)]
    assert (
        len(
            cells(
                workbook(["编号", "班级", "姓名", "出生日期", "性别"], *rows),
                Limits(workbook_tags=100_000),
            )[1]
        )
        == 1_000
    )


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _bomb(size: int) -> bytes:
    return _with_part(workbook(["a"]), "xl/media/image1.png", b"\0" * size)


def _with_part(raw: bytes, name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            if part != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()
