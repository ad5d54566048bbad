"""`vaxledger schedules` as those who prepare a new edition run it: a process, lines."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = files("domain.schedules") / "data"
FOUR = ("2018-08-01", "2018-09-01", "2018-10-01", "2019-11-01")
CHILD = {
    "id": "K1",
    "birth_date": "2018-05-01",
    "asked_on": "2024-05-01",
    "doses": [{"vaccine": "DTaP", "date": day} for day in FOUR],
}


def run(*arguments):
    command = [sys.executable, "-c", "from cli.schedules import app; app()", *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False
    )


def lines(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def population(folder, *children):
    path = folder / "population.ndjson"
    path.write_text("".join(json.dumps(child) + "\n" for child in children), encoding="utf-8")
    return path


def test_the_shipped_editions_are_listed():
    told = lines(run("list", "--json"))
    assert [one["id"] for one in told] == ["cn-nip-2021", "cn-nip-2026", "kaifeng-2018"]
    assert told[0]["effective_to"] == "2026-06-30"


def test_an_edition_is_shown_with_what_it_does_not_know():
    text = run("show", "cn-nip-2026").stdout.decode()
    for word in ("DTaP", "6y < 7y", ">= 1y", "HBsAg", "2026年版"):
        assert word in text
    assert json.loads(run("show", "kaifeng-2018", "--json").stdout)["required_doses"]


def test_two_editions_are_compared_member_by_member():
    told = lines(run("diff", "cn-nip-2021", "cn-nip-2026", "--json"))
    members = {line["member"]: (line["from"], line["to"]) for line in told}
    assert members["/series/Men/steps/a2/complete_before"] == ("18m", "24m")
    assert members["/series/HPV2/sex"] == (None, "female")


def test_the_children_whose_verdict_changes_are_named_with_the_reasons(tmp_path):
    late_men = {
        "id": "K2",
        "birth_date": "2023-01-10",
        "asked_on": "2024-07-10",
        "doses": [{"vaccine": "MPSV-A", "date": "2023-07-10"}],
    }
    same = {"id": "K3", "birth_date": "2024-07-01", "asked_on": "2024-07-10", "doses": []}
    path = population(tmp_path, CHILD, late_men, same)
    done = run("diff", "cn-nip-2021", "cn-nip-2026", "--population", path, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    first, second, total = lines(done)
    assert first["id"] == "K1"
    assert {"about": "DTaP", "from": "due DT 1", "to": "due DPT 5"} in first["changes"]
    assert second["changes"] == [
        {"about": "Men", "from": "overdue MenA 2", "to": "due MenA 2"},
    ]
    assert (total["children"], total["changed"], total["failed"]) == (3, 2, 0)
    assert total["reasons"]["Men: overdue MenA 2 -> due MenA 2"] == 1


def test_a_child_that_cannot_be_judged_does_not_stop_the_others(tmp_path):
    path = population(tmp_path, {**CHILD, "asked_on": "2018-01-01"}, [], CHILD)
    done = run("diff", "cn-nip-2021", "cn-nip-2026", "--population", path, "--json")
    early, no_object, judged, total = lines(done)
    assert done.returncode == 1
    assert (early["line"], early["id"]) == (1, "K1")
    assert early["error"]["code"] == "asked-before-birth"
    assert no_object["error"]["code"] == "wrong-type"
    assert judged["id"] == "K1"
    assert (total["children"], total["failed"]) == (3, 2)


def test_another_day_can_be_asked_about(tmp_path):
    path = population(tmp_path, CHILD)
    arguments = ("diff", "cn-nip-2021", "cn-nip-2026", "--population", path, "--json")
    [total] = lines(run(*arguments, "--on", "2019-12-01"))
    assert total["changed"] == 0


def test_entry_requirements_are_compared_too(tmp_path):
    changed = json.loads((DATA / "kaifeng-2018.entry.json").read_text(encoding="utf-8"))
    changed["required_doses"]["4"]["PV"] = 3
    own = tmp_path / "own.json"
    own.write_text(json.dumps(changed), encoding="utf-8")
    child = {
        "id": "K1",
        "birth_date": "2014-06-15",
        "check_date": "2018-09-10",
        "entry_type": "kindergarten",
        "has_certificate": True,
        "doses": [{"vaccine": "OPV", "date": f"2014-{month}-15"} for month in ("08", "09", "10")],
    }
    path = population(tmp_path, child)
    first, total = lines(run("diff", "kaifeng-2018", own, "--population", path, "--json"))
    assert first["changes"] == [{"about": "PV", "from": "missing 4", "to": "nothing-missing"}]
    assert total["changed"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "cn-nip-1978"),
        ("diff", "cn-nip-2026", "kaifeng-2018"),
        ("diff", "cn-nip-2021", "cn-nip-2026", "--population", "/no/such/file"),
    ],
)
def test_what_cannot_be_read_is_one_line_on_stderr(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1
