"""A school's class list: matched to records, then enrolled whole."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from commands.principal import Role
from tests.drafts import id_number
from tests.integration.api.conftest import Author, County, admit, register

HEADINGS = ("班级", "编号", "姓名", "性别", "出生日期", "身份证号")
YEAR = 2023


@dataclass
class School:
    """A school with its key in a file, and a folder for its lists."""

    author: Author
    folder: Path

    def run(self, rows: list[dict[str, Any]], *more: str) -> tuple[int, dict[str, Any]]:
        path = self.folder / "list.csv"
        with path.open("w", encoding="gb18030", newline="") as file:
            table = csv.DictWriter(file, HEADINGS)
            table.writeheader()
            table.writerows(rows)
        command = [
            *("class-list", str(path), "--school-year", str(YEAR), "--entry-type", "primary"),
            *("--organisation", str(self.author.organisation)),
            *("--key", str(self.folder / "key.pem"), "--joined-on", "2023-09-01"),
            *("--division", self.author.principal.division, "--json"),
            *("--url", self.author.served.url, "--token-file", str(self.folder / "token")),
            *("--trust", str(self.folder / "log.vkey"), *more),
        ]
        done = CliRunner().invoke(app, command)
        answers = [line for line in done.stdout.splitlines() if line.startswith("{")]
        return done.exit_code, json.loads(answers[0]) if answers else {}

    def verdicts(self) -> list[str]:
        lines = (self.folder / "list.csv.review.ndjson").read_text().splitlines()
        return [json.loads(line)["verdict"] for line in lines]

    def classes(self) -> dict[str, int]:
        self.author.served.caught_up()
        path = f"/v1/institutions/{self.author.organisation}/classes"
        rows = self.author.get(path, school_year=YEAR).json()["classes"]
        return {row["class_name"]: row["enrolled"] for row in rows}


@pytest.fixture
def school(county: County, tmp_path: Path) -> School:
    more = {"institution_type": "primary", "ownership": "public"}
    division = county.school.principal.division
    author = admit(county.cdc, Role.SCHOOL, "名单小学", "school", division, **more)
    author.key.save(tmp_path / "key.pem")
    (tmp_path / "token").write_text(author.bearer["Authorization"].removeprefix("Bearer "))
    (tmp_path / "log.vkey").write_bytes(county.served.http.get("/log.vkey").content)
    county.served.caught_up()
    return School(author, tmp_path)


def row(number: int, name: str, born: str = "2017-03-04", **more: str) -> dict[str, Any]:
    values = {"班级": "一（1）班", "编号": number, "姓名": name, "性别": "男", "出生日期": born}
    return {**values, "身份证号": "", **more}


def test_a_list_is_enrolled_only_when_every_row_has_its_record(county: County, school: School):
    number = id_number("20170304")
    register(county.clinic, number=number, birth_date="2017-03-04", name="名单甲")
    register(county.far_clinic, birth_date="2017-03-04", name="名单乙")
    for _ in range(2):
        register(county.clinic, birth_date="2017-03-04", name="名单丙")
    county.served.caught_up()
    good = [row(1, "名单甲", 身份证号=number), row(2, "名单乙")]
    rows = [*good, row(3, "名单丙"), row(4, "查无此人"), row(5, "张三、李四")]
    code, answer = school.run(rows)
    assert code == 1
    found = ["found", "other-division", "ambiguous", "not-found", "refused"]
    assert school.verdicts() == found
    assert school.run(rows, "--apply", answer["digest"])[0] == 1
    assert school.classes() == {}, "nothing is half-applied"
    code, answer = school.run(good)
    assert code == 0
    assert school.run(good, "--apply", answer["digest"])[0] == 0
    assert school.classes() == {"一（1）班": 2}
    assert school.run(good, "--apply", answer["digest"])[1]["rows"] == {"enrolled": 2}
    assert school.classes() == {"一（1）班": 2}


def test_a_review_that_is_another_by_now_is_not_applied(county: County, school: School):
    register(county.clinic, birth_date="2017-05-06", name="名单丁")
    county.served.caught_up()
    rows = [row(1, "名单丁", "2017-05-06")]
    _, answer = school.run(rows)
    moved = [row(2, "名单丁", "2017-05-06")]
    key = answer["digest"]
    path = school.folder / "list.csv"
    assert school.run(moved, "--apply", key) == (1, {})
    assert path.exists()
    assert school.classes() == {}


def test_only_the_school_itself_asks(county: County, school: School):
    path = f"/v1/institutions/{school.author.organisation}/class-list-review"
    body = {"children": [{"name": "名单甲", "birth_date": "2017-03-04"}]}
    for other, status in ((county.school, 404), (county.cdc, 403), (county.clinic, 404)):
        answer = other.call(f"{path}?school_year={YEAR}", body)
        assert answer.status_code == status, answer.text
    wrong = {"children": [{"name": "名单甲", "birth_date": "2017-02-30"}]}
    answer = school.author.call(f"{path}?school_year={YEAR}", wrong)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/malformed-body")
