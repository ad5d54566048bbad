"""The worked cases, and questions that are not exactly right."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from domain.booking.question import answer
from domain.errors import DomainError
from domain.schedules.json_document import Node
from tests.spec.bookings import YONGZHOU

CASES = json.loads((Path(__file__).parent / "data/appointments.json").read_text("utf-8"))["cases"]
GOOD = CASES[0]["input"]


def actual(question):
    return answer(YONGZHOU, Node(question)).actual


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_worked_case(case):
    assert actual(case["input"]) == case["expected"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            {"product": "recombinant_cho", "dose1": "2021-05-08"},
            {"earliest": "2021-06-05", "recommended_by": "2021-07-03"},
        ),
        (
            {"product": "recombinant_cho", "dose1": "2021-08-31", "dose_number": 3},
            {"earliest": "2021-10-26", "recommended_by": "2022-02-28"},
        ),
        (
            {"product": "ad5_vector", "dose1": "2021-05-08"},
            {"earliest": None, "recommended_by": None},
        ),
        ({"appointment_date": "2021-05-10"}, {"reminder_on": "2021-05-09"}),
        ({"appointment_date": "2021-05-10", "today": "2021-05-10"}, {"reminder_on": None}),
        ({"detail_address": None}, {"valid": False}),
        ({"proxy_for": {}}, {"valid": False}),
        ({"proxy_for": {"phone": None}}, {"valid": False}),
        ({"id_card": True, "consent_signed": True}, {"may_vaccinate": True, "reason": None}),
        (
            {"id_card": False, "consent_signed": False},
            {"may_vaccinate": False, "reason": "id_card_missing"},
        ),
        ({"slot": "09:00-10:00", "arrived": "10:00"}, {"may_vaccinate": True, "reason": None}),
        (
            {"slot": "09:00-10:00", "arrived": "10:01"},
            {"may_vaccinate": False, "reason": "outside_slot"},
        ),
        (
            {"slot": ["09:00", "10:00"], "arrived": "08:59"},
            {"may_vaccinate": False, "reason": "outside_slot"},
        ),
        (
            {
                "slot": {"start": "09:00", "end": "10:00"},
                "arrived": "2021-05-11T09:30",
                "appointment_date": "2021-05-10",
            },
            {"may_vaccinate": False, "reason": "outside_slot"},
        ),
        (
            {"slot": "2021-05-10 09:00-10:00", "arrived": "2021-05-10 09:30:00", "id_card": True},
            {"may_vaccinate": True, "reason": None},
        ),
        ({"events": []}, {"final_state": None, "valid": True}),
    ],
)
def test_parts_of_the_rules_can_be_asked_alone(question, expected):
    assert actual(question) == expected


def changed(changes):
    """Return the first worked request with members replaced; a path is written with dots."""
    question = deepcopy(GOOD)
    for path, value in changes.items():
        *above, last = path.split(".")
        place = question
        for name in above:
            place = place[name]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return question


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"price": 0}, "unexpected-member", "/price"),  # free of charge
        ({"today": ...}, "missing-member", ""),
        ({"today": "2021-5-8"}, "invalid-date", "/today"),
        ({"appointment_date": "2021-02-30"}, "invalid-date", "/appointment_date"),
        ({"appointment_date": "9999-12-31"}, "invalid-date", "/appointment_date"),
        ({"person.birth_date": "0001-01-01"}, "invalid-date", "/person/birth_date"),
        ({"person.birth_date": "2021-05-09"}, "born-later", "/person/birth_date"),
        ({"person.groups": ["80plus"]}, "unknown-value", "/person/groups/0"),
        ({"person.hukou_in_yongzhou": "yes"}, "wrong-type", "/person/hukou_in_yongzhou"),
        (
            {"person.contraindications": [{"code": "fear"}]},
            "unknown-value",
            "/person/contraindications/0/code",
        ),
        ({"product": "mrna"}, "unknown-value", "/product"),
        ({"dose_number": "1"}, "wrong-type", "/dose_number"),
        ({"dose_number": True}, "wrong-type", "/dose_number"),
        ({"dose_number": -1}, "unknown-value", "/dose_number"),
        ({"channel": "phone"}, "unknown-value", "/channel"),
        ({"slot_free": "yes"}, "wrong-type", "/slot_free"),
        ({"slot_free": -1}, "unknown-value", "/slot_free"),
        ({"history": [{"product": "ad5_vector", "dose": 1}]}, "missing-member", "/history/0"),
        ({"open_bookings": {}}, "wrong-type", "/open_bookings"),
        ({"proxy_for": {"wechat": "x"}}, "unexpected-member", "/proxy_for/wechat"),
        ({"detail_address": "\ud800"}, "wrong-type", "/detail_address"),
    ],
)
def test_a_request_that_is_not_exactly_right_is_refused_at_its_place(changes, code, pointer):
    with pytest.raises(DomainError) as refused:
        actual(changed(changes))
    assert (refused.value.code, refused.value.facts["pointer"]) == (code, pointer)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({}, "unknown-question"),
        ({"slot": "09:00-10:00"}, "unknown-question"),
        ([], "wrong-type"),
        (None, "wrong-type"),
        ({"arrived": "09:00"}, "missing-member"),
        ({"arrived": "9am", "slot": "09:00-10:00"}, "invalid-hours"),
        ({"arrived": "09:00", "slot": "morning"}, "invalid-hours"),
        ({"arrived": "09:00", "slot": "10:00-09:00"}, "slot-reversed"),
        ({"arrived": "09:00", "slot": ["09:00"]}, "unknown-value"),
        ({"arrived": "09:00", "slot": 9}, "wrong-type"),
        ({"arrived": "24:00", "slot": "09:00-10:00"}, "invalid-hours"),
        ({"events": ["teleported"]}, "unknown-value"),
        ({"events": "booked"}, "wrong-type"),
        ({"product": "mrna", "dose1": "2021-05-08"}, "unknown-value"),
        ({"id_card": 1}, "wrong-type"),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused(question, code):
    with pytest.raises(DomainError) as refused:
        actual(question)
    assert refused.value.code == code
    assert "pointer" in refused.value.facts


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"person.groups": ["60plus", "planning_pregnancy"]}, ("accept", None)),
        ({"slot_free": 0}, ("reject", "no_slot")),
        ({"slot_free": 3}, ("accept", None)),
        ({"person.real_name_verified": False}, ("reject", "not_real_name")),
        ({"person.residence_county": None}, ("accept", None)),
        ({"detail_address": "湘永路12号"}, ("accept", None)),
        ({"proxy_for": {}}, ("reject", "proxy_incomplete")),
    ],
)
def test_what_a_request_may_say_besides(changes, expected):
    found = actual(changed(changes))
    assert (found["decision"], found["reason"]) == expected


@pytest.mark.parametrize("valid_to", ["2021-05-09", "2021-05-10", "2999-12-31", None])
def test_a11_validity_is_read_from_the_request(valid_to):
    fever = {"code": "fever", "zh": "正在发热", "as_of": "2021-05-01", "valid_to": valid_to}
    found = actual(changed({"person.contraindications": [fever]}))
    assert found["decision"] == ("accept" if valid_to == "2021-05-09" else "reject")


def test_e15_the_same_kind_of_another_maker_continues_the_course():
    dose = {"product": "inactivated_vero", "dose": 1, "date": "2021-04-10", "maker": "02"}
    found = actual(changed({"history": [dose], "dose_number": 2}))
    assert found == {
        "decision": "accept",
        "reason": None,
        "earliest": "2021-05-01",
        "recommended_by": "2021-06-05",
    }
