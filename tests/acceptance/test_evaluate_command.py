"""`vaxledger evaluate school-entry` as a rule author runs it: a process, a file, lines."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKED = ROOT / "tests/spec/data/school-entry.json"


def run(*arguments, encoding="utf-8"):
    """Run the command without the rest of the product: no server, no settings."""
    command = [sys.executable, "-c", "from cli.evaluate import app; app()", *map(str, arguments)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": encoding, "COLUMNS": "120"}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=False
    )


def write(folder, cases, **more):
    path = folder / "用例 with spaces.json"
    path.write_text(json.dumps({"cases": cases, **more}), encoding="utf-8")
    return path


@pytest.fixture
def case():
    return json.loads(WORKED.read_text(encoding="utf-8"))["cases"][0]


def test_every_worked_case_is_answered_on_a_line_of_its_own():
    done = run("school-entry", WORKED, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    cases = json.loads(WORKED.read_text(encoding="utf-8"))["cases"]
    assert lines == [
        {"id": case["id"], "actual": {**case["expected"], **case["expected_more"]}}
        for case in cases
    ]


def test_lines_are_compact_utf_8_whatever_the_locale(tmp_path, case):
    done = run(
        "school-entry", write(tmp_path, [{**case, "id": "甲-1"}]), "--json", encoding="latin-1"
    )
    assert done.stdout.startswith('{"id":"甲-1","actual":{"age_years":2,"complete":true,'.encode())


def test_a_bad_case_gets_its_error_and_the_others_their_answers(tmp_path, case):
    bad = [
        {**case, "id": "S2", "doses": [{"vaccine": "XYZ", "date": "2018-01-01"}]},
        {name: value for name, value in case.items() if name != "id"},
        "no object",
    ]
    done = run("school-entry", write(tmp_path, [*bad, case], note="x", meta={}), "--json")
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [line["id"] for line in lines] == ["S2", None, None, "S001"]
    told = [(line["error"]["code"], line["error"]["pointer"]) for line in lines[:3]]
    assert told == [
        ("unknown-vaccine", "/cases/0/doses/0/vaccine"),
        ("missing-member", "/cases/1"),
        ("wrong-type", "/cases/2"),
    ]
    assert lines[0]["error"]["zh"] == "疫苗目录中没有该疫苗。"
    assert lines[3]["actual"]["complete"] is True


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"cases": {}}', b'{"case": []}', b"\xff", b'{"cases": [], "cases": []}'],
)
def test_an_unreadable_file_is_one_line_on_stderr(tmp_path, content):
    path = tmp_path / "cases.json"
    path.write_bytes(content)
    done = run("school-entry", path, "--json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.decode().splitlines()) == 1


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        done = run("school-entry", path)
        assert done.returncode == 2
        assert len(done.stderr.decode().splitlines()) == 1
        assert b"Traceback" not in done.stderr


def test_people_get_a_table_in_chinese_and_english(tmp_path, case):
    missed = {**case, "id": "S2", "doses": case["doses"][1:], "has_certificate": False}
    wrong = {**case, "id": "S3[/]", "entry_type": "university"}
    done = run("school-entry", write(tmp_path, [case, missed, wrong]))
    text = done.stdout.decode()
    assert done.returncode == 1
    for word in ("全程接种", "complete", "S001", "√", "╳", "乙肝疫苗 3", "S3[/]", "入学类型无效"):
        assert word in text


def test_rule_authors_bring_their_own_rules_and_readings(tmp_path, case):
    shipped = files("domain.schedules") / "data" / "kaifeng-2018.entry.json"
    rules = json.loads(shipped.read_text(encoding="utf-8"))
    rules["required_doses"]["2"]["BCG"] = 1
    del rules["required_doses"]["2"]["MCV"]
    own = tmp_path / "own.json"
    own.write_text(json.dumps(rules), encoding="utf-8")
    doses = [dose for dose in case["doses"] if dose["vaccine"] not in ("MR", "MMR", "JE-L")]
    doses += [{"vaccine": "JE-I", "date": f"2017-0{month}-01"} for month in (3, 4)]
    path = write(tmp_path, [{**case, "doses": doses}])

    def missing(*options):
        done = run("school-entry", path, "--json", *options)
        found = json.loads(done.stdout)["actual"]["missing"]
        return [(gap["vaccine_group"], gap["dose_numbers"]) for gap in found]

    assert missing() == [("MCV", [1, 2])]
    assert missing("--rules", own) == []
    assert missing("--rules", own, "--switch", "je_i_doses=national") == [("JE", [2])]


def test_rules_that_do_not_hold_together_are_refused(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")
    for options in (["--rules", broken], ["--switch", "je_i_doses=5"], ["--switch", "moon=full"]):
        done = run("school-entry", WORKED, "--json", *options)
        assert (done.returncode, done.stdout) == (2, b"")
        assert len(done.stderr.decode().splitlines()) == 1
