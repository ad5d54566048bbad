"""What a school-entry check decides, in sentences; rule numbers are those of the rule file."""

import json
from datetime import date, timedelta

import pytest

from domain.schedules.dose_allocation import Dose
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import Case, answer, explanation, parse_case
from tests.spec.children import (
    BY_AGE_TWO,
    KAIFENG,
    NO_HEPA,
    PROGRAMME,
    SEPTEMBER,
    WORKED,
    born,
    cells,
    check,
    exempt,
    missing,
    on_days,
    rules_for,
    without,
)

# --- the worked cases -------------------------------------------------------------------------


@pytest.mark.parametrize("worked", WORKED["cases"], ids=lambda worked: worked["id"])
def test_worked_case(worked):
    verdict = evaluate(KAIFENG, parse_case(worked, KAIFENG, annotated=True))
    assert answer(verdict) == {**worked["expected"], **worked["expected_more"]}, worked["why"]


# --- the table: S-22, S-23, X-2, X-3, X-19, X-23 ---------------------------------------------


@pytest.mark.parametrize("age", PROGRAMME)
def test_the_programme_of_an_age_is_complete_and_gets_template_1(age):
    verdict = check(age, *PROGRAMME[age])
    assert (verdict.annex1_row, verdict.complete, verdict.missing) == (age, True, ())
    assert verdict.annex2_template == 1
    assert verdict.outcome == "full"
    assert rules_for(verdict, "complete") == {"S-10"}


@pytest.mark.parametrize("age", PROGRAMME)
def test_every_single_dose_of_the_programme_is_needed(age):
    for vaccine in set(PROGRAMME[age]):
        verdict = check(age, *without(PROGRAMME[age], vaccine))
        assert verdict.complete is False
        assert sum(len(numbers) for numbers in missing(verdict).values()) == 1
        assert verdict.annex2_template == 2


@pytest.mark.parametrize(
    ("age", "lacking"),
    [
        (3, {"MenAC": [1]}),
        (4, {"PV": [4], "MenAC": [1]}),
        (5, {"PV": [4], "MenAC": [1]}),
        (6, {"PV": [4], "DT": [1], "MenAC": [1, 2]}),
    ],
)
def test_each_birthday_asks_for_more(age, lacking):
    assert missing(check(age, *BY_AGE_TWO)) == lacking


def test_a_child_without_any_dose_lacks_all_22_at_six():
    verdict = check(6)
    assert sum(len(numbers) for numbers in missing(verdict).values()) == 22
    assert {state for cell in verdict.cells for state in [cell.state]} == {"missing"}
    assert [gap.vaccine_group for gap in verdict.missing] == list(KAIFENG.groups)


def test_the_row_starts_on_the_birthday_itself():
    birth = date(2012, 9, 3)
    for day, age in ((SEPTEMBER - timedelta(days=1), 5), (SEPTEMBER, 6)):
        verdict = check(age, *PROGRAMME[5], birth=birth, on=day)
        assert verdict.annex1_row == age
        assert verdict.complete is (age == 5)


def test_a_leap_day_child_turns_six_on_the_first_of_march_of_a_common_year():
    birth = date(2012, 2, 29)
    february = check(5, *PROGRAMME[5], birth=birth, on=date(2018, 2, 28))
    march = check(6, *PROGRAMME[5], birth=birth, on=date(2018, 3, 1))
    assert (february.age_years, february.complete) == (5, True)
    assert (march.age_years, missing(march)) == (6, {"DT": [1], "MenAC": [2]})
    assert rules_for(march, "leap-birthday") == {"X-2"}
    assert {due.since for due in march.due} == {date(2018, 3, 1)}


@pytest.mark.parametrize("age", [0, 1])
@pytest.mark.parametrize("certificate", [True, False])
def test_under_two_nothing_can_be_judged(age, certificate):
    verdict = check(age, "BCG", "HepB", certificate=certificate, against=[("DPT", "permanent")])
    assert answer(verdict) == {
        "age_years": age,
        "complete": None,
        "missing": [],
        "annex1_row": None,
        "exempt": [],
        "annex2_template": None,
        "reissue_certificate": not certificate,
    }
    assert verdict.outcome == "not-judgeable"
    assert rules_for(verdict, "below-table") == {"X-3"}
    assert cells(verdict, "BCG") == ["given"]
    assert cells(verdict, "HepB") == ["given", "blank", "blank"]


