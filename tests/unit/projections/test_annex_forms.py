"""The forms of annexes 3 and 4 as pure functions of facts."""

from datetime import date

from domain.roll_up.register import PupilCheck
from domain.roll_up.row import DoseCount
from projections import annex3, annex4
from projections.annex3 import Particulars, Pupil, subtotals
from projections.annex4 import RollUpRow, total


def pupil(*, completed=None, particulars=None, **facts) -> Pupil:
    usual = {"checked_on": date(2018, 9, 5), "has_certificate": True, "complete": True}
    child = particulars or Particulars("甲", "male", date(2014, 2, 28), "139")
    return Pupil(1, child, PupilCheck(**(usual | facts)), completed)


def test_there_are_30_columns_of_which_22_are_doses_and_29_columns():
    assert len(annex3.COLUMNS) == 30
    assert len(annex3.DOSE_COLUMNS) == 22
    assert len(annex4.COLUMNS) == 29


def test_the_worked_marks_of_the_source():
    """S-11: lacking PV4 and MCV2: column 7 ╳, columns 15 and 22 `/`. S-12: 8 October is 8/10."""
    row = pupil(complete=False, missing={("PV", 4): None, ("MCV", 2): None}).row()
    assert row[6] == "╳"
    assert [number for number, cell in enumerate(row, 1) if cell == "/"] == [15, 22]
    made_up = pupil(complete=False, missing={("PV", 4): date(2018, 10, 8)}, completed=True).row()
    assert made_up[14] == "8/10"
    assert made_up[29] == "是"


def test_a_full_course_leaves_every_dose_cell_empty():
    assert pupil().row() == ("1", "甲", "男", "2014-02-28", "139", "是", "√", *[""] * 23)


def test_an_exempt_dose_has_its_own_mark_and_is_not_due():
    one = pupil(complete=False, exempt=frozenset({("DPT", 4)}))
    assert one.row()[18] == "禁"
    found = subtotals([one])
    assert (found.without_certificate, found.not_fully_vaccinated, found.missed) == (0, 1, {})


def test_the_second_dose_of_a_substitute_course_stands_in_the_one_column():
    """S-29: one HepA-I was given, the second is missing."""
    one = pupil(complete=False, missing={("HepA", 2): None})
    assert one.row()[28] == "/"
    assert subtotals([one]).rows()[1][28] == "1"


def test_a_child_before_the_check_counts_nowhere():
    one = pupil(checked_on=None, has_certificate=None, complete=None)
    assert one.row()[5:] == ("",) * 25
    assert subtotals([one]).checked == 0


def test_a_deleted_person_reads_deleted_in_all_four_columns():
    assert pupil(particulars=Particulars(erased=True)).row()[1:5] == ("已删除",) * 4


def test_a_person_not_there_yet_is_blank_and_not_deleted():
    assert pupil(particulars=Particulars()).row()[1:5] == ("",) * 4


def test_a_reissue_counts_only_for_a_child_found_without_certificate():
    found_with = pupil(reissued_on=date(2018, 10, 1))
    found_without = pupil(reissued_on=date(2018, 10, 1), has_certificate=False)
    assert subtotals([found_with, found_without]).certificates_reissued == 1


def test_every_subtotal_row_has_30_cells():
    rows = subtotals([pupil()]).rows()
    assert [len(row) for row in rows] == [30, 30, 30]
    assert [row[0] for row in rows] == ["查验小计", "无证、漏种小计", "补证、补种小计"]


def test_totals_are_sums_of_counts_and_doses():
    rows = [
        RollUpRow("a", None, 1, 1, 10, 9, 8, 1, 7, 1, doses={"PV": DoseCount(2, 1)}),
        RollUpRow(
            "b", "乙", 1, 0, 5, 0, 0, 0, 0, 0, doses={"PV": DoseCount(1, 0), "JE": DoseCount(3, 3)}
        ),
    ]
    whole = total(rows)
    assert whole.counts() == (2, 1, 15, 9, 8, 1, 7, 1)
    assert whole.doses == {"JE": (3, 3), "PV": (3, 1)}
    assert whole.row()[0] == "合计"
    assert [len(row.row()) for row in (*rows, whole)] == [29, 29, 29]
    assert rows[0].row()[0] == "a"


def test_the_total_of_nothing_is_zero():
    assert total([]).counts() == (0,) * 8
