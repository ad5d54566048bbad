"""Class lists as schools write them: a verdict for each row, whatever is in it."""

from datetime import date
from io import BytesIO
from uuid import UUID

import pytest
from openpyxl import Workbook

from client.class_rows import ClassList, Terms, Verdict, as_text
from client.importing.columns import ColumnMissing, ColumnTwice
from client.sheet import SheetRefused

TERMS = Terms(UUID(int=1), "410221001", 2026, "primary", date(2026, 9, 1))
HEADINGS = "班级,编号,姓名,性别,出生日期,身份证号,入学方式"
NUMBER = "110105199912310022"


def read(text, encoding="utf-8"):
    return list(ClassList(TERMS).read(BytesIO(text.encode(encoding))))


def fault(line):
    (pupil,) = read(f"{HEADINGS}\n{line}\n")
    assert pupil.verdict is Verdict.REFUSED
    assert pupil.fault is not None, "the row was taken"
    return pupil.fault.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_is_read_in_the_encodings_of_its_programs(encoding):
    (pupil,) = read(f"{HEADINGS}\n一（1）班,3,王小明,男,2020/6/15,,转学\n", encoding)
    assert pupil.fault is None
    assert (pupil.class_name, pupil.number, pupil.name) == ("一（1）班", 3, "王小明")
    assert (pupil.birth_date, pupil.sex) == ("2020-06-15", "male")
    assert (pupil.joined_on, pupil.admission) == ("2026-09-01", "transfer")


def test_pupils_as_text_read_as_the_same_pupils():
    rows = f'一（1）班,3,王小明,女,1999/12/31,{NUMBER},转学\n一班,1,"A ""B""",,2020-1-2,,\n'
    pupils = read(f"{HEADINGS}\n{rows}")
    assert [one.fault for one in pupils] == [None, None]
    assert read(as_text(pupils)) == pupils


def test_without_a_column_of_numbers_each_class_is_numbered_in_its_order():
    rows = "一班,甲,2020-01-01\n二班,乙,2020-01-02\n一班,丙,2020-01-03\n"
    pupils = read(f"班级,姓名,出生日期\n{rows}")
    assert [(one.class_name, one.number) for one in pupils] == [
        ("一班", 1),
        ("二班", 1),
        ("一班", 2),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("一班,1,王小明、李小红,男,2020-06-15,,", "two-children"),
        ("一班,1,王小明,男,2020-02-30,,", "no-such-day"),
        ("一班,1,王小明,男,1985-01-01,,", "not-born-then"),
        ("一班,1,王小明,男,2031-01-01,,", "not-born-then"),
        ("一班,1,王小明,不详,2020-06-15,,", "sex-unknown"),
        ("一班,1,王小明,男,2020-06-15,,留级", "admission-unknown"),
        ("一班,0,王小明,男,2020-06-15,,", "number-out-of-range"),
        ("一班,１２３４５,王小明,男,2020-06-15,,", "number-out-of-range"),
        (",1,王小明,男,2020-06-15,,", "cell-empty"),
        ("一班,1,,男,2020-06-15,,", "cell-empty"),
        (f"{'长' * 51},1,王小明,男,2020-06-15,,", "text-refused"),
        ("一班,1,王小明,男,2020-06-15,１１,", "invalid-id-number"),
        ("一班,1,王小明,男,2020-06-15,110105194912310021,", "invalid-id-number"),
        ("一班,1,王小明,男,2020-06-15,11010519491231002X,", "birth-date-mismatch"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_that_row(line, code):
    assert fault(line) == code


def test_a_child_or_a_number_stands_once():
    line = "一班,1,王小明,男,2020-06-15,,\n"
    pupils = read(
        f"{HEADINGS}\n{line}二班,7,王小明,男,2020-06-15,,\n一班,1,李小红,女,2020-01-05,,\n"
    )
    assert [one.fault and one.fault.facts["what"] for one in pupils] == [None, "child", "number"]


def test_a_workbook_with_formulas_and_merged_cells_is_judged_row_by_row():
    book = Workbook()
    sheet = book.active
    sheet.append(["班级", "姓名", "出生日期"])
    sheet.append(["一班", "王小明", date(2020, 6, 15)])
    sheet.append(["一班", "李小红", "=DATE(2020,1,5)"])
    sheet.append(["二班", "张三", date(2020, 3, 4)])
    sheet.append([None, "李四", date(2020, 3, 5)])
    sheet.merge_cells("A4:A5")
    out = BytesIO()
    book.save(out)
    out.seek(0)
    pupils = list(ClassList(TERMS).read(out))
    codes = [one.fault and one.fault.code for one in pupils]
    assert codes == [None, "formula-in-cell", None, "cell-empty"]
    assert pupils[0].birth_date == "2020-06-15"


def test_headings_that_do_not_do():
    with pytest.raises(ColumnMissing):
        read("姓名,出生日期\n王小明,2020-06-15\n")
    with pytest.raises(ColumnTwice):
        read("班级,姓名,学生姓名,出生日期\n一班,王小明,王小明,2020-06-15\n")
    with pytest.raises(SheetRefused):
        read("")


def test_a_hundred_thousand_rows_have_a_verdict_each():
    lines = "".join(f"{n // 50}班,{n % 50 + 1},儿童{n},男,2020-06-15,,\n" for n in range(99_999))
    pupils = read(f"{HEADINGS}\n{lines}一班,x,坏行,男,2020-06-15,,\n")
    assert len(pupils) == 100_000
    assert [one.row for one in pupils if one.fault] == [100_001]


def test_a_line_of_the_review_has_no_name_and_no_number():
    (pupil,) = read(f"{HEADINGS}\n一班,1,王小明,女,1999-12-31,{NUMBER},\n")
    assert pupil.fault is None
    told = str(pupil.told())
    assert "王小明" not in told
    assert NUMBER not in told
