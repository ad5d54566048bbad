"""The register of a class: its subtotals and its cells (S-11, S-12, S-35, S-36, X-5, X-13)."""

from datetime import date

import pytest

from domain.roll_up.answers import answer
from domain.roll_up.case import parse_case
from domain.roll_up.register import PupilCheck
from domain.roll_up.register import subtotals as register_subtotals
from domain.roll_up.row import institution_row
from domain.schedules.json_document import Node
from tests.spec.roll_up_cases import BY_ID, KAIFENG, ask, ask_one, gaps, made_up, pupil

# --- annex 3: S-11, S-12, S-35, S-36, X-5, X-13, X-16 ---------------------------------------------


def subtotals(*pupils, **given):
    return ask_one("class", {"pupils": list(pupils), **given}, "annex3")


def test_the_first_class_of_the_worked_school():
    """S-35: a child completed its make-up when every missed dose was, BCG among them (X-13)."""
    first = BY_ID["R03"]["input"]["classes"][0]
    found = ask_one("class", {**first, "as_of": "2018-11-28"}, "annex3")
    assert found == {
        "查验小计": {"checked": 6, "with_certificate": 4, "fully_vaccinated": 3},
        "无证漏种小计": {
            "without_certificate": 2,
            "not_fully_vaccinated": 3,
            "doses": {"BCG1": 1, "HepB3": 1, "PV3": 1, "MenA2": 1, "JE2": 1},
            "doses_total": 5,
        },
        "补证补种小计": {
            "certificates_reissued": 2,
            "makeup_completed": 2,
            "doses": {"HepB3": 1, "PV3": 1, "MenA2": 1, "JE2": 1},
            "doses_total": 4,
        },
    }


def test_a_child_before_its_check_counts_nowhere_but_is_enrolled():
    found = ask("class", {"pupils": [{"no": 1, "checked_on": None}]}, "annex3", "annex4_row")
    assert found["annex3"]["查验小计"]["checked"] == 0
    assert (found["annex4_row"]["enrolled"], found["annex4_row"]["checked"]) == (1, 0)
    assert found["annex4_row"]["institutions_checked"] == 0


def test_what_was_made_up_stays_missed():
    """S-36: due and done are two rows, and column 7 keeps the finding."""
    one = pupil(missing=gaps(PV=[3]), makeups=made_up("PV 3 2018-10-10"))
    found = subtotals(one)
    assert found["查验小计"]["fully_vaccinated"] == 0
    assert found["无证漏种小计"]["doses"] == {"PV3": 1}
    assert found["补证补种小计"] == {
        "certificates_reissued": 0,
        "makeup_completed": 1,
        "doses": {"PV3": 1},
        "doses_total": 1,
    }


@pytest.mark.parametrize(
    ("day", "reissued", "done"), [("2018-11-28", 1, 1), ("2018-11-27", 0, 0), ("2018-09-04", 0, 0)]
)
def test_what_came_after_the_day_has_not_happened(day, reissued, done):
    """X-16: make-ups after the November register are not in it; the day itself is."""
    one = pupil(
        missing=gaps(PV=[3]),
        makeups=made_up("PV 3 2018-11-28"),
        has_certificate=False,
        certificate_reissued_on="2018-11-28",
    )
    found = subtotals(one, as_of=day)["补证补种小计"]
    assert (found["certificates_reissued"], found["doses_total"]) == (reissued, done)
    assert subtotals(one, as_of=day)["查验小计"]["checked"] == int(day > "2018-09-05")


def test_a_child_that_lacks_only_exempt_doses_is_not_full_and_owes_nothing():
    """X-5."""
    found = subtotals(pupil(exempt=gaps(DPT=[3, 4])))
    assert found["无证漏种小计"] == {
        "without_certificate": 0,
        "not_fully_vaccinated": 1,
        "doses": {},
        "doses_total": 0,
    }
    assert found["补证补种小计"]["makeup_completed"] == 0


