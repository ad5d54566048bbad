"""Restricted: hidden at the next read, everywhere, and back after the lifting. Who may decide."""

import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from cli.app import app
from client.signing import Draft
from tests.days import today
from tests.integration.api.conftest import County, dose, doses_path
from tests.integration.api.family import YEAR, Family, family, ok


@pytest.fixture(scope="module")
def kin(county: County) -> Family:
    return family(county)


def statuses(kin: Family) -> dict[str, int]:
    """What each way to the elder child's data answers."""
    clinic, child = kin.county.clinic, kin.child
    return {
        "record": clinic.get(kin.path).status_code,
        "record of another day": clinic.get(kin.path, effective_on="2014-12-31").status_code,
        "timeline": clinic.get(f"{kin.path}/timeline").status_code,
        "certificate, holder": kin.mother.get(f"/v1/certificates/{kin.certificate}").status_code,
        "certificate, staff": clinic.get(f"/v1/certificates/{kin.certificate}").status_code,
        "dose": clinic.post(
            doses_path(child), dose(clinic, child, occurred_on="2015-01-05")
        ).status_code,
    }


def found(kin: Family) -> list[str]:
    body = {"id_number": kin.number}
    answer = kin.county.clinic.call("/v1/records/search", body)
    return [line["record"] for line in answer.json()["records"]]


def test_a_restricted_record_is_hidden_at_once_and_back_when_it_is_lifted(kin: Family):
    before = statuses(kin)
    assert {name: code for name, code in before.items() if name != "dose"} == dict.fromkeys(
        set(before) - {"dose"}, 200
    )
    row = kin.county.school.get(kin.register_path, school_year=YEAR).json()
    assert kin.restrict().status_code == 201
    assert set(statuses(kin).values()) == {423}
    assert found(kin) == []
    candidates = kin.mother.get("/v1/certificates/candidates").json()["candidates"]
    assert [one["record"] for one in candidates] == [str(kin.sibling.record)]
    hidden = kin.county.school.get(kin.register_path, school_year=YEAR).json()
    assert hidden["rows"] == [["1", *["已限制"] * 4, *[""] * 25]]
    assert hidden["subtotals"] == row["subtotals"]
    assert str(kin.child.record) not in str(hidden)
    assert kin.lift().status_code == 201
    assert kin.county.clinic.get(kin.path).status_code == 200
    assert kin.county.school.get(kin.register_path, school_year=YEAR).json()["rows"] == row["rows"]
    assert found(kin) == [str(kin.child.record)]


def test_the_sibling_of_a_restricted_child_is_not_hidden(kin: Family):
    assert kin.restrict().status_code == 201
    answer = kin.county.clinic.get(f"/v1/records/{kin.sibling.record}")
    assert answer.json()["guardians"][0]["name"] == "李梅"
    assert kin.lift().status_code == 201


def test_out_of_scope_a_restricted_record_answers_like_none(kin: Family):
    assert kin.restrict().status_code == 201
    for path in (kin.path, f"{kin.path}/protection", f"{kin.path}/timeline"):
        assert kin.county.far_clinic.get(path).status_code == 404
    assert kin.lift().status_code == 201


@pytest.mark.parametrize("who", ["clinic", "school", "operator", "far_clinic"])
def test_only_a_cdc_decides(kin: Family, who: str):
    author = getattr(kin.county, who)
    refused = kin.decide(author, "restricted", reason="consent-withdrawn")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")


def test_a_cdc_decides_in_its_own_name_only(kin: Family):
    refused = kin.decide(
        kin.county.cdc,
        "restricted",
        organisation=str(kin.city.organisation),
        reason="consent-withdrawn",
    )
    assert refused.status_code == 403


def test_the_view_says_until_when_a_record_must_be_kept(kin: Family):
    answer = kin.county.clinic.get(kin.path).json()
    assert answer["retention_until"] == "2022-01-31"  # its packages expired on 31 January 2017


def test_nobody_shreds_alone(kin: Family):
    asked = kin.decide(kin.county.cdc, "shred-requested", ground="retention-ended")
    assert asked.status_code == 201, asked.text
    request = asked.json()["version"]
    alone = kin.decide(kin.county.cdc, "shredded", request=request)
    assert alone.json()["type"] == "/problems/second-organisation-required"
    standing = kin.county.cdc.get(f"{kin.path}/protection").json()
    assert standing["request"]["organisation"] == str(kin.county.cdc.organisation)
    assert kin.decide(kin.city, "shred-withdrawn", request=request).status_code == 201
    assert kin.county.clinic.get(kin.path).status_code == 200


