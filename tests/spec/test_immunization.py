"""What a schedule says of a child's doses and of those to come, in sentences."""

import json
from pathlib import Path

import pytest

from domain.schedules.immunization_case import answer, parse_question, schedule_of
from domain.schedules.immunization_history import evaluate_history
from domain.schedules.json_document import Node, load_document
from domain.schedules.schedule import SHIPPED

WORKED = json.loads((Path(__file__).parent / "data/immunization.json").read_text(encoding="utf-8"))


def told(case):
    node = Node(case)
    schedule = schedule_of(node)
    return answer(evaluate_history(schedule, parse_question(node, schedule, annotated=True)))


def check(case):
    found, expected = told(case), case["expected"]
    outcomes = {f"{dose['date']} {dose['vaccine']}": dose["outcomes"] for dose in found["doses"]}
    for dose, series in expected["outcomes"].items():
        vaccine, day = dose.split()
        assert outcomes[f"{day} {vaccine}"] == series, (dose, case["why"])
    for code, members in expected["series"].items():
        shown = {name: found["series"][code].get(name) for name in members}
        assert shown == members, (code, case["why"])


@pytest.mark.parametrize("case", WORKED["cases"], ids=lambda case: case["id"])
def test_worked_case(case):
    check(case)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_examples_of_a_schedule_file_hold(name):
    examples = load_document(f"{name}.schedule.json").value["examples"]
    assert examples
    for example in examples:
        check(example)
        assert told(example)["schedule"] == name
