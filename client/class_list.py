"""A class list from a school's own table: read, reviewed by the server, then enrolled.

Nothing is written before every row is decided: one row that cannot be taken stops the list.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, BinaryIO
from uuid import UUID, uuid5

from client.http import Client
from client.importing.columns import ColumnMissing, ColumnTwice
from client.importing.parsing import read_day, read_sex
from client.sheet import Limits, Sheet, SheetRow
from client.sheets import open_sheet
from client.signing import Draft
from domain import private
from domain.codec import MalformedData
from domain.errors import DomainError
from domain.identity import IdNumber

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "number": ("编号", "序号", "学号", "number"),
    "class_name": ("班级", "班级名称", "class"),
    "name": ("姓名", "儿童姓名", "学生姓名", "幼儿姓名", "name"),
    "birth_date": ("出生日期", "出生年月日", "birth_date"),
    "sex": ("性别", "sex"),
    "id_number": ("身份证号", "身份证号码", "证件号码", "公民身份号码", "id_number"),
    "joined_on": ("入学日期", "入托日期", "入园日期", "报到日期", "joined_on"),
    "admission": ("入学方式", "来源", "admission"),
}
"""Fields of a row, each with the headings under which schools write it."""

_NEEDED = ("class_name", "name", "birth_date")
_ADMISSIONS = {
    **dict.fromkeys(("新生", "新入", "new"), "new"),
    **dict.fromkeys(("转学", "转托", "转入", "transfer"), "transfer"),
    **dict.fromkeys(("借读", "借托", "visiting"), "visiting"),
    **dict.fromkeys(("春季", "春季入学", "春季入托", "插班", "spring"), "spring"),
}
_IDENTITY = {
    "id_number": private.ID_NUMBER,
    "birth_date": private.DATE,
    "sex": private.choice(private.Sex).optional(),
}
_SEPARATORS = "、,，;；/\n"
_MAX_NUMBER = 9_999
_REVIEWED_AT_ONCE = 200
ROWS = 100_000


class TwoChildren(DomainError):
    """This row names more than one child."""

    code = "two-children"
    zh = "一行只能填写一名儿童。"


class RowTwice(DomainError):
    """An earlier row has this child, or this number of the class, already."""

    code = "row-twice"
    zh = "该儿童或该班编号与前面的行重复。"


class Verdict(StrEnum):
    """What became of a row."""

    FOUND = "found"
    OTHER_DIVISION = "other-division"
    ENROLLED = "enrolled"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not-found"
    REFUSED = "refused"


TEXTS: Mapping[Verdict, str] = {
    Verdict.FOUND: "已找到档案 found",
    Verdict.OTHER_DIVISION: "档案由外县管理 managed in another county",
    Verdict.ENROLLED: "本学年已登记 enrolled already",
    Verdict.AMBIGUOUS: "有多份档案相符 several records fit",
    Verdict.NOT_FOUND: "未找到档案 no record",
    Verdict.REFUSED: "该行有误 the row is wrong",
}
TAKEN = frozenset((Verdict.FOUND, Verdict.OTHER_DIVISION, Verdict.ENROLLED))
"""Verdicts with which a list may be enrolled."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all rows of a list.

    Attributes:
        joined_on: First day at the school, where a row names none.
    """

    institution: UUID
    division: str
    school_year: int
    entry_type: str
    joined_on: date


@dataclass(frozen=True, slots=True)
class Pupil:
    """One row.

    Attributes:
        row: As a spreadsheet counts.
        fault: Why it cannot be taken, or None.
        record: Whose record it is, once that is found.
    """

    row: int
    number: int = 0
    class_name: str = ""
    name: str = ""
    birth_date: str = ""
    sex: str | None = None
    id_number: str | None = None
    joined_on: str = ""
    admission: str = "new"
    verdict: Verdict = Verdict.REFUSED
    fault: DomainError | None = None
    record: UUID | None = None

    def asked(self) -> dict[str, str]:
        """Return what the server is asked."""
        said = {"name": self.name, "birth_date": self.birth_date}
        said |= {"sex": self.sex} if self.sex else {}
        return said | ({"id_number": self.id_number} if self.id_number else {})

    def told(self) -> dict[str, Any]:
        """Return the row's line of the review: no name, and no number."""
        line: dict[str, Any] = {"row": self.row, "verdict": self.verdict}
        if self.record:
            line["record"] = str(self.record)
        if self.fault:
            reason = {"code": self.fault.code, "zh": self.fault.zh, "en": self.fault.sentence()}
            line["reason"] = reason | {"facts": dict(self.fault.facts)}
        return line


