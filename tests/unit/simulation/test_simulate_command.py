"""`vaxledger simulate`, as its users call it."""

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.app import app

SMALL = ("--children", "30", "--years", "4", "--json")


def run(*words: str):
    return CliRunner().invoke(app, ["simulate", *words])


def test_the_folder_holds_what_was_counted(tmp_path: Path):
    into = tmp_path / "a"
    answer = run("--into", str(into), *SMALL)
    assert answer.exit_code == 0, answer.output
    counts = json.loads(answer.stdout)
    held = {
        name: sum(
            len(path.read_text(encoding="utf-8").splitlines()) - (path.suffix == ".csv")
            for path in (into / name).glob("*")
        )
        for name in counts
    }
    assert held == counts
    assert json.loads((into / "province.json").read_text(encoding="utf-8"))["children"] == 30


def test_what_a_killed_run_left_is_begun_anew(tmp_path: Path):
    left = tmp_path / "a.part" / "histories"
    left.mkdir(parents=True)
    (left / "419901100.ndjson").write_text("half a li", encoding="utf-8")
    assert run("--into", str(tmp_path / "a"), *SMALL).exit_code == 0
    assert run("--into", str(tmp_path / "b"), *SMALL).exit_code == 0
    assert not (tmp_path / "a.part").exists()
    for path in (tmp_path / "b").rglob("*.*"):
        twin = tmp_path / "a" / path.relative_to(tmp_path / "b")
        assert twin.read_bytes() == path.read_bytes()


def test_a_folder_that_exists_is_left_alone(tmp_path: Path):
    answer = run("--into", str(tmp_path), *SMALL)
    assert answer.exit_code == 2
    assert answer.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
