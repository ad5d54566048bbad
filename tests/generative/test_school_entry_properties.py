"""What must hold for every child, whatever it was given: searched for counter-examples."""

import json
from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar import completed_age
from domain.errors import DomainError
from domain.schedules.dose_allocation import Dose
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import (
    Case,
    Contraindication,
    answer,
    explanation,
    parse_case,
)

KAIFENG = EntryRequirements.load()
READINGS = (
    KAIFENG,
    EntryRequirements.load(je_i_doses="national"),
    EntryRequirements.load(hepab_credits="HepA+HepB"),
)
LISTED = sorted(KAIFENG.counting)
UNLISTED = sorted(vaccine.code for vaccine in KAIFENG.catalogue if vaccine.code not in LISTED)
SEPTEMBER = date(2018, 9, 3)

BIRTHS = st.dates(date(2009, 9, 1), SEPTEMBER)
# Few distinct days, so that doses of one day are common.
DAYS = st.integers(-3, 12).map(lambda step: SEPTEMBER - timedelta(days=200 * step))
DOSES = st.builds(Dose, st.sampled_from(LISTED), DAYS)
AGAINST = st.builds(
    Contraindication,
    st.sampled_from(sorted(KAIFENG.groups)),
    st.sampled_from(["permanent", "temporary"]),
)
CASES = st.builds(
    Case,
    BIRTHS,
    st.just(SEPTEMBER),
    st.sampled_from(["kindergarten", "primary"]),
    st.booleans(),
    st.lists(DOSES, max_size=40).map(tuple),
    st.lists(AGAINST, max_size=4).map(tuple),
)
RULES = st.sampled_from(READINGS)


def lacking(verdict) -> Counter[str]:
    gaps = (*verdict.missing, *verdict.exempt)
    return Counter({gap.vaccine_group: len(gap.dose_numbers) for gap in gaps})


def with_doses(case, doses):
    return Case(
        case.birth_date,
        case.check_date,
        case.entry_type,
        case.has_certificate,
        tuple(doses),
        case.contraindications,
    )


@given(RULES, CASES, st.randoms(use_true_random=False))
def test_the_order_of_doses_and_contraindications_is_irrelevant(rules, case, random):
    doses, against = list(case.doses), list(case.contraindications)
    random.shuffle(doses)
    random.shuffle(against)
    shuffled = Case(
        case.birth_date,
        case.check_date,
        case.entry_type,
        case.has_certificate,
        tuple(doses),
        tuple(against),
    )
    assert evaluate(rules, shuffled) == evaluate(rules, case)


@settings(max_examples=400)
@given(RULES, CASES, DOSES)
def test_one_more_dose_never_leaves_more_lacking_in_any_group(rules, case, dose):
    before = lacking(evaluate(rules, case))
    after = lacking(evaluate(rules, with_doses(case, (*case.doses, dose))))
    assert not after - before


@given(RULES, CASES, st.sampled_from(UNLISTED), DAYS)
def test_a_vaccine_outside_the_list_never_changes_the_answer(rules, case, vaccine, day):
    more = with_doses(case, (*case.doses, Dose(vaccine, day)))
    assert answer(evaluate(rules, more)) == answer(evaluate(rules, case))


@given(RULES, CASES, st.lists(DOSES, max_size=5))
def test_doses_outside_the_life_till_the_check_never_change_the_answer(rules, case, doses):
    outside = [
        Dose(dose.vaccine, day)
        for dose in doses
        for day in (case.birth_date - timedelta(days=1), case.check_date + timedelta(days=1))
    ]
    more = with_doses(case, (*case.doses, *outside))
    assert answer(evaluate(rules, more)) == answer(evaluate(rules, case))


@given(RULES, CASES)
def test_a_dose_written_twice_never_changes_the_answer(rules, case):
    twice = with_doses(case, (*case.doses, *case.doses))
    assert answer(evaluate(rules, twice)) == answer(evaluate(rules, case))


@given(RULES, CASES)
def test_the_parts_of_a_verdict_agree(rules, case):
    verdict = evaluate(rules, case)
    age = completed_age(case.birth_date, case.check_date)
    assert verdict.age_years == age
    assert verdict.reissue_certificate is not case.has_certificate
    states = Counter(cell.state for cell in verdict.cells)
    assert states.total() == 22
    if age < 2:
        assert (verdict.complete, verdict.annex2_template) == (None, None)
        assert set(states) <= {"given", "blank"}
    else:
        assert verdict.complete is (not verdict.missing and not verdict.exempt)
        assert (verdict.annex2_template == 1) is verdict.complete
        assert (verdict.annex2_template == 2) is bool(verdict.missing)
    by_cells = {
        state: [
            (cell.vaccine_group, number)
            for cell in verdict.cells
            if cell.state == state
            for number in cell.dose_numbers
        ]
        for state in ("missing", "exempt")
    }
    for state, gaps in (("missing", verdict.missing), ("exempt", verdict.exempt)):
        told = [(gap.vaccine_group, number) for gap in gaps for number in gap.dose_numbers]
        assert by_cells[state] == told
    assert [(due.vaccine_group, due.dose_number) for due in verdict.due] == by_cells["missing"]
    lasting = {item.vaccine_group for item in case.contraindications if item.kind == "permanent"}
    assert {gap.vaccine_group for gap in verdict.exempt} <= lasting
    assert not {gap.vaccine_group for gap in verdict.missing} & lasting


