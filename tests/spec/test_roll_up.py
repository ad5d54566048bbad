"""Roll-ups of a school-entry check (S-38 to S-42): worked cases, rows, guards, bad input."""

import pytest

from domain.errors import DomainError
from domain.roll_up.answers import ANSWERS, answer
from domain.roll_up.case import INPUT, KINDS, parse_case
from domain.roll_up.guards import GUARDS, ImpossibleCounts, check_row
from domain.roll_up.row import TOTAL, institution_row, total
from domain.roll_up.row_case import read_row
from domain.roll_up.rules import RollUpRules
from domain.schedules.json_document import Node, parse_document
from tests.spec.roll_up_cases import (
    BY_ID,
    GROUPS,
    KAIFENG,
    SHIPPED,
    WORKED,
    ask,
    ask_one,
    gaps,
    made_up,
    own_rules,
    pupil,
    report,
    row,
)

# --- the worked cases -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", WORKED["cases"], ids=lambda case: case["id"])
def test_a_worked_case_is_answered_as_worked(case):
    assert answer(parse_case(Node(case), KAIFENG), KAIFENG) == case["expected"], case["why"]


def test_the_words_are_those_of_the_worked_cases():
    meta = WORKED["meta"]
    assert list(KAIFENG.requirements.groups) == meta["vaccine_groups"]
    assert set(ANSWERS) == set(meta["answers"])
    assert set(KINDS) == set(meta["kinds"])
    assert set(meta["input_fields"]) <= set(INPUT)
    assert {guard.reason for guard in GUARDS} == set(meta["reasons"])
    assert set(meta["rate_formulas"]) <= set(KAIFENG.rates)


def test_values_of_an_expectation_decide_nothing():
    """Only its names are the question, and the name of the unit that is totalled."""
    case = {**BY_ID["R05"], "expected": {"total": {"unit": "T9", "enrolled": 0}, "moon": 1}}
    found = answer(parse_case(Node(case), KAIFENG), KAIFENG)
    assert set(found) == {"total"}
    assert (found["total"]["unit"], found["total"]["enrolled"]) == ("T9", 34)


@pytest.mark.parametrize("expected", [None, [], "total", {}, {"rates": 1}, {"total": []}])
def test_an_expectation_of_any_form_is_no_fault(expected):
    case = {**BY_ID["R05"], "expected": expected}
    answer(parse_case(Node(case), KAIFENG), KAIFENG)


@pytest.mark.parametrize("case", WORKED["cases"], ids=lambda case: case["id"])
def test_without_expectation_the_usual_answers_are_given(case):
    bare = {name: value for name, value in case.items() if name != "expected"}
    found = answer(parse_case(Node(bare), KAIFENG), KAIFENG)
    assert set(case["expected"]) <= set(found)


# --- annex 4: S-38 to S-42 ------------------------------------------------------------------------


def test_an_institution_without_a_check_is_due_with_all_its_children():
    given = {"school": "K2", "classes": [{"class": "小班", "enrolled": 20, "pupils": []}]}
    found = ask_one("school", given, "annex4_row")
    assert found == row(
        "K2", institutions_checked=0, enrolled=20, checked=0, with_certificate=0, fully_vaccinated=0
    )


def test_an_institution_without_classes_is_due_as_well():
    """S-1, S-21."""
    found = ask_one("school", {"school": "K3", "classes": []}, "annex4_row")
    assert (found["institutions_due"], found["enrolled"]) == (1, 0)


def test_dose_columns_are_summed_over_dose_numbers():
    """S-40."""
    one = pupil(missing=gaps(HepB=[2, 3], DT=[1]), makeups=made_up("HepB 2 2018-10-01"))
    doses = ask_one("school", {"classes": [{"pupils": [one]}]}, "annex4_row")["doses"]
    assert list(doses) == GROUPS
    assert (doses["HepB"], doses["DT"]) == ({"due": 2, "done": 1}, {"due": 1, "done": 0})


def test_the_total_of_no_rows_is_zeros():
    """S-39."""
    found = ask("township", {"rows": [], "township": "T1"})
    assert found["total"]["unit"] == "T1"
    assert found["total"]["checked"] == 0
    assert all(rate["meets_target"] is None for rate in found["rates"].values())
    assert total([]).unit == TOTAL
    assert institution_row("K", 0, []).checked == 0


def test_a_unit_stands_once_in_a_form():
    """S-53."""
    with pytest.raises(DomainError) as refused:
        ask("township", {"rows": [row("K1"), row("K1")]})
    assert (refused.value.code, refused.value.facts["pointer"]) == (
        "duplicate-unit",
        "/input/rows/1",
    )


