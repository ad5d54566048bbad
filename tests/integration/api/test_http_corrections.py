"""Corrections over HTTP: which of many wins, correcting a correction, striking out and back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from tests.integration.api.conftest import Child, County, dose, doses_path
from tests.integration.api.correcting import LOT, correct, request, step, vaccinated

WRITERS = 16


def doses(county: County, child: Child, days: int = 0) -> list[dict]:
    county.served.caught_up()
    path = f"/v1/records/{child.record}"
    today = county.clinic.get(path).json()["effective_on"]
    day = (date.fromisoformat(today) + timedelta(days=days)).isoformat()
    return county.clinic.get(path, effective_on=day).json()["doses"]


def test_of_sixteen_corrections_of_one_dose_exactly_one_wins(county: County):
    child, which = vaccinated(county)
    clinic = county.clinic

    def prepare(number: int):
        change = {**LOT, "after": f"B{number:08}"}
        stream, requested = request(clinic, child, which, change)
        assert requested.status_code == 201, requested.text
        assert step(clinic, stream, "verified", 1).status_code == 201
        return stream

    streams = [prepare(number) for number in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as writers:
        answers = list(writers.map(lambda stream: step(clinic, stream, "applied", 2), streams))
    won = [number for number, answer in enumerate(answers) if answer.status_code == 201]
    assert len(won) == 1
    lost = {answer.json()["type"] for answer in answers if answer.status_code != 201}
    assert lost <= {
        "/problems/current-state-differs", "/problems/guard-failed", "/problems/version-conflict"
    }  # fmt: skip
    (dose,) = doses(county, child, days=1)
    assert dose["lot"] == f"B{won[0]:08}"
    again = step(clinic, streams[won[0] - 1], "applied", 2)
    assert again.json()["type"] == "/problems/current-state-differs"
    assert again.json()["facts"]["current"] == dose["lot"]


def test_a_correction_is_corrected_by_another_one(county: County):
    child, which = vaccinated(county)
    correct(county.clinic, child, which, LOT)
    _, refused = request(county.clinic, child, which, LOT)
    assert refused.json()["type"] == "/problems/current-state-differs"
    correct(county.clinic, child, which, {**LOT, "before": LOT["after"], "after": LOT["before"]})
    assert [dose["lot"] for dose in doses(county, child, days=1)] == [LOT["before"]]
    lines = county.clinic.get(f"/v1/records/{child.record}/audit").json()["lines"]
    made = [line for line in lines if line["topic"].endswith("dose-corrected.v1")]
    assert [line["changes"][0]["after"] for line in made] == [LOT["after"], LOT["before"]]
    assert all(line["cause"]["position"] for line in made)


def test_who_corrects_a_dose_is_told_what_deserves_a_second_look(county: County):
    child, _ = vaccinated(county)
    second = dose(county.clinic, child, occurred_on="2014-09-20")
    assert county.clinic.post(doses_path(child), second).status_code == 201
    change = {"field": "lot", "before": LOT["before"], "after": "A20140611"}
    _, plain = request(county.clinic, child, second.data["dose"], change)
    assert "remarks" not in plain.json()
    change = {"field": "occurred_on", "before": "2014-09-20", "after": "2014-08-18"}
    stream, asked = request(county.clinic, child, second.data["dose"], change)
    assert step(county.clinic, stream, "verified", 1).status_code == 201
    applied = step(county.clinic, stream, "applied", 2)
    for answer in (asked, applied):
        assert answer.status_code == 201, answer.text
        assert "soon-again" in [one["id"] for one in answer.json()["remarks"]]


def test_a_dose_is_struck_out_and_reinstated(county: County):
    child, which = vaccinated(county)
    strike = {"kind": "entered-in-error", "reason": "other-child"}
    back = {"kind": "reinstate", "reason": "strike-was-wrong"}
    _, refused = request(county.clinic, child, which, **back)
    assert refused.json()["type"] == "/problems/not-struck"
    correct(county.clinic, child, which, **strike, urgency="immediate")
    assert doses(county, child) == []
    _, refused = request(county.clinic, child, which, **strike)
    assert refused.json()["type"] == "/problems/unknown-dose"
    _, applied = correct(county.clinic, child, which, **back)
    assert doses(county, child) == []
    (dose,) = doses(county, child, days=1)
    assert (dose["dose"], dose["lot"]) == (which, LOT["before"])
    topic = county.regulator.get(f"/v1/records/{child.record}/audit").json()["lines"][-1]
    assert topic["topic"] == "vaccination-record.dose-reinstated.v1"
    assert topic["cause"]["position"] == applied
    assert topic["changes"][0]["after"] == "completed"


@pytest.mark.parametrize("end", ["rejected", "withdrawn"])
def test_a_correction_ends_with_a_reason_and_nothing_changes(county: County, end: str):
    child, which = vaccinated(county)
    stream, _ = request(county.clinic, child, which, LOT, requested_by="guardian")
    answer = step(county.clinic, stream, end, 1, reason="evidence-insufficient")
    assert answer.status_code == 201, answer.text
    closed = step(county.clinic, stream, "verified", 2)
    assert closed.json()["type"] == "/problems/correction-closed"
    assert [dose["lot"] for dose in doses(county, child, days=1)] == [LOT["before"]]
