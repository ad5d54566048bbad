"""`vaxledger evaluate certificate` and `roll-up` as rule authors run them: a process, lines."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = files("domain.schedules") / "data"
WORKED = {
    "certificate": ROOT / "tests/spec/data/certificate.json",
    "roll-up": ROOT / "tests/spec/data/rollup.json",
}
SHIPPED = {
    "certificate": DATA / "nantong-2024.certificate.json",
    "roll-up": DATA / "kaifeng-2018.roll-up.json",
}


def run(*arguments, encoding="utf-8"):
    """Run the command without the rest of the product: no server, no settings."""
    command = [sys.executable, "-c", "from cli.evaluate import app; app()", *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": encoding, "COLUMNS": "160"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False
    )


def lines(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def cases(which):
    return json.loads(WORKED[which].read_text(encoding="utf-8"))["cases"]


def write(folder, found, **more):
    path = folder / "用例 with spaces.json"
    path.write_text(json.dumps({"cases": found, **more}), encoding="utf-8")
    return path


@pytest.mark.parametrize("which", WORKED)
def test_every_worked_case_is_answered_on_a_line_of_its_own(which):
    done = run(which, WORKED[which], "--json", encoding="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert lines(done) == [{"id": case["id"], "actual": case["expected"]} for case in cases(which)]


@pytest.mark.parametrize(
    ("which", "kind", "place"),
    [("certificate", "rule", "/cases/0/rule"), ("roll-up", "kind", "/cases/0/kind")],
)
def test_a_bad_case_gets_its_error_and_the_others_their_answers(tmp_path, which, kind, place):
    good = cases(which)[0]
    nameless = {name: value for name, value in good.items() if name != "id"}
    bare = {name: value for name, value in good.items() if name not in ("id", kind)}
    bad = [{**good, kind: "moon"}, nameless, {**bare, "id": "B"}, [], {**good, "input": None}]
    done = run(which, write(tmp_path, [*bad, good], note="x", meta={}), "--json")
    assert (done.returncode, done.stderr) == (1, b"")
    *faults, answered = lines(done)
    told = [(fault["error"]["code"], fault["error"]["pointer"]) for fault in faults]
    assert told == [
        ("unknown-value", place),
        ("missing-member", "/cases/1"),
        ("missing-member", "/cases/2"),
        ("wrong-type", "/cases/3"),
        ("wrong-type", "/cases/4/input"),
    ]
    assert [fault["id"] for fault in faults] == [good["id"], None, "B", None, good["id"]]
    assert answered == {"id": good["id"], "actual": good["expected"]}


@pytest.mark.parametrize("which", WORKED)
def test_people_get_a_table_in_chinese_and_english(tmp_path, which):
    good = cases(which)
    wrong = {**good[0], "id": "X[/]", "input": {}}
    done = run(which, write(tmp_path, [*good, wrong]))
    text = done.stdout.decode()
    assert done.returncode == 1
    assert "Traceback" not in text
    words = {
        "certificate": (
            "结论",
            "answer",
            "missing_phone",
            "C-16",
            "请填写被授权人的手机号码",
            "X[/]",
        ),
        "roll-up": ("达标", "met", "S-46", "92.86 %", "13/14", "X[/]", "缺少必填项"),
    }
    for word in words[which]:
        assert word in text


@pytest.mark.parametrize("which", WORKED)
def test_a_case_without_rule_or_kind_is_told_in_the_table(tmp_path, which):
    bare = {name: cases(which)[0][name] for name in ("id", "input")}
    done = run(which, write(tmp_path, [bare]))
    assert (done.returncode, done.stderr) == (1, b"")
    assert "/cases/0" in done.stdout.decode()


@pytest.mark.parametrize("which", WORKED)
@pytest.mark.parametrize("content", [b"", b"[]", b'{"cases": {}}', b"\xff"])
def test_an_unreadable_file_is_one_line_on_stderr(tmp_path, which, content):
    path = tmp_path / "cases.json"
    path.write_bytes(content)
    done = run(which, path, "--json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.decode().splitlines()) == 1


def own(folder, which, **changes):
    rules = {**json.loads(SHIPPED[which].read_text(encoding="utf-8")), **changes}
    path = folder / "own.json"
    path.write_text(json.dumps(rules), encoding="utf-8")
    return path


def test_another_pilot_is_another_file(tmp_path):
    rules = own(tmp_path, "certificate", id="elsewhere", child_born_from="2021-01-01")
    done = run("certificate", WORKED["certificate"], "--json", "--rules", rules)
    assert lines(done)[0]["actual"] == {"allowed": False, "reason": "born_before_cutoff"}


def test_other_targets_are_another_file(tmp_path):
    rates = json.loads(SHIPPED["roll-up"].read_text(encoding="utf-8"))["rates"]
    rates["child_check"]["at_least_percent"] = 96
    rules = own(tmp_path, "roll-up", rates=rates)
    done = run("roll-up", WORKED["roll-up"], "--json", "--rules", rules)
    [found] = [line for line in lines(done) if line["id"] == "R13"]
    assert found["actual"]["rates"]["child_check"]["meets_target"] is False


@pytest.mark.parametrize("which", WORKED)
def test_rules_that_do_not_hold_together_are_refused(tmp_path, which):
    done = run(which, WORKED[which], "--json", "--rules", own(tmp_path, which, effective_from="x"))
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.decode().splitlines()) == 1
