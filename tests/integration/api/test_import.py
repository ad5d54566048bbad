"""Histories of other systems: reviewed, written once, and never again."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from cli.app import app
from client.importing.outcomes import OutcomeFile
from commands.principal import Role
from tests.drafts import id_number
from tests.integration.api.conftest import TOWNSHIP, Author, County, admit, register

HEADINGS = (
    *("流水号", "儿童编码", "姓名", "性别", "出生日期", "身份证号", "监护人姓名"),
    *("疫苗编码", "联合疫苗编码", "剂次", "接种日期", "批号", "接种部位", "接种单位编码"),
)


@dataclass
class Desk:
    """A clinic with its key in a file, and a folder to import from."""

    clinic: Author
    folder: Path

    def file(self, name: str, rows: list[dict[str, Any]], encoding: str = "gb18030") -> Path:
        path = self.folder / name
        with path.open("w", encoding=encoding, newline="") as file:
            table = csv.DictWriter(file, HEADINGS)
            table.writeheader()
            table.writerows(rows)
        return path

    def command(self, path: Path, *more: str) -> list[str]:
        key = self.clinic.key
        return [
            *("import", str(path), "--system", "贵州接种系统"),
            *("--organisation", str(key.organisation), "--key", str(self.folder / "key.pem")),
            *("--division", TOWNSHIP, "--transcriber", "赵医生", "--json"),
            *("--memory", str(self.folder / "memory.sqlite"), "--url", self.clinic.served.url),
            *("--token-file", str(self.folder / "token"), "--trust", str(self.folder / "log.vkey")),
            *more,
        ]

    def run(self, path: Path, *more: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, self.command(path, *more))
        assert done.exit_code in (0, 1), done.output
        # The server of this process logs to the same place.
        answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert len(answers) == 1, (done.output, done.exception)
        return json.loads(answers[0])

    def review(self, path: Path, *more: str) -> tuple[str, dict[str, int], list[dict[str, Any]]]:
        found = self.run(path, *more)
        lines = Path(found["review"]).read_text().splitlines()
        return found["digest"], found["rows"], [json.loads(line) for line in lines[1:]]

    def apply(self, path: Path, digest: str) -> tuple[dict[str, int], list[dict[str, Any]]]:
        found = self.run(path, "--apply", digest)
        lines = Path(found["outcomes"]).read_text().splitlines()
        return found["rows"], [json.loads(line) for line in lines]

    def bring(self, path: Path) -> tuple[dict[str, int], list[dict[str, Any]]]:
        return self.apply(path, self.review(path)[0])

    def doses(self, number: str) -> list[dict[str, Any]]:
        self.clinic.served.caught_up()
        found = self.clinic.call("/v1/records/search", {"id_number": number}).json()["records"]
        assert len(found) == 1
        return self.clinic.get(f"/v1/records/{found[0]['record']}").json()["doses"]


@pytest.fixture
def desk(county: County, tmp_path: Path) -> Desk:
    clinic = admit(county.cdc, Role.CLINIC, "导入门诊", "clinic", TOWNSHIP)
    clinic.key.save(tmp_path / "key.pem")
    (tmp_path / "token").write_text(clinic.bearer["Authorization"].removeprefix("Bearer "))
    (tmp_path / "log.vkey").write_bytes(county.served.http.get("/log.vkey").content)
    return Desk(clinic, tmp_path)


def child(number: str, **more: Any) -> dict[str, Any]:
    return {
        "儿童编码": f"C{number[-6:]}",
        "姓名": "王小明",
        "性别": "男",
        "出生日期": "2014/6/15",
        "身份证号": number,
        "监护人姓名": "李梅",
        **more,
    }


def dose(who: dict[str, Any], row: str, vaccine: str, day: str, **more: Any) -> dict[str, Any]:
    return {**who, "流水号": row, "疫苗编码": vaccine, "接种日期": day, "批号": "A1", **more}


def test_a_file_is_reviewed_written_and_when_uploaded_again_the_same(desk: Desk):
    one, two = child(id_number()), child(id_number())
    rows = [
        dose(one, "1", "0201", "2014年8月15日", 接种部位="左上臂", 接种单位编码="777777777777"),
        dose(two, "2", "0201", "20140815"),
        dose(one, "3", "0201", "2014-09-15", 剂次="2"),
        dose(one, "4", "0201", "2013-09-15"),
        dose(one, "5", "9999", "2014-09-15"),
        dose(one, "6", "1902", "2016-09-15"),
    ]
    path = desk.file("history.csv", rows)
    head = desk.clinic.served.head()
    digest, counts, lines = desk.review(path)
    assert counts == {"new": 3, "refused": 3}
    reasons = [line.get("reason", {}).get("code") for line in lines]
    assert reasons == [None] * 3 + ["dose-before-birth", "unknown-vaccine", "ambiguous-vaccine"]
    assert all(line["reason"]["zh"] for line in lines[3:])
    assert desk.clinic.served.head() == head, "a review writes nothing"
    counts, lines = desk.apply(path, digest)
    assert counts == {"written": 3, "refused": 3}
    assert desk.clinic.served.head() == head + 5
    assert all(line["position"] > head for line in lines[:3])
    first, second = desk.doses(one["身份证号"])
    assert (first["occurred_on"], first["site"], first["provenance"]) == (
        "2014-08-15",
        "LA",
        "other-system",
    )
    assert second["dose_number"] == 2
    _, counts, _ = desk.review(path)
    assert counts == {"same": 3, "refused": 3}


def test_what_the_source_changed_becomes_a_proposal_and_never_overwrites(desk: Desk):
    who = child(id_number())
    desk.bring(desk.file("a.csv", [dose(who, "1", "0201", "2014-08-15")]))
    changed = desk.file("b.csv", [dose(who, "1", "0201", "2014-08-16", 批号="A2")])
    assert desk.review(changed)[1] == {"changed": 1}
    counts, lines = desk.bring(changed)
    assert counts == {"proposed": 1}
    assert lines[0]["position"] == desk.clinic.served.head()
    (standing,) = desk.doses(who["身份证号"])
    assert (standing["occurred_on"], standing["lot"]) == ("2014-08-15", "A1")
    assert desk.review(changed)[1] == {"same": 1}, "proposed once"


def test_components_of_a_combined_vaccine_are_one_dose(desk: Desk):
    who = child(id_number())
    rows = [
        dose(who, "1", "0401", "2014-10-15", 联合疫苗编码="4901"),
        dose(who, "2", "2301", "2014-10-15", 联合疫苗编码="4901"),
        dose(who, "3", "2301", "2014-10-15", 联合疫苗编码="4901"),
    ]
    counts, _ = desk.bring(desk.file("a.csv", rows))
    assert counts == {"written": 1, "same": 2}
    (standing,) = desk.doses(who["身份证号"])
    assert standing["vaccine"] == "DTaP-Hib"


def test_two_rows_of_one_dose_are_left_to_a_person(desk: Desk):
    who = child(id_number())
    rows = [dose(who, row, "0201", "2014-08-15") for row in ("1", "2")]
    _, counts, lines = desk.review(desk.file("a.csv", rows))
    assert counts == {"new": 1, "conflict": 1}
    assert lines[1]["reason"]["code"] == "dose-told-twice"


def test_a_child_whom_another_registered_is_found_and_not_registered_again(
    county: County, desk: Desk
):
    number = id_number()
    known = register(county.clinic, number=number)
    county.served.caught_up()
    who = child(number)
    rows = [dose(who, "1", "0201", "2014-08-15"), dose(who, "2", "0201", "2014-09-15")]
    counts, _ = desk.bring(desk.file("a.csv", rows))
    assert counts == {"written": 2}
    assert len(desk.doses(number)) == 2
    stranger = child(number, 儿童编码="other", 姓名="张三")
    counts, lines = desk.bring(desk.file("b.csv", [dose(stranger, "9", "0101", "2014-06-16")]))
    assert counts == {"conflict": 1}
    assert lines[0]["reason"]["code"] == "claim-taken"
    assert known.version == 1


def test_with_the_memory_lost_nothing_is_written_twice(desk: Desk):
    who = child(id_number())
    path = desk.file("a.csv", [dose(who, "1", "0201", "2014-08-15")])
    desk.bring(path)
    for file in desk.folder.glob("memory.sqlite*"):
        file.unlink()
    desk.clinic.served.caught_up()
    head = desk.clinic.served.head()
    counts, lines = desk.bring(path)
    assert counts == {"same": 1}
    assert desk.clinic.served.head() == head
    assert lines[0]["reason"]["code"] == "dose-stands-already"


def test_another_file_than_the_reviewed_one_is_not_written(desk: Desk):
    path = desk.file("a.csv", [dose(child(id_number()), "1", "0201", "2014-08-15")])
    digest, _, _ = desk.review(path)
    desk.file("a.csv", [dose(child(id_number()), "1", "0201", "2014-08-15")])
    for wrong in (digest, "0" * 64):
        done = CliRunner().invoke(app, desk.command(path, "--apply", wrong))
        assert done.exit_code == 2
        assert "vaxledger: " in done.stderr


def test_killed_at_any_moment_it_goes_on_and_writes_every_row_once(desk: Desk):
    """Half the children have their rows together, so that chunks overtake one another."""
    children = [child(id_number(), 儿童编码=f"K{number}") for number in range(40)]
    days = [f"2015-{month:02}-{day:02}" for month in range(1, 11) for day in (1, 11, 21)]
    together = [(who, day) for who in children[:20] for day in days]
    mixed = [(who, day) for day in days for who in children[20:]]
    rows = [dose(who, f"{who['儿童编码']}-{day}", "0201", day) for who, day in together + mixed]
    path = desk.file("big.csv", rows, "utf-8-sig")
    head = desk.clinic.served.head()
    digest, counts, _ = desk.review(path)
    assert counts == {"new": len(rows)}
    for wanted in (head + 20, head + 400, head + 700, head + 1100):
        command = [sys.executable, "-m", "cli", *desk.command(path, "--apply", digest)]
        with subprocess.Popen(command) as running:
            deadline = time.monotonic() + 120
            while desk.clinic.served.head() < wanted and running.poll() is None:
                assert time.monotonic() < deadline, "nothing is written"
                time.sleep(0.01)
            running.send_signal(signal.SIGKILL)
    counts, lines = desk.apply(path, digest)
    assert counts == {"written": len(rows)}
    assert [line["row"] for line in lines] == list(range(2, len(rows) + 2))
    assert desk.clinic.served.head() == head + len(rows) + len(children)
    assert len({line["position"] for line in lines}) == len(rows)
    assert len(desk.doses(children[7]["身份证号"])) == len(days)


def test_ended_between_the_last_answer_and_the_last_note_it_still_says_what_became(
    desk: Desk, monkeypatch
):
    who = child(id_number())
    path = desk.file("a.csv", [dose(who, "1", "0201", "2014-08-15")])
    digest = desk.review(path)[0]
    with monkeypatch.context() as broken:
        broken.setattr(OutcomeFile, "write", _no_space)
        done = CliRunner().invoke(app, desk.command(path, "--apply", digest))
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    head = desk.clinic.served.head()
    counts, lines = desk.apply(path, digest)
    assert counts == {"written": 1}
    assert lines[0]["position"] == head == desk.clinic.served.head()


def _no_space(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_workbooks_and_ndjson_are_the_same_history(desk: Desk):
    who = child(id_number())
    row = dose(who, "1", "0201", "2014-08-15")
    book = Workbook()
    book.active.append(list(row))
    book.active.append(list(row.values()))
    book.save(desk.folder / "a.xlsx")
    assert desk.bring(desk.folder / "a.xlsx")[0] == {"written": 1}
    lines = desk.folder / "a.ndjson"
    named = {
        "row": "1",
        "person": who["儿童编码"],
        "name": "王小明",
        "sex": "male",
        "birth_date": "2014-06-15",
        "id_number": who["身份证号"],
        "guardian_name": "李梅",
        "vaccine": "0201",
        "occurred_on": "2014-08-15",
        "lot": "A1",
    }
    lines.write_text(json.dumps(named) + "\nno json\n" + json.dumps({**named, "lot": [1]}) + "\n")
    assert desk.review(lines)[1] == {"same": 1, "refused": 2}


def test_a_mapping_names_columns_and_what_identifies_a_row(desk: Desk):
    who = child(id_number())
    path = desk.folder / "bites.csv"
    path.write_text(
        f"编号,病人,性别,生日,证件,疫苗,日期\n77,王小明,男,2014-06-15,{who['身份证号']},2801,2020-12-15\n"
    )
    mapping = desk.folder / "mapping.json"
    columns = {"编号": "person", "病人": "name", "生日": "birth_date", "证件": "id_number"}
    stated = {
        "columns": {**columns, "日期": "occurred_on"},
        "constants": {"dose_number": "1"},
        "row": ["person", "vaccine", "dose_number"],
    }
    mapping.write_text(json.dumps(stated))
    more = ("--mapping", str(mapping), "--source", "bite-injury")
    digest, counts, lines = desk.review(path, *more)
    assert counts == {"new": 1}, lines
    found = desk.run(path, "--apply", digest, *more)
    assert found["rows"] == {"written": 1}
    assert desk.doses(who["身份证号"])[0]["source_system"] == "bite-injury"
