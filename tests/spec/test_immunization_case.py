"""A question about immunization is read strictly, and a fault is named at its place."""

import pytest

from domain.errors import DomainError
from domain.schedules.immunization import Against, Question
from domain.schedules.immunization_case import (
    explanation,
    next_due,
    parse_question,
    schedule_of,
)
from domain.schedules.immunization_history import (
    UnknownCondition,
    evaluate_history,
    forecast_history,
)
from domain.schedules.json_document import Node
from domain.schedules.schedule import Schedule

DOSE = {"vaccine": "BCG", "date": "2026-08-01"}
AGAINST = {"vaccine_group": "JE", "kind": "permanent"}
GOOD = {
    "birth_date": "2026-08-01",
    "asked_on": "2026-09-03",
    "sex": "female",
    "schedule": "cn-nip-2026",
    "doses": [DOSE],
    "contraindications": [AGAINST],
    "conditions": ["hiv-unknown"],
    "immunoglobulins": ["2026-08-01"],
}


def read(case):
    node = Node(case)
    return parse_question(node, schedule_of(node))


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"birth_date": "2026-02-30"}, "invalid-date", "/birth_date"),
        ({"birth_date": ...}, "missing-member", ""),
        ({"asked_on": "2026-07-31"}, "asked-before-birth", "/asked_on"),
        ({"asked_on": "9999-12-31"}, "invalid-date", "/asked_on"),
        ({"asked_on": 20260903}, "wrong-type", "/asked_on"),
        ({"asked_on": ...}, "missing-member", ""),
        ({"sex": "f"}, "unknown-value", "/sex"),
        ({"schedule": "cn-nip-1978"}, "unknown-value", "/schedule"),
        ({"doses": {}}, "wrong-type", "/doses"),
        ({"doses": [{**DOSE, "vaccine": "1902"}]}, "ambiguous-vaccine", "/doses/0/vaccine"),
        ({"doses": [{**DOSE, "vaccine": "BCX"}]}, "unknown-vaccine", "/doses/0/vaccine"),
        ({"doses": [{**DOSE, "lot": "1"}]}, "unexpected-member", "/doses/0/lot"),
        ({"contraindications": [{"kind": "permanent"}]}, "missing-member", "/contraindications/0"),
        (
            {"contraindications": [{**AGAINST, "vaccine_group": "XX"}]},
            "unknown-vaccine-group",
            "/contraindications/0/vaccine_group",
        ),
        (
            {"contraindications": [{"vaccine": "XX", "kind": "permanent"}]},
            "unknown-vaccine",
            "/contraindications/0/vaccine",
        ),
        (
            {"contraindications": [{**AGAINST, "until": "2027-01-01"}]},
            "unexpected-member",
            "/contraindications/0/until",
        ),
        ({"conditions": ["tired"]}, "unknown-condition", "/conditions/0"),
        ({"immunoglobulins": ["yesterday"]}, "invalid-date", "/immunoglobulins/0"),
        ({"expected": {}}, "unexpected-member", "/expected"),
    ],
)
def test_a_question_that_is_not_exactly_right_is_refused_at_its_place(changes, code, pointer):
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    with pytest.raises(DomainError) as refused:
        read(body)
    assert (refused.value.code, refused.value.facts["pointer"]) == (code, pointer)


def test_before_the_first_known_schedule_one_must_be_named():
    old = {"birth_date": "2019-01-01", "asked_on": "2020-01-01", "doses": []}
    with pytest.raises(DomainError) as refused:
        read(old)
    assert refused.value.code == "no-schedule-in-force"
    assert read({**old, "schedule": "cn-nip-2021"}).asked_on.year == 2020


def test_every_conclusion_names_its_rule_in_both_languages_and_the_gap_it_rests_on():
    node = Node(
        {
            "birth_date": "2026-01-10",
            "asked_on": "2026-07-10",
            "doses": [{"vaccine": "1702", "date": "2026-04-10"}],
        }
    )
    schedule = schedule_of(node)
    told = explanation(evaluate_history(schedule, parse_question(node, schedule)))
    assert told["schedule"] == {"id": "cn-nip-2026", "version": 1}
    [result] = told["doses"][0]["results"]
    assert (result["outcome"], result["gap"]) == ("valid", "conjugate-course")
    assert result["finding"]["rule"] == "N-1 Men.c1"
    assert result["finding"]["zh"] == "2026-04-10 A+C群流脑结合疫苗：计为A群流脑疫苗第1剂。"
    touched = {gap["code"]: gap["doses_touched"] for gap in told["gaps"]}
    assert touched["conjugate-course"] == 1
    assert touched["hbsag-mothers"] == 0


def test_the_doses_to_come_are_told_the_earliest_first():
    node = Node({**GOOD, "contraindications": [], "conditions": []})
    schedule = schedule_of(node)
    question = parse_question(node, schedule)
    forecasts = forecast_history(schedule, question)
    assert forecasts == evaluate_history(schedule, question).forecasts
    found = next_due(schedule, forecasts.values())
    days = [dose["earliest"] for dose in found["doses"]]
    assert days == sorted(days)
    first = found["doses"][0]
    assert (first["vaccine"], first["dose_number"], first["status"]) == ("HepB", 1, "overdue")
    assert first["group_name"]["zh"] == "乙肝疫苗"
    assert first["findings"][0]["zh"].startswith("乙肝疫苗第1剂逾期")


def test_of_two_contraindications_the_lasting_one_holds():
    schedule = Schedule.load("cn-nip-2026")
    question = read({**GOOD, "contraindications": [], "conditions": []})
    for against in (
        (Against("JE", True), Against("JE", False)),
        (Against("JE", False), Against("JE", True)),
    ):
        asked = Question(question.birth_date, question.asked_on, against=against)
        assert evaluate_history(schedule, asked).forecasts["JE"].status == "contraindicated"


def test_a_state_of_health_that_the_schedule_does_not_know_is_refused():
    asked = Question(read(GOOD).birth_date, read(GOOD).asked_on, conditions=("tired",))
    with pytest.raises(UnknownCondition):
        evaluate_history(Schedule.load("cn-nip-2026"), asked)
