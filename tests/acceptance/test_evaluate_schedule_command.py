"""`vaxledger evaluate schedule` as rule authors run it: a process, lines."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKED = ROOT / "tests/spec/data/immunization.json"
FILE_2026 = files("domain.schedules") / "data/cn-nip-2026.schedule.json"
CASE = {"id": "A", "birth_date": "2026-08-01", "asked_on": "2026-08-01", "doses": []}


def run(*arguments):
    command = [sys.executable, "-c", "from cli.evaluate import app; app()", "schedule"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"}
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


def lines(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_every_worked_case_is_answered_on_a_line_of_its_own():
    done = run(WORKED, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    cases = json.loads(WORKED.read_text(encoding="utf-8"))["cases"]
    told = {line["id"]: line["actual"]["series"] for line in lines(done)}
    assert list(told) == [case["id"] for case in cases]
    for case in cases:
        for code, members in case["expected"]["series"].items():
            assert {name: told[case["id"]][code].get(name) for name in members} == members


def test_a_bad_case_gets_its_error_and_the_others_their_answers(tmp_path):
    bad = [{**CASE, "asked_on": "2026-07-31"}, {**CASE, "doses": None}, []]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [*bad, CASE]}), encoding="utf-8")
    done = run(path, "--json", "--rules", FILE_2026)
    assert (done.returncode, done.stderr) == (1, b"")
    *faults, answered = lines(done)
    assert [fault["error"]["code"] for fault in faults] == [
        *("asked-before-birth", "wrong-type", "wrong-type"),
    ]
    assert answered["actual"]["series"]["HepB"]["status"] == "due"


def test_people_get_a_table_in_which_the_rules_are_named(tmp_path):
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [CASE]}), encoding="utf-8")
    text = run(path).stdout.decode()
    for word in ("cn-nip-2026", "N-15 HepB.1", "乙肝疫苗第1剂现可接种", "2021年版"):
        assert word in text


def test_a_rule_file_that_does_not_hold_together_is_one_line_on_stderr(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"id": "mine"}), encoding="utf-8")
    done = run(WORKED, "--rules", path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) == 1