@pytest.mark.parametrize("age", [7, 8, 11])
def test_above_six_the_row_for_six_judges(age):
    verdict = check(age, *PROGRAMME[6])
    assert (verdict.age_years, verdict.annex1_row, verdict.complete) == (age, 6, True)
    assert rules_for(verdict, "above-table") == {"X-3"}
    assert missing(check(age, *PROGRAMME[5])) == {"DT": [1], "MenAC": [2]}


def test_the_age_decides_and_not_the_kind_of_school():
    birth = born(5)
    doses = tuple(Dose(v, birth + timedelta(days=3 * n)) for n, v in enumerate(PROGRAMME[5]))
    verdicts = [
        answer(evaluate(KAIFENG, Case(birth, SEPTEMBER, entry_type, True, doses)))
        for entry_type in ("kindergarten", "primary")
    ]
    assert verdicts[0] == verdicts[1]


def test_what_the_last_birthday_added_is_told_from_old_gaps():
    """X-19, X-20."""
    verdict = check(6, *without(PROGRAMME[5], "HepB", "OPV"), birth=date(2012, 4, 12))
    told = {(d.vaccine_group, d.dose_number): (d.since, d.is_newly_required) for d in verdict.due}
    assert told == {
        ("HepB", 3): (date(2014, 4, 12), False),
        ("PV", 4): (date(2016, 4, 12), False),
        ("DT", 1): (date(2018, 4, 12), True),
        ("MenAC", 2): (date(2018, 4, 12), True),
    }
    assert rules_for(verdict, "newly-required") == {"X-19"}


def test_above_the_table_and_in_its_first_row_nothing_is_new():
    for age in (2, 7):
        assert not any(due.is_newly_required for due in check(age).due)


# --- contraindications: X-5 -------------------------------------------------------------------


def test_a_lasting_contraindication_exempts_what_is_still_lacking():
    verdict = check(3, *without(PROGRAMME[3], "DTaP", "DTaP"), against=[("DPT", "permanent")])
    assert (verdict.complete, missing(verdict), exempt(verdict)) == (False, {}, {"DPT": [3, 4]})
    assert verdict.annex2_template == "2+contraindication_note"
    assert verdict.outcome == "not-to-make-up"
    assert cells(verdict, "DPT") == ["given", "given", "exempt", "exempt"]
    assert verdict.due == ()
    assert rules_for(verdict, "lasting-contraindication") == {"X-5"}


def test_beside_an_exempt_group_a_missed_one_is_still_made_up():
    verdict = check(3, *without(PROGRAMME[3], "HepB", "JE-L"), against=[("JE", "permanent")])
    assert (missing(verdict), exempt(verdict)) == ({"HepB": [3]}, {"JE": [2]})
    assert verdict.annex2_template == 2


def test_a_passing_contraindication_postpones_and_does_not_exempt():
    verdict = check(4, *without(PROGRAMME[4], "MMR"), against=[("MCV", "temporary")])
    assert (missing(verdict), verdict.exempt, verdict.annex2_template) == ({"MCV": [2]}, (), 2)
    assert [due.is_postponed for due in verdict.due] == [True]
    assert rules_for(verdict, "passing-contraindication") == {"X-5"}


@pytest.mark.parametrize("order", [("permanent", "temporary"), ("temporary", "permanent")])
def test_of_both_kinds_the_lasting_one_decides(order):
    verdict = check(4, *without(PROGRAMME[4], "MMR"), against=[("MCV", kind) for kind in order])
    assert exempt(verdict) == {"MCV": [2]}


@pytest.mark.parametrize("kind", ["permanent", "temporary"])
@pytest.mark.parametrize("group", ["BCG", "DT", "MenAC"])
def test_a_contraindication_where_nothing_is_lacking_changes_nothing(group, kind):
    verdict = check(2, *BY_AGE_TWO, against=[(group, kind)])
    assert (verdict.complete, verdict.exempt, verdict.annex2_template) == (True, (), 1)
    assert rules_for(verdict, "idle-contraindication") == {"X-5"}


def test_the_second_half_of_a_course_is_what_is_exempted():
    verdict = check(2, *NO_HEPA, "HepA-I", against=[("HepA", "permanent")])
    assert (exempt(verdict), cells(verdict, "HepA")) == ({"HepA": [2]}, ["exempt"])