@given(RULES, CASES)
def test_every_dose_has_its_place_or_a_reason_and_stands_once_in_a_column(rules, case):
    verdict = evaluate(rules, case)
    assert Counter(placed.dose for placed in verdict.doses) == Counter(case.doses)
    for placed in verdict.doses:
        assert placed.placements
        groups = [placement.group for placement in placed.placements]
        assert len(set(groups)) == len(groups)
        counted = [p for p in placed.placements if p.outcome in ("counted", "course-part")]
        most = sum(
            len(way.fills) if way.mode == "each" else 1
            for way in rules.counting.get(placed.dose.vaccine, ())
        )
        assert len(counted) <= most
    for group in rules.groups:
        own = [cell for cell in verdict.cells if cell.vaccine_group == group]
        days = [dose.date for cell in own for dose in cell.doses]
        assert len(set(days)) == len(days)


@given(CASES)
def test_the_literal_count_agrees_with_an_arithmetic_that_knows_no_allocation(case):
    """Where no two doses share a day, the answer is sums and minima over the list of annex 1."""
    doses = [
        Dose(dose.vaccine, case.birth_date + timedelta(days=number))
        for number, dose in enumerate(case.doses)
    ]
    n = Counter(dose.vaccine for dose in doses if dose.date <= case.check_date)
    age = completed_age(case.birth_date, case.check_date)
    verdict = evaluate(KAIFENG, with_doses(case, doses))
    if age < 2:
        assert lacking(verdict) == {}
        return
    conjugates = n["MPCV-AC"] + n["MPCV-AC-Hib"]
    to_mena = min(conjugates, max(0, 2 - n["MPSV-A"]))
    inactivated = n["HepA-I"] + n["HepAB"]
    had = {
        "BCG": n["BCG"],
        "HepB": n["HepB"],
        "PV": n["OPV"] + n["IPV"] + n["DTaP-IPV-Hib"],
        "DPT": n["DTaP"] + n["DTwP"] + n["DTaP-Hib"] + n["DTaP-IPV-Hib"],
        "DT": n["DT"],
        "MCV": n["MV"] + n["MR"] + n["MMR"] + n["MM"],
        "MenA": n["MPSV-A"] + to_mena,
        "MenAC": n["MPSV-AC"] + n["MPSV-ACYW135"] + n["MPCV-ACYW135"] + conjugates - to_mena,
        "JE": n["JE-L"] + n["JE-I"],
        "HepA": n["HepA-L"] + inactivated // 2,
    }
    asked = {
        "BCG": 1,
        "HepB": 3,
        "PV": 4 if age >= 4 else 3,
        "DPT": 4,
        "DT": int(age >= 6),
        "MCV": 2,
        "MenA": 2,
        "MenAC": 0 if age < 3 else 1 if age < 6 else 2,
        "JE": 2,
        "HepA": 1,
    }
    expected = {
        group: list(range(had[group] + 1, count + 1))
        for group, count in asked.items()
        if had[group] < count
    }
    if "HepA" in expected and inactivated:
        expected["HepA"] = [2]
    told = {g.vaccine_group: list(g.dose_numbers) for g in (*verdict.missing, *verdict.exempt)}
    assert told == expected


@given(RULES, CASES)
def test_answer_and_explanation_are_json_and_sentences_are_filled_in(rules, case):
    verdict = evaluate(rules, case)
    assert json.loads(json.dumps(answer(verdict))) == answer(verdict)
    assert json.loads(json.dumps(explanation(verdict))) == explanation(verdict)
    for finding in verdict.findings:
        assert not {"{", "}"} & set(finding.sentence.zh + finding.sentence.en)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "birth_date",
                    "check_date",
                    "entry_type",
                    "has_certificate",
                    "doses",
                    "vaccine",
                    "x",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_case_or_refused_with_a_place(value):
    try:
        parse_case(value, KAIFENG)
    except DomainError as error:
        place = error.facts["pointer"]
    else:
        place = ""
    assert place == "" or place.startswith("/")