@dataclass
class ClassList:
    """Reads the rows of a list.

    Args:
        terms: What holds for all rows.
    """

    terms: Terms
    _seen: set[tuple[str, ...]] = field(default_factory=set)
    _counts: dict[str, int] = field(default_factory=dict)

    def read(self, file: BinaryIO) -> Iterator[Pupil]:
        """Yield a pupil for each row, with its fault where it cannot be taken.

        Args:
            file: CSV or XLSX, seekable.

        Raises:
            SheetRefused: The file or its headings do not do.
        """
        sheet = open_sheet(file, Limits(rows=ROWS))
        columns = _columns(sheet)
        for row in sheet.rows():
            try:
                yield self._pupil(row, columns)
            except DomainError as fault:
                yield Pupil(row.number, fault=fault)

    def _pupil(self, row: SheetRow, columns: Mapping[str, str]) -> Pupil:
        if row.faults:
            raise row.faults[0]
        values = {name: row.cells[at] for name, at in columns.items() if at in row.cells}
        for name in _NEEDED:
            if name not in values:
                raise MalformedData(pointer=f"/{name}", reason="is empty")
        if any(mark in values["name"] for mark in _SEPARATORS):
            raise TwoChildren
        pupil = Pupil(
            row.number,
            self._number(values),
            private.NAME.read(values["class_name"]),
            private.NAME.read(values["name"]),
            read_day(values["birth_date"], "birth_date"),
            read_sex(values["sex"]) if "sex" in values else None,
            _id_number(values),
            read_day(values.get("joined_on", self.terms.joined_on.isoformat()), "joined_on"),
            _admission(values.get("admission", "new")),
        )
        if not "1990-01-01" <= pupil.birth_date <= pupil.joined_on:
            raise MalformedData(pointer="/birth_date", reason="no day on which a pupil is born")
        self._note(pupil)
        return pupil

    def _number(self, values: Mapping[str, str]) -> int:
        """Return the number in the class: as the list says, else the next one."""
        stated = values.get("number")
        if stated is None:
            self._counts[values["class_name"]] = self._counts.get(values["class_name"], 0) + 1
            return self._counts[values["class_name"]]
        if not (stated.isascii() and stated.isdigit() and 0 < int(stated) <= _MAX_NUMBER):
            raise MalformedData(pointer="/number", reason=f"a number from 1 to {_MAX_NUMBER}")
        return int(stated)

    def _note(self, pupil: Pupil) -> None:
        child = ("child", pupil.name, pupil.birth_date, pupil.id_number or "")
        place = ("place", pupil.class_name, str(pupil.number))
        if child in self._seen or place in self._seen:
            raise RowTwice(what="child" if child in self._seen else "number")
        self._seen |= {child, place}


def reviewed(client: Client, terms: Terms, pupils: Sequence[Pupil]) -> list[Pupil]:
    """Return the pupils with the server's verdicts, in their order.

    Raises:
        ClientError: The server refuses, or does not answer.
    """
    asked = [pupil for pupil in pupils if pupil.fault is None]
    path = f"/v1/institutions/{terms.institution}/class-list-review?school_year={terms.school_year}"
    told: list[Mapping[str, Any]] = []
    for start in range(0, len(asked), _REVIEWED_AT_ONCE):
        chunk = asked[start : start + _REVIEWED_AT_ONCE]
        body = {"children": [pupil.asked() for pupil in chunk]}
        told += client.request("POST", path, body).json()["verdicts"]
    return judged(pupils, told)


def judged(pupils: Sequence[Pupil], told: Sequence[Mapping[str, Any]]) -> list[Pupil]:
    """Return the pupils with their verdicts, in their order.

    Args:
        pupils: The rows.
        told: What the server says of each of those without a fault.
    """
    verdicts = iter(told)
    return _without_doubles(
        [pupil if pupil.fault else _decided(pupil, next(verdicts)) for pupil in pupils]
    )


def digest(pupils: Sequence[Pupil]) -> str:
    """Return the digest of a review: what is written of every row; who is enrolled by then, too."""
    lines = [
        (pupil.row, str(pupil.record), pupil.number, pupil.class_name, pupil.joined_on)
        for pupil in pupils
    ]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def enrolment(terms: Terms, pupil: Pupil) -> Draft:
    """Return the enrolment of a pupil; of the same child, school and year the same stream."""
    data = {
        "record": str(pupil.record),
        "institution": str(terms.institution),
        "division": terms.division,
        "school_year": terms.school_year,
        "class_name": pupil.class_name,
        "entry_type": terms.entry_type,
        "admission": pupil.admission,
        "number": pupil.number,
        "joined_on": pupil.joined_on,
    }
    stream = uuid5(terms.institution, f"{terms.school_year}/{pupil.record}")
    return Draft("enrolment.enrolled.v1", stream, 0, data)


def _decided(pupil: Pupil, told: Mapping[str, Any]) -> Pupil:
    verdict = Verdict.ENROLLED if told.get("enrolled") else Verdict(told["verdict"])
    record = UUID(told["record"]) if "record" in told else None
    return replace(pupil, verdict=verdict, record=record)


def _without_doubles(pupils: Sequence[Pupil]) -> list[Pupil]:
    """Refuse a row whose record an earlier row has."""
    seen: set[UUID] = set()
    kept = []
    for pupil in pupils:
        if pupil.record in seen:
            fault = RowTwice(what="record")
            kept.append(replace(pupil, verdict=Verdict.REFUSED, fault=fault, record=None))
            continue
        seen |= {pupil.record} if pupil.record else set()
        kept.append(pupil)
    return kept


def _columns(sheet: Sheet) -> dict[str, str]:
    """Return the heading of each field.

    Raises:
        ColumnMissing, ColumnTwice: As they say.
    """
    found: dict[str, str] = {}
    for name, headings in COLUMNS.items():
        there = [heading for heading in sheet.headings if heading in headings]
        if len(there) > 1:
            raise ColumnTwice(columns=there)
        if there:
            found[name] = there[0]
    for name in _NEEDED:
        if name not in found:
            raise ColumnMissing(column=COLUMNS[name][0])
    return found


def _id_number(values: Mapping[str, str]) -> str | None:
    """Return the number, which must say of sex and birth date what the row says."""
    if "id_number" not in values:
        return None
    stated = {
        "id_number": values["id_number"],
        "birth_date": read_day(values["birth_date"], "birth_date"),
    }
    stated |= {"sex": read_sex(values["sex"])} if "sex" in values else {}
    number: IdNumber = private.check_identity(private.read_fields(_IDENTITY, stated))["id_number"]
    return number.value


def _admission(text: str) -> str:
    if text not in _ADMISSIONS:
        raise MalformedData(pointer="/admission", reason="not one of the words known for it")
    return _ADMISSIONS[text]