def test_contraindications_against_everything_leave_nothing_to_make_up():
    verdict = check(6, against=[(group, "permanent") for group in KAIFENG.groups])
    assert verdict.missing == ()
    assert sum(len(numbers) for numbers in exempt(verdict).values()) == 22


# --- papers: S-10 ------------------------------------------------------------------------------


def test_no_certificate_joins_every_outcome():
    outcomes = [
        check(2, *BY_AGE_TWO, certificate=False),
        check(2, *NO_HEPA, certificate=False),
        check(2, *NO_HEPA, certificate=False, against=[("HepA", "permanent")]),
        check(1, certificate=False),
    ]
    assert [verdict.annex2_template for verdict in outcomes] == [
        *(1, 2, "2+contraindication_note", None)
    ]
    for verdict in outcomes:
        assert verdict.reissue_certificate
        assert rules_for(verdict, "reissue-certificate") == {"S-10"}


# --- the dated policy: X-22 -------------------------------------------------------------------


def test_mena_from_24_months_is_due_and_flagged_as_no_longer_given_since_2021():
    for on, flagged in ((date(2021, 2, 28), False), (date(2021, 3, 1), True)):
        verdict = check(2, *without(BY_AGE_TWO, "MPSV-A", "HepB"), on=on)
        assert missing(verdict) == {"HepB": [3], "MenA": [2]}
        assert verdict.annex2_template == 2
        told = {due.vaccine_group: due.is_no_longer_given for due in verdict.due}
        assert told == {"HepB": False, "MenA": flagged}
        assert rules_for(verdict, "no-longer-given") == ({"X-22"} if flagged else set())


def test_bcg_is_due_at_every_age_and_flagged_from_four_years():
    for age, flagged in ((3, False), (4, True)):
        rest = without(PROGRAMME[age], "BCG")
        verdict = check(age, *rest, on=date(2022, 9, 1))
        assert missing(verdict) == {"BCG": [1]}
        assert verdict.due[0].is_no_longer_given is flagged


def test_a_check_before_the_scheme_is_judged_and_flagged():
    verdict = check(2, *BY_AGE_TWO, on=date(2018, 6, 5))
    assert verdict.complete
    assert rules_for(verdict, "outside-effective-dates") == {"S-4"}
    assert not rules_for(check(2, *BY_AGE_TWO, on=date(2018, 6, 6)), "outside-effective-dates")


# --- the register (S-11) and the explanation ---------------------------------------------------


def test_the_register_has_22_dose_cells_in_the_order_of_the_form():
    verdict = check(3, *PROGRAMME[3])
    assert len(verdict.cells) == 22
    columns = WORKED["meta"]["register_columns"]
    assert [(cell.vaccine_group, cell.column) for cell in verdict.cells] == [
        (group, column) for group, count in columns.items() for column in range(1, count + 1)
    ]
    assert cells(verdict, "PV") == ["given", "given", "given", "blank"]
    assert cells(verdict, "MenAC") == ["given", "blank"]


def test_a_dose_given_before_it_is_asked_for_stands_in_its_cell():
    verdict = check(3, *PROGRAMME[6])
    assert {cell.state for cell in verdict.cells} == {"given"}


def test_the_earliest_doses_fill_the_columns_in_order():
    birth = born(2)
    rest = without(BY_AGE_TWO, "HepB", "HepB", "HepB")
    verdict = check(2, *rest, *on_days("HepB", 300, 0, 30, 500, birth=birth), birth=birth)
    dates = [cell.doses[0].date for cell in verdict.cells if cell.vaccine_group == "HepB"]
    assert dates == [birth + timedelta(days=day) for day in (0, 30, 300)]


def test_the_explanation_names_file_rules_and_every_dose():
    verdict = check(6, *without(PROGRAMME[6], "DT"), certificate=False)
    told = explanation(verdict)
    assert told["requirements"] == {"id": "kaifeng-2018-school-entry", "version": 1}
    assert told["switches"] == {"je_i_doses": "literal", "hepab_credits": "HepA"}
    assert len(told["doses"]) == 21
    assert len(told["cells"]) == 22
    assert {
        name: value
        for finding in told["findings"]
        if finding["code"] == "missing"
        for name, value in finding.items()
        if name in ("rule", "code")
    } == {"rule": "S-10", "code": "missing"}
    for finding in told["findings"]:
        assert finding["zh"].endswith("。")
        assert finding["en"].endswith(".")
    assert json.loads(json.dumps(told)) == told
