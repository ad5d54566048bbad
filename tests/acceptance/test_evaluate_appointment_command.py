"""`vaxledger evaluate appointment` as a rule author runs it: a process, a file, lines."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKED = ROOT / "tests/spec/data/appointments.json"
SHIPPED = files("domain.schedules") / "data" / "yongzhou-2021.booking.json"


def run(*arguments, encoding="latin-1"):
    """Run the command without the rest of the product: no server, no settings."""
    command = [sys.executable, "-c", "from cli.evaluate import app; app()", "appointment"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": encoding, "COLUMNS": "160"}
    return subprocess.run(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def lines(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


@pytest.fixture
def case():
    return json.loads(WORKED.read_text(encoding="utf-8"))["cases"][0]


def write(folder, cases, name="用例 with spaces.json"):
    path = folder / name
    path.write_text(json.dumps({"note": "x", "cases": cases}), encoding="utf-8")
    return path


def test_every_worked_case_is_answered_on_a_line_of_its_own():
    done = run(WORKED, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    cases = json.loads(WORKED.read_text(encoding="utf-8"))["cases"]
    assert lines(done) == [{"id": case["id"], "actual": case["expected"]} for case in cases]


def test_what_is_expected_plays_no_part(tmp_path, case):
    bare = {"id": case["id"], "input": case["input"]}
    wrong = {**case, "expected": {"decision": "reject", "reason": "no_slot", "price": 1}}
    done = run(write(tmp_path, [bare, wrong]), "--json")
    assert lines(done) == 2 * [{"id": "B01", "actual": {"decision": "accept", "reason": None}}]


def test_a_bad_case_gets_its_error_and_the_others_their_answers(tmp_path, case):
    bad = [
        {"id": "X1", "input": {**case["input"], "product": "mrna"}},
        {"id": "X2"},
        {"input": case["input"]},
        "no object",
    ]
    done = run(write(tmp_path, [*bad, case]), "--json")
    assert done.returncode == 1
    found = lines(done)
    assert [
        (line["id"], line["error"]["code"], line["error"]["pointer"]) for line in found[:4]
    ] == [
        ("X1", "unknown-value", "/cases/0/input/product"),
        ("X2", "missing-member", "/cases/1"),
        (None, "missing-member", "/cases/2"),
        (None, "wrong-type", "/cases/3"),
    ]
    assert found[4]["actual"]["decision"] == "accept"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cases": {}}', b"\xff"])
def test_an_unreadable_file_is_one_line_on_stderr(tmp_path, content):
    path = tmp_path / "cases.json"
    path.write_bytes(content)
    done = run(path, "--json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.decode().splitlines()) == 1


def test_people_get_a_table_in_chinese_and_english(tmp_path):
    cases = json.loads(WORKED.read_text(encoding="utf-8"))["cases"]
    odd = {"id": "X9[/]", "input": {"events": ["flew"]}}
    done = run(write(tmp_path, [*cases, odd]), encoding="utf-8")
    assert done.returncode == 1
    text = done.stdout.decode()
    for words in ("永州市新冠病毒疫苗预约接种", "B25", "不可预约 reject", "2021-05-31", "A-12"):
        assert words in text
    for words in ("the earliest day is", "X9[/]", "取值不在允许范围内"):
        assert words in text


def test_rule_authors_bring_their_own_rules(tmp_path, case):
    rules = json.loads(SHIPPED.read_text(encoding="utf-8"))
    rules["minimum_age_years"] = 60
    own = write(tmp_path, [], "own.json")
    own.write_text(json.dumps(rules), encoding="utf-8")
    done = run(write(tmp_path, [case]), "--json", "--rules", own)
    assert lines(done)[0]["actual"] == {"decision": "reject", "reason": "under_18"}
    own.write_text("{}", encoding="utf-8")
    done = run(WORKED, "--json", "--rules", own)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.decode().splitlines()) == 1
