"""The house itself: names, promises of the README, files that others read."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

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


def test_the_compose_file_is_what_the_compose_schema_wants():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(ROOT / "compose.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


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
