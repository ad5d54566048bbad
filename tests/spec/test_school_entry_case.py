"""The body of a school-entry check is read strictly, and a fault is named at its place."""

from datetime import date

import pytest

from domain.errors import DomainError, UnknownVaccine, UnknownVaccineGroup
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import Case, CheckBeforeBirth, parse_case
from tests.spec.children import KAIFENG, check

DOSE = {"vaccine": "BCG", "date": "2016-05-11"}
AGAINST = {"vaccine_group": "JE", "kind": "permanent"}
GOOD = {
    "birth_date": "2016-05-10",
    "check_date": "2018-09-03",
    "entry_type": "kindergarten",
    "has_certificate": True,
    "doses": [DOSE],
    "contraindications": [AGAINST],
}


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"birth_date": "2016-02-30"}, "invalid-date", "/birth_date"),
        ({"birth_date": "20160510"}, "invalid-date", "/birth_date"),
        ({"birth_date": "2016-5-10"}, "invalid-date", "/birth_date"),
        ({"birth_date": "2016-05-10T00:00:00"}, "invalid-date", "/birth_date"),
        ({"birth_date": "２０１６-05-10"}, "invalid-date", "/birth_date"),
        ({"birth_date": "0000-01-01"}, "invalid-date", "/birth_date"),
        ({"birth_date": 20160510}, "wrong-type", "/birth_date"),
        ({"birth_date": None}, "wrong-type", "/birth_date"),
        ({"birth_date": ...}, "missing-member", ""),
        ({"check_date": "2016-05-09"}, "check-before-birth", "/check_date"),
        ({"entry_type": "university"}, "unknown-entry-type", "/entry_type"),
        ({"entry_type": "Primary"}, "unknown-entry-type", "/entry_type"),
        ({"entry_type": ["primary"]}, "wrong-type", "/entry_type"),
        ({"has_certificate": "true"}, "wrong-type", "/has_certificate"),
        ({"has_certificate": 1}, "wrong-type", "/has_certificate"),
        ({"has_certificate": ...}, "missing-member", ""),
        ({"doses": ...}, "missing-member", ""),
        ({"doses": {}}, "wrong-type", "/doses"),
        ({"doses": "BCG"}, "wrong-type", "/doses"),
        ({"doses": ["BCG"]}, "wrong-type", "/doses/0"),
        ({"doses": [{"vaccine": "BCG"}]}, "missing-member", "/doses/0"),
        ({"doses": [{**DOSE, "vaccine": "BCX"}]}, "unknown-vaccine", "/doses/0/vaccine"),
        ({"doses": [{**DOSE, "vaccine": "1902"}]}, "ambiguous-vaccine", "/doses/0/vaccine"),
        ({"doses": [{**DOSE, "lot": "1"}]}, "unexpected-member", "/doses/0/lot"),
        ({"contraindications": None}, "wrong-type", "/contraindications"),
        ({"contraindication": []}, "unexpected-member", "/contraindication"),
        ({"id": "S001"}, "unexpected-member", "/id"),
        ({"expected": {}}, "unexpected-member", "/expected"),
        ({"\ud800": 1}, "unexpected-member", "/?"),
        ({"entry_type": "\ud800"}, "wrong-type", "/entry_type"),
    ],
)
def test_a_case_that_is_not_exactly_right_is_refused_at_its_place(changes, code, pointer):
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    with pytest.raises(DomainError) as refused:
        parse_case(body, KAIFENG)
    assert (refused.value.code, refused.value.facts["pointer"]) == (code, pointer)


@pytest.mark.parametrize(
    ("against", "code", "pointer"),
    [
        ({**AGAINST, "vaccine_group": "BCX"}, "unknown-vaccine-group", "/vaccine_group"),
        ({**AGAINST, "vaccine_group": 1}, "wrong-type", "/vaccine_group"),
        ({**AGAINST, "kind": "forever"}, "unknown-value", "/kind"),
        ({"vaccine_group": "JE"}, "missing-member", ""),
        ({**AGAINST, "until": "2019-01-01"}, "unexpected-member", "/until"),
        ("JE", "wrong-type", ""),
    ],
)
def test_a_contraindication_names_a_group_and_one_of_two_kinds(against, code, pointer):
    with pytest.raises(DomainError) as refused:
        parse_case({**GOOD, "contraindications": [AGAINST, against]}, KAIFENG)
    assert refused.value.code == code
    assert refused.value.facts["pointer"] == f"/contraindications/1{pointer}"


@pytest.mark.parametrize("body", [None, [], "case", 1, True])
def test_only_an_object_is_a_case(body):
    with pytest.raises(DomainError) as refused:
        parse_case(body, KAIFENG, pointer="/cases/7")
    assert refused.value.facts == {"pointer": "/cases/7", "expected": "object"}


def test_files_may_carry_remarks():
    annotated = {**GOOD, "id": "S1", "why": "because", "expected": {}, "alternatives": []}
    assert parse_case(annotated, KAIFENG, annotated=True) == parse_case(GOOD, KAIFENG)


def test_contraindications_may_be_left_out_and_vaccines_named_by_code():
    body = {**GOOD, "doses": [{"vaccine": "5001", "date": "2016-07-11"}]}
    del body["contraindications"]
    case = parse_case(body, KAIFENG)
    assert case.contraindications == ()
    assert case.doses[0].vaccine == "DTaP-IPV-Hib"


def test_the_rules_themselves_refuse_what_no_parser_saw():
    birth = date(2016, 5, 10)
    with pytest.raises(CheckBeforeBirth):
        evaluate(KAIFENG, Case(birth, date(2016, 5, 9), "primary", True, ()))
    with pytest.raises(UnknownVaccine):
        check(2, "五联疫苗")
    with pytest.raises(UnknownVaccineGroup):
        check(2, against=[("X", "permanent")])
