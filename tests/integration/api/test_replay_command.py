"""`vaxledger replay`: read models from an export alone, equal to those that are live."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bootstrap.wiring import publish_verifier_keys
from cli.app import app
from client.copying import LogCopy
from client.sources import StoreSource
from client.trust import Trust
from projections.loop import Projector
from projections.replaying import NAMES
from tests.conftest import Databases
from tests.integration.api.conftest import County, register
from tests.integration.api.family import family

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def export(county: County, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the log as files, nothing else."""
    family(county)
    publish_verifier_keys(county.served.parts)
    trust = Trust.load(county.served.parts.settings.data_dir / "log.vkey")
    folder = tmp_path_factory.mktemp("export")
    LogCopy(folder, trust).extend(StoreSource(county.served.parts.reader))
    return folder


def replayed(export: Path, *words: object) -> dict:
    result = CliRunner().invoke(app, ["replay", str(export), *map(str, words), "--json"])
    assert result.exit_code == 0, result.output
    found: dict = json.loads(result.stdout.splitlines()[-1])
    return found


def replayed_elsewhere(export: Path, *words: object) -> dict:
    """By a process of its own, whose sets and dictionaries hash in another way."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "replay", str(export), *map(str, words), "--json"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "4242"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found: dict = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_replay_into_a_scratch_database_equals_what_is_live(
    county: County, export: Path, fresh_database: Callable[[], Databases]
):
    parts = county.served.parts
    register(county.clinic)  # the live views go on; the replay ends where the export does
    found = replayed(export)
    assert found["parked"] == []
    assert set(found["digests"]) == set(NAMES)
    live = fresh_database()
    assert replayed_elsewhere(export, "--into", live.log) == found  # on a server of ours
    projector = Projector(
        parts.reader, parts.settings.database_url or "", parts.settings.keys_url or "", parts.vault
    )
    with closing(projector):
        county.served.caught_up()
        whole = projector.positions()["records"]
        trust = Trust.load(parts.settings.data_dir / "log.vkey")
        LogCopy(export, trust).extend(StoreSource(parts.reader))
        again = replayed(export, "--as-of", whole, "--into", live.log)
        assert again["digests"] == {name: projector.digest(name)[1] for name in NAMES}


def test_a_replay_ends_where_knowledge_did(export: Path, fresh_database: Callable[[], Databases]):
    urls = fresh_database()
    early = replayed(export, "--as-of", 5, "--into", urls.log, "--name", "records")
    assert early["position"] == 5
    assert list(early["digests"]) == ["records"]
    further = CliRunner().invoke(
        app, ["replay", str(export), "--as-of", "4", "--into", urls.log, "--name", "records"]
    )
    assert further.exit_code == 2
    assert "Traceback" not in further.output
    before = replayed(export, "--as-of", "2000-01-01", "--into", fresh_database().log)
    assert before["position"] == 0


def test_an_altered_export_is_not_replayed(export: Path, tmp_path: Path):
    for file in export.rglob("*"):
        if file.is_file():
            target = tmp_path / file.relative_to(export)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes().replace(b"A20140601", b"A20140602"))
    result = CliRunner().invoke(app, ["replay", str(tmp_path), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout.splitlines()[-1])["holds"] is False


@pytest.mark.parametrize("as_of", ["yesterday", "2999-01-01", "99999999"])
def test_a_moment_that_is_none_gives_one_line(export: Path, as_of: str):
    result = CliRunner().invoke(app, ["replay", str(export), "--as-of", as_of])
    assert result.exit_code in {1, 2}
    assert "Traceback" not in result.output
