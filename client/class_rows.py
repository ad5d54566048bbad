"""The rows of a class list, as schools write them: each a pupil, or what is wrong with it."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, BinaryIO
from uuid import UUID

from client.class_faults import (
    AdmissionUnknown,
    CellEmpty,
    NoSuchDay,
    NotBornThen,
    NumberOutOfRange,
    RowTwice,
    SexUnknown,
    TextRefused,
    TwoChildren,
)
from client.importing.columns import ColumnMissing, ColumnTwice
from client.importing.parsing import read_day, read_sex
from client.sheet import Limits, Sheet, SheetRow
from client.sheets import open_sheet
from domain import private
from domain.codec import MalformedData
from domain.errors import DomainError, InvalidIdNumber
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
_SEXES = {"male": "男", "female": "女"}
_SEPARATORS = "、,，;；/\n"
_MAX_NUMBER = 9_999
ROWS = 100_000


class Verdict(StrEnum):
    """What became of a row."""

    FOUND = "found"
    OTHER_DIVISION = "other-division"
    ENROLLED = "enrolled"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not-found"
    REFUSED = "refused"


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

    def column(self) -> str:
        """Return the heading of the column that the fault lies in; empty where it is the row's."""
        facts = self.fault.facts if self.fault else {}
        pointed = str(facts.get("pointer", "")).strip("/")
        return str(facts.get("column") or COLUMNS.get(pointed, ("",))[0])

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

    def read(self, file: BinaryIO, limits: Limits | None = None) -> Iterator[Pupil]:
        """Yield a pupil for each row, with its fault where it cannot be taken.

        Args:
            file: CSV or XLSX, seekable.
            limits: How much is taken; 100,000 rows when absent.

        Raises:
            SheetRefused: The file or its headings do not do.
        """
        sheet = open_sheet(file, limits or Limits(rows=ROWS))
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
                raise CellEmpty(pointer=f"/{name}")
        if any(mark in values["name"] for mark in _SEPARATORS):
            raise TwoChildren
        pupil = Pupil(
            row.number,
            self._number(values),
            _text(values, "class_name"),
            _text(values, "name"),
            _day(values["birth_date"], "birth_date"),
            _sex(values["sex"]) if "sex" in values else None,
            _id_number(values),
            _day(values.get("joined_on", self.terms.joined_on.isoformat()), "joined_on"),
            _admission(values.get("admission", "new")),
        )
        if not "1990-01-01" <= pupil.birth_date <= pupil.joined_on:
            raise NotBornThen(pointer="/birth_date")
        self._note(pupil)
        return pupil

    def _number(self, values: Mapping[str, str]) -> int:
        """Return the number in the class: as the list says, else the next one."""
        stated = values.get("number")
        if stated is None:
            self._counts[values["class_name"]] = self._counts.get(values["class_name"], 0) + 1
            return self._counts[values["class_name"]]
        if not (stated.isascii() and stated.isdigit() and 0 < int(stated) <= _MAX_NUMBER):
            raise NumberOutOfRange(pointer="/number")
        return int(stated)

    def _note(self, pupil: Pupil) -> None:
        child = ("child", pupil.name, pupil.birth_date, pupil.id_number or "")
        place = ("place", pupil.class_name, str(pupil.number))
        if child in self._seen or place in self._seen:
            raise RowTwice(what="child" if child in self._seen else "number")
        self._seen |= {child, place}


def as_text(pupils: Sequence[Pupil]) -> str:
    """Return pupils as the text of a table that reads as these pupils."""
    text = io.StringIO()
    table = csv.writer(text, "excel-tab", lineterminator="\n")
    table.writerow(COLUMNS[name][0] for name in COLUMNS)
    for pupil in pupils:
        cells = {name: getattr(pupil, name) for name in COLUMNS}
        table.writerow((cells | {"sex": _SEXES.get(pupil.sex or "")}).values())
    return text.getvalue()


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
        "birth_date": _day(values["birth_date"], "birth_date"),
    }
    stated |= {"sex": _sex(values["sex"])} if "sex" in values else {}
    try:
        typed = private.read_fields(_IDENTITY, stated)
    except MalformedData:
        raise InvalidIdNumber(reason="characters").at("/id_number") from None
    number: IdNumber = private.check_identity(typed)["id_number"]
    return number.value


def _text(values: Mapping[str, str], name: str) -> str:
    read: Callable[[str], str] = private.NAME.read
    try:
        return read(values[name])
    except MalformedData:
        raise TextRefused(pointer=f"/{name}") from None


def _day(text: str, name: str) -> str:
    try:
        return read_day(text, name)
    except MalformedData:
        raise NoSuchDay(pointer=f"/{name}") from None


def _sex(text: str) -> str:
    try:
        return read_sex(text)
    except MalformedData:
        raise SexUnknown(pointer="/sex") from None


def _admission(text: str) -> str:
    if text not in _ADMISSIONS:
        raise AdmissionUnknown(pointer="/admission")
    return _ADMISSIONS[text]