def test_within_the_term_of_retention_nothing_is_shredded(kin: Family):
    clinic = kin.county.clinic
    child = replace(kin.child, version=kin.version())
    late = dose(clinic, child, occurred_on="2024-05-01", expires_on="2026-05-31")
    assert clinic.post(doses_path(child), late).status_code == 201
    refused = kin.decide(kin.county.cdc, "shred-requested", ground="erasure-requested")
    assert refused.json()["type"] == "/problems/retention-runs"
    assert refused.json()["facts"]["kept_until"] == "2031-05-31"


def enrol(kin: Family, record: UUID) -> str:
    """Enrol a child in this year; returns until when the register is kept."""
    school, year = kin.county.school, today().year
    data = {
        "record": str(record),
        "institution": str(school.organisation),
        "division": school.principal.division,
        "school_year": year,
        "class_name": f"二年级{uuid4().hex[:6]}班",
        "entry_type": "primary",
        "admission": "new",
        "number": 1,
        "joined_on": f"{year}-09-01",
    }
    ok(school.post("/v1/enrolments", Draft("enrolment.enrolled.v1", uuid4(), 0, data)))
    return f"{year + 6}-08-31"


def state(kin: Family, record: UUID) -> None:
    clinic = kin.county.clinic
    data = {
        "record": str(record),
        "division": clinic.principal.division,
        "clinic": str(clinic.organisation),
        "checked_on": "2021-08-20",
        "entry_type": "kindergarten",
        "has_certificate": True,
        "paper_agrees": True,
    }
    ok(clinic.post("/v1/check-statements", Draft("check-statement.issued.v1", uuid4(), 0, data)))


def join(kin: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command find the installation."""
    settings = kin.county.served.parts.settings
    monkeypatch.setenv("VAXLEDGER_DATABASE_URL", str(settings.database_url))
    monkeypatch.setenv("VAXLEDGER_KEYS_URL", str(settings.keys_url))
    monkeypatch.setenv("VAXLEDGER_DATA_DIR", str(settings.data_dir))


def test_what_a_school_must_keep_stands_in_the_way_of_a_shred(
    kin: Family, monkeypatch: pytest.MonkeyPatch
):
    """S-13, X-18: over HTTP and by the command; only the law's own grounds go before it."""
    join(kin, monkeypatch)
    pupil = replace(kin, child=kin.sibling)
    record = kin.sibling.record

    def refused(kind: str, until: str | None) -> None:
        answer = pupil.decide(kin.county.cdc, "shred-requested", ground="erasure-requested")
        assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
        assert answer.json()["facts"]["kept_until"] == until
        done = CliRunner().invoke(app, ["shred", "check", str(record), "--json"])
        assert done.exit_code == 1, done.output
        reason = json.loads(done.stdout)["refused"]
        assert (reason["code"], reason["kept_until"]) == (kind, until)

    free = CliRunner().invoke(app, ["shred", "check", str(record)])
    assert (free.exit_code, "可销毁" in free.stdout) == (0, True), free.output
    until = enrol(pupil, record)
    refused("register-kept", until)
    state(pupil, record)
    refused("statement-kept", None)
    kept = kin.county.cdc.get(f"{pupil.path}/protection").json()
    assert (kept["register_until"], kept["has_statement"]) == (until, True)
    shown = CliRunner().invoke(app, ["shred", "check", str(record)])
    assert all(said in shown.stdout for said in (until, "长期 for good", "须长期保存"))
    asked = pupil.decide(kin.county.cdc, "shred-requested", ground="legal-order")
    assert asked.status_code == 201, asked.text
    request = asked.json()["version"]
    assert pupil.decide(kin.city, "shred-withdrawn", request=request).status_code == 201


def test_a_record_that_does_not_exist_is_said_in_one_line(
    kin: Family, monkeypatch: pytest.MonkeyPatch
):
    join(kin, monkeypatch)
    done = CliRunner().invoke(app, ["shred", "check", str(uuid4())])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