def test_entry_types_are_never_added():
    """S-38."""
    forms = {"kindergarten": [row("K1"), row("K2")], "primary": [row("P1", enrolled=12)]}
    found = ask("separation", {"rows_by_entry_type": forms})
    assert found == {"forms": 2, "kindergarten_total_enrolled": 20, "primary_total_enrolled": 12}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"checked": 11, "enrolled": 10}, "checked>enrolled"),
        ({"enrolled": 11}, None),
        ({"doses": {"PV": (1, 2)}, "fully_vaccinated": 9}, "done>due"),
        ({"doses": {"PV": (2, 2)}, "fully_vaccinated": 9}, None),
        (
            {"with_certificate": 8, "certificates_reissued": 3},
            "with_certificate+reissued>checked",
        ),
        ({"with_certificate": 8, "certificates_reissued": 2}, None),
        ({"fully_vaccinated": 8, "makeup_completed": 3}, "fully+completed>checked"),
        ({"fully_vaccinated": 8, "makeup_completed": 2}, None),
        ({"institutions_checked": 2}, "institutions_checked>institutions_due"),
        ({"institutions_checked": 0}, "children checked in unchecked institution"),
        ({"doses": {"PV": (1, 0)}}, "doses due without a not-fully child"),
        ({"doses": {"BCG": (1, 0)}}, "doses due without a not-fully child"),
        ({"doses": {"BCG": (1, 0)}, "fully_vaccinated": 9}, None),
    ],
)
def test_what_no_register_can_add_up_to_is_refused(changes, reason):
    """S-41, S-42."""
    one = row(**changes)
    assert ask("validation", {"row": one}) == {"valid": reason is None, "reason": reason}
    typed = read_row(Node(one), KAIFENG.requirements.groups)
    if reason is None:
        check_row(typed)
    else:
        with pytest.raises(ImpossibleCounts) as refused:
            check_row(typed)
        assert refused.value.facts["reason"] == reason
        assert refused.value.facts["why_zh"].endswith("。")


# --- the rule file and bad input ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"requirements": "moon"}, "/requirements"),
        ({"school_year_starts_in_month": 13}, "/school_year_starts_in_month"),
        ({"check_due_days": 0}, "/check_due_days"),
        ({"reports_due": {"township": "12-10", "county": "12-20"}}, "/reports_due"),
        (
            {"reports_due": {"township": "2-3", "county": "12-20", "city": "12-30"}},
            "/reports_due/township",
        ),
        (
            {"reports_due": {"township": "02-29", "county": "12-20", "city": "12-30"}},
            "/reports_due/township",
        ),
        ({"rates": {}}, "/rates"),
    ],
)
def test_a_rule_file_that_does_not_hold_together_is_refused_at_its_place(changes, pointer):
    with pytest.raises(DomainError) as refused:
        own_rules(**changes)
    assert refused.value.facts["pointer"] == pointer


def test_the_shipped_file_reads_as_any_other():
    assert RollUpRules.read(parse_document(SHIPPED.read_bytes())) == KAIFENG


def broken(**changes):
    return {name: value for name, value in {**row(), **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    ("kind", "given", "code", "pointer"),
    [
        ("moon", {}, "unknown-value", "/kind"),
        ("school", {}, "missing-member", "/input"),
        ("township", {}, "missing-member", "/input"),
        ("late", {"rows": []}, "missing-member", "/input"),
        ("transfer", {}, "missing-member", "/input"),
        ("threshold", {"rate": "child_check", "num": 1}, "missing-member", "/input"),
        ("threshold", {"rate": "moon", "num": 1, "den": 1}, "unknown-value", "/input/rate"),
        ("threshold", {"rate": "reissue", "num": -1, "den": 1}, "unknown-value", "/input/num"),
        ("threshold", {"rate": "reissue", "num": 1.5, "den": 1}, "wrong-type", "/input/num"),
        ("township", {"rows": [], "moon": 1}, "unexpected-member", "/input/moon"),
        ("township", {"rows": [], "entry_type": "college"}, "unknown-value", "/input/entry_type"),
        ("township", {"rows": [broken(unit=1)]}, "wrong-type", "/input/rows/0/unit"),
        ("township", {"rows": [broken(checked=...)]}, "missing-member", "/input/rows/0"),
        ("township", {"rows": [broken(checked=-1)]}, "unknown-value", "/input/rows/0/checked"),
        ("township", {"rows": [broken(checked=True)]}, "wrong-type", "/input/rows/0/checked"),
        (
            "township",
            {"rows": [broken(doses={"MMR": {"due": 1, "done": 0}})]},
            "unknown-vaccine-group",
            "/input/rows/0/doses/MMR",
        ),
        ("class", {"pupils": [pupil(1), pupil(1)]}, "duplicate-number", "/input/pupils/1"),
        (
            "class",
            {"pupils": [{"no": 1, "checked_on": "2018-09-05"}]},
            "missing-member",
            "/input/pupils/0",
        ),
        (
            "class",
            {"pupils": [pupil(checked_on="2018-09-31")]},
            "invalid-date",
            "/input/pupils/0/checked_on",
        ),
        (
            "class",
            {"pupils": [pupil(missing=gaps(PV=[0]))]},
            "unknown-value",
            "/input/pupils/0/missing/0/dose_numbers/0",
        ),
        (
            "class",
            {"pupils": [pupil(makeups=made_up("MMR 1 2018-10-01"))]},
            "unknown-vaccine-group",
            "/input/pupils/0/makeups/0/vaccine_group",
        ),
        (
            "transfer",
            {"events": [{"date": "2018-09-05", "school": "K1"}]},
            "missing-member",
            "/input/events/0",
        ),
        (
            "transfer",
            {"events": [{"date": "2018-09-05", "event": "moon"}]},
            "unknown-value",
            "/input/events/0/event",
        ),
        (
            "late",
            {"submissions": [{**report("T1", "2018-12-10"), "version": 0}]},
            "unknown-value",
            "/input/submissions/0/version",
        ),
    ],
)
def test_a_case_that_is_not_exactly_right_is_refused_at_its_place(kind, given, code, pointer):
    with pytest.raises(DomainError) as refused:
        ask(kind, given)
    assert (refused.value.code, refused.value.facts["pointer"]) == (code, pointer)