def test_a_child_of_whom_only_bcg_is_missing_is_missed_and_not_completed():
    """X-13."""
    one = pupil(missing=gaps(BCG=[1]))
    assert subtotals(one)["无证漏种小计"]["doses"] == {"BCG1": 1}
    assert subtotals(one)["补证补种小计"]["makeup_completed"] == 0
    later = pupil(missing=gaps(BCG=[1]), makeups=made_up("BCG 1 2018-10-01"))
    assert subtotals(later)["补证补种小计"]["makeup_completed"] == 1


def test_make_ups_of_doses_that_nobody_missed_and_a_second_one_count_for_nothing():
    """S-42: done is never more than due."""
    extra = made_up("PV 3 2018-10-10", "PV 3 2018-10-11", "PV 4 2018-11-10", "JE 1 2018-10-10")
    assert subtotals(pupil(missing=gaps(PV=[3]), makeups=extra))["补证补种小计"]["doses_total"] == 1


def test_a_reissue_counts_for_children_found_without_certificate_only():
    """S-42."""
    with_one = pupil(1, certificate_reissued_on="2018-10-01")
    without = pupil(2, has_certificate=False, certificate_reissued_on="2018-10-01")
    assert subtotals(with_one, without)["补证补种小计"]["certificates_reissued"] == 1


def test_a_child_that_cannot_be_judged_is_checked_and_neither_full_nor_not():
    """X-3."""
    found = subtotals(pupil(fully_vaccinated=None))
    assert found["查验小计"] == {"checked": 1, "with_certificate": 1, "fully_vaccinated": 0}
    assert found["无证漏种小计"]["not_fully_vaccinated"] == 0


def test_a_number_beyond_the_columns_stands_in_the_last_one():
    """S-29: the second HepA-I for the one HepA column."""
    one = pupil(missing=gaps(HepA=[2]), makeups=made_up("HepA 2 2018-10-08"))
    found = subtotals(one)
    assert found["无证漏种小计"]["doses"] == found["补证补种小计"]["doses"] == {"HepA1": 1}
    assert ask_one("edge", {"pupil": one}, "cells") == {"HepA1": "8/10"}


def cells(*names, **facts):
    case = {"id": "X", "kind": "edge", "input": {"pupil": pupil(**facts)}}
    if names:
        case["expected"] = {"cells": dict.fromkeys(names)}
    return answer(parse_case(Node(case), KAIFENG), KAIFENG)["cells"]


def test_the_marks_of_the_source():
    """S-11: lacking PV4 and MCV2: column 7 ╳, columns 15 and 22 `/`. S-12: 8 October is 8/10."""
    missing = gaps(PV=[4], MCV=[2])
    assert cells(missing=missing) == {"PV4": "/", "MCV2": "/"}
    assert cells("7", "15", "22", "14", missing=missing) == {
        "7": "╳",
        "15": "/",
        "22": "/",
        "14": "",
    }
    made = made_up("PV 4 2018-10-08")
    assert cells("脊灰疫苗4", "是否全程接种", missing=missing, makeups=made) == {
        "脊灰疫苗4": "8/10",
        "是否全程接种": "╳",
    }


def test_an_exempt_cell_has_a_mark_of_its_own():
    """X-5."""
    assert cells(exempt=gaps(DPT=[4])) == {"DPT4": "禁"}


def test_the_cells_of_a_class_go_by_number():
    found = ask_one("class", {"pupils": [pupil(7, missing=gaps(JE=[1])), pupil(8)]}, "cells")
    assert found == {"7": {"JE1": "/"}, "8": {}}


def test_a_dose_of_a_group_without_columns_is_counted_all_the_same():
    """A later edition may ask for what the form has no column for; it is not lost."""
    one = PupilCheck(checked_on=date(2018, 9, 5), complete=False, missing={("HPV", 2): None})
    counted = register_subtotals([one], KAIFENG.requirements.groups)
    assert counted.missed == {("HPV", 2): 1}
    assert institution_row("K", 1, [counted]).doses["HPV"] == (1, 0)
