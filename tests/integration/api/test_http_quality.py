"""What is remarked on stays in the log, and adds up to the scores of a clinic."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from client.signing import Draft
from tests.days import today, tomorrow
from tests.integration.api.conftest import (
    Author,
    County,
    admit,
    dose,
    doses_path,
    register,
)


def period() -> dict[str, str]:
    return {"since": today().isoformat(), "until": tomorrow().isoformat()}


@pytest.fixture(scope="module")
def clinic(county: County) -> Author:
    """Wrote three doses: one of today, one of long ago, one from paper with a remark."""
    clinic = admit(county.operator, county.clinic.principal.role, "质量门诊", "clinic", "410266101")
    child = register(clinic)
    old = dose(clinic, child, occurred_on="2014-06-20", vaccine="MPSV-A", route="SC")
    now = datetime.now(UTC).astimezone(tz=None).isoformat(timespec="seconds")
    newest = dose(
        clinic,
        replace(child, version=2),
        occurred_on=today().isoformat(),
        expires_on="2030-01-01",
        national_code="0201",
        dose_number=1,
    )
    newest.private[child.handle]["occurred_at"] = now
    paper = Draft(
        "vaccination-record.dose-transcribed.v1",
        child.record,
        3,
        {
            "dose": str(child.handle),
            "vaccine": "BCG",
            "occurred_on": "2014-06-16",
            "source_system": "paper",
            "evidence_kind": "certificate",
            "evidence": "ab" * 32,
            "clinic": str(clinic.organisation),
        },
        {child.handle: {"unit": "某医院", "transcriber": "钱医生", "evidence_salt": "cd" * 32}},
    )
    for draft in (old, newest, paper):
        answer = clinic.post(doses_path(child), draft)
        assert answer.status_code == 201, answer.text
        told = [one["id"] for one in answer.json().get("remarks", [])]
        derived = json.loads(answer.json()["entry"])["data"]["derived"]
        assert derived.get("remarks", []) == told
    county.served.caught_up()
    return clinic


def score(author: Author, clinic: Author, **other: str) -> dict[str, Any]:
    path = f"/v1/clinics/{clinic.organisation}/quality"
    answer = author.get(path, **(period() | other))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_clinic_sees_its_own_scores(clinic: Author):
    told = score(clinic, clinic)
    assert (told["given"], told["in_time"], told["timeliness"]) == (2, 1, 0.5)
    assert (told["filled"], told["fillable"], told["completeness"]) == (4, 12, 0.3333)
    assert told["transcribed"] == 1
    assert told["remarks"] == {"lot-not-given": 1}
    assert (told["remarked"], told["validity"]) == (1, 0.6667)


def test_a_position_of_today_counts_what_was_written_by_then(county: County, clinic: Author):
    now, at = score(clinic, clinic), county.served.caught_up()
    assert score(clinic, clinic, known_at=str(at)) == now
    assert score(clinic, clinic, effective_on="2020-01-01")["given"] == 0
    written = [
        position
        for position, raw, _ in county.served.parts.reader.entries(1, at)
        if b".dose-" in raw and json.loads(raw)["data"].get("clinic") == str(clinic.organisation)
    ]
    told = [score(clinic, clinic, known_at=str(one)) for one in written]
    assert [one["given"] + one["transcribed"] for one in told] == [1, 2, 3]
    assert told[-1] == now
    path = f"/v1/clinics/{clinic.organisation}/quality"
    assert clinic.get(path, **period(), known_at=1).status_code == 404


def test_another_period_has_none(clinic: Author):
    told = score(clinic, clinic, since="2001-01-01", until="2001-12-31")
    assert (told["given"], told["timeliness"], told["remarks"]) == (0, None, {})


def test_whoever_oversees_sees_all_clinics_of_a_division(county: County, clinic: Author):
    path = "/v1/divisions/410266/quality"
    answer = county.regulator.get(path, **period())
    assert answer.status_code == 200, answer.text
    assert [one["clinic"] for one in answer.json()["clinics"]] == [str(clinic.organisation)]
    assert clinic.get(path, **period()).status_code == 403
    own = f"/v1/clinics/{clinic.organisation}/quality"
    assert county.school.get(own, **period()).status_code == 404
    assert county.regulator.get(path, since="2026-13-01", until="2026-01-01").status_code == 422


def test_the_command_tells_the_same(county: County, clinic: Author, monkeypatch):
    settings = county.served.parts.settings
    monkeypatch.setenv("VAXLEDGER_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("VAXLEDGER_KEYS_URL", str(settings.keys_url))
    monkeypatch.setenv("VAXLEDGER_DATA_DIR", str(settings.data_dir))
    asked = period()
    words = ["--since", asked["since"], "--until", asked["until"]]
    done = CliRunner().invoke(app, ["quality", *words, "--division", "410266", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["validity"] == score(clinic, clinic)["validity"]
    shown = CliRunner().invoke(app, ["quality", *words, "--division", "410266"])
    assert "质量门诊" in shown.output
