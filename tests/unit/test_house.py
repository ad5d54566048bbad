"""The house itself: names, promises of the README, files that others read."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from bootstrap.diagnosis.of_settings import of_settings
from bootstrap.secret_files import SECRETS
from bootstrap.settings import Settings

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS: list[str] = PYPROJECT["tool"]["importlinter"]["root_packages"]


def test_no_dependency_claims_one_of_our_root_names():
    claimed = metadata.packages_distributions()
    strangers = {room: set(claimed.get(room, [])) - {"vaxledger"} for room in ROOMS}
    assert not {room: others for room, others in strangers.items() if others}


def test_the_distribution_cannot_be_uploaded_by_accident():
    assert "Private :: Do Not Upload" in PYPROJECT["project"]["classifiers"]


def test_every_room_is_shipped_linted_and_typed():
    tool = PYPROJECT["tool"]
    assert sorted(ROOMS) == sorted(tool["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert set(ROOMS) == set(tool["mypy"]["packages"])
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders == set(ROOMS), "a new folder must take a place in the order"


COMPOSE = ("compose.yaml", "compose.production.yaml")


@pytest.mark.parametrize("name", COMPOSE)
def test_a_compose_file_is_what_the_compose_schema_wants(name: str):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(ROOT / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_production_in_compose_is_fit_for_production(tmp_path: Path):
    """Its settings have none of the traps that settings show, and its secrets are the page's."""
    written = (ROOT / "compose.production.yaml").read_text(encoding="utf-8")
    made = yaml.safe_load(re.sub(r"\$\{(\w+)[^}]*\}", r"\1.example.cn", written))
    given = dict(made["services"]["api"]["environment"])
    assert given.pop("SSL_CERT_FILE") == "/run/secrets/ca"
    given["VAXLEDGER_ISSUER"] = f"https://{given['VAXLEDGER_ISSUER']}"
    settings = {name.removeprefix("VAXLEDGER_").lower(): value for name, value in given.items()}
    for name, url in (("log", "postgresql://vaxledger:{}@x"), ("keys", "postgresql://k:{}@y")):
        (tmp_path / f"{name}_url").write_text(url.format("a" * 32))
    (tmp_path / "nats_password").write_text("b" * 32)
    for name in SECRETS:
        if path := settings.get(f"{name}_file"):
            settings[f"{name}_file"] = tmp_path / Path(path).name
    assert [trap.name for trap in of_settings(Settings(**settings))] == []
    page = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    files = [Path(one["file"]).name for one in made["secrets"].values()]
    assert [name for name in files if f"`{name}`" not in page] == []
    servers = [made["services"][name] for name in ("postgres-log", "postgres-keys")]
    assert servers[0]["volumes"] != servers[1]["volumes"]


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_shows_the_two_commands(command: str):
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_calls_the_test_command_of_the_readme():
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    pages = {path.name for path in folder.glob("0*.md")}
    assert pages == set(re.findall(r"\((0[\w-]+\.md)\)", index))


def test_every_page_is_in_the_index_of_documents():
    folder = ROOT / "docs"
    index = (folder / "README.md").read_text()
    pages = {path.name for path in folder.iterdir() if path.suffix in {".md", ".json"}}
    assert pages - {"README.md"} == set(re.findall(r"\(([\w-]+\.(?:md|json))\)", index))


def test_no_document_links_to_what_is_not_there():
    tracked = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    dead = [
        (name, target)
        for name in tracked.stdout.splitlines()
        for target in re.findall(r"\]\((?!\w+:|#)([^)#]+)", (ROOT / name).read_text())
        if not ((ROOT / name).parent / target).exists()
    ]
    assert dead == []


def test_locked_requirements_name_hashes_and_no_host():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text, f"{path.name} names a host"
