"""`vaxledger record`: a record as it was known, with its proof; a dossier verified offline."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bootstrap.wiring import publish_verifier_keys
from cli.record import app
from tests.integration.api.conftest import Author, County
from tests.integration.api.family import Family, family


@pytest.fixture(scope="module")
def household(county: County) -> Family:
    publish_verifier_keys(county.served.parts)
    return family(county)


def run(county: County, reader: Author, folder: Path, *words: object):
    token = folder / "token"
    token.write_text(county.served.token(reader.principal))
    trust = county.served.parts.settings.data_dir / "log.vkey"
    options = ["--url", county.served.url, "--token-file", str(token), "--trust", str(trust)]
    return CliRunner().invoke(app, ["as-of", *map(str, words), *options])


def verified(county: County, file: Path):
    trust = county.served.parts.settings.data_dir / "log.vkey"
    return CliRunner().invoke(app, ["verify", str(file), "--trust", str(trust), "--json"])


def told(result) -> dict:
    found: dict = json.loads(result.stdout.splitlines()[-1])
    return found


def test_a_record_as_of_a_position_comes_with_a_proven_dossier(
    county: County, household: Family, tmp_path: Path
):
    lines = county.regulator.get(f"{household.path}/timeline").json()["lines"]
    third, file = lines[2]["position"], tmp_path / "dossier.json"
    asked = (household.child.record, "--known-at", third, "--dossier", file)
    result = run(county, county.regulator, tmp_path, *asked, "--json")
    assert result.exit_code == 0, result.output
    body = told(result)
    assert (len(body["doses"]), body["proven"]["entries"]) == (2, 3)
    assert told(verified(county, file))["holds"]
    shown = run(county, county.regulator, tmp_path, *asked)
    assert "王小明" in shown.stdout
    assert "已核验" in shown.stdout


def test_what_a_school_saw_is_one_command(county: County, household: Family, tmp_path: Path):
    asked = (household.child.record, "--institution", county.school.organisation)
    result = run(county, county.school, tmp_path, *asked, "--json")
    assert result.exit_code == 0, result.output
    body = told(result)
    assert body["line"]["checked_on"] == "2020-09-10"
    assert body["proven"]["entries"] == 2
    assert household.class_name in run(county, county.school, tmp_path, *asked).stdout


def test_an_altered_dossier_is_refused_by_position(
    county: County, household: Family, tmp_path: Path
):
    file = tmp_path / "dossier.json"
    run(county, county.regulator, tmp_path, household.child.record, "--dossier", file)
    file.write_text(file.read_text().replace("A20140601", "A20140602", 1))
    result = verified(county, file)
    assert result.exit_code == 1
    assert told(result)["reason"] == "proof-invalid"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 7}'])
def test_what_is_no_dossier_gives_one_line(county: County, tmp_path: Path, content: bytes):
    (tmp_path / "x.json").write_bytes(content)
    result = verified(county, tmp_path / "x.json")
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_what_may_not_be_read_gives_one_line(county: County, household: Family, tmp_path: Path):
    result = run(county, county.far_clinic, tmp_path, household.child.record)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
