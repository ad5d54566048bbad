"""Which column of a file means what: known headings, and a mapping for all others."""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from client.sheet import SheetRefused
from domain.errors import shown

FIELDS: Mapping[str, tuple[str, ...]] = {
    "row": ("row_id", "记录编号", "接种记录编码", "流水号"),
    "person": ("person_id", "儿童编码", "受种者编码", "个案编码"),
    "name": ("姓名", "儿童姓名", "受种者姓名"),
    "sex": ("性别",),
    "birth_date": ("出生日期", "出生时间"),
    "id_type": ("证件类型",),
    "id_number": ("身份证号", "身份证号码", "证件号码", "公民身份号码"),
    "birth_certificate_number": ("出生医学证明编号", "出生证号", "出生证编号"),
    "certificate_number": ("接种证编号", "接种证号"),
    "phone": ("联系电话", "手机号码", "电话"),
    "address": ("住址", "现住址", "居住地址"),
    "household_division": ("户籍区划", "户籍地编码"),
    "residence_division": ("居住区划", "居住地编码"),
    "guardian_name": ("监护人姓名", "监护人", "母亲姓名"),
    "guardian_relation": ("监护人关系", "与儿童关系"),
    "guardian_id_number": ("监护人身份证号", "监护人证件号码", "母亲身份证号"),
    "guardian_phone": ("监护人电话", "监护人联系电话"),
    "vaccine": ("疫苗", "疫苗名称", "疫苗编码", "疫苗种类"),
    "combined_vaccine": ("inoc_union_code", "联合疫苗编码", "联合疫苗"),
    "dose_number": ("剂次", "针次"),
    "occurred_on": ("接种日期", "接种时间"),
    "product": ("产品名称", "疫苗通用名"),
    "maker": ("生产企业", "生产厂家", "厂家"),
    "lot": ("批号", "疫苗批号"),
    "expires_on": ("失效期", "有效期", "有效期至"),
    "site": ("接种部位", "部位"),
    "route": ("接种途径", "途径"),
    "quantity": ("剂量", "接种剂量"),
    "unit": ("接种单位", "接种单位名称", "接种单位编码"),
    "province": ("接种省份", "省份编码"),
    "note": ("备注",),
}
"""Fields of a row, each with the headings under which systems write it (E-16)."""

_BY_HEADING = {name: name for name in FIELDS} | {
    heading: name for name, headings in FIELDS.items() for heading in headings
}


class MappingRefused(SheetRefused):
    """This mapping does not say what the columns mean."""

    code = "mapping-refused"
    zh = "字段对照文件无效。"


class ColumnMissing(SheetRefused):
    """The file has no column that is needed, nor does the mapping name one."""

    code = "column-missing"
    zh = "文件缺少必需的列，字段对照文件也未指定。"


class ColumnTwice(SheetRefused):
    """Two columns mean the same."""

    code = "column-twice"
    zh = "两列含义相同。"


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What a mapping file says.

    Attributes:
        columns: Field by heading; an empty field leaves a column out.
        constants: Value by field, for columns that the file does not have.
        row: Fields that together identify a row for ever, where no column does.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    row: tuple[str, ...] = ("row",)

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Read a mapping file: JSON with any of ``columns``, ``constants`` and ``row``.

        Raises:
            MappingRefused: If it is none, or names a field that does not exist.
            OSError: If it cannot be read.
        """
        if path is None:
            return cls()
        try:
            stated = json.loads(path.read_text(encoding="utf-8-sig"))
            return cls._read(stated)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise MappingRefused(reason="not a mapping") from error

    @classmethod
    def _read(cls, stated: Any) -> Self:
        unknown = set(stated) - {"columns", "constants", "row"}
        columns = {plain(name): str(to or "") for name, to in stated.get("columns", {}).items()}
        constants = {str(name): str(value) for name, value in stated.get("constants", {}).items()}
        row = tuple(map(str, stated.get("row", ("row",))))
        named = {*columns.values(), *constants, *row} - {""}
        if unknown or not row or named - FIELDS.keys():
            wrong = sorted({*unknown, *(named - FIELDS.keys())})
            raise MappingRefused(fields=[shown(name) for name in wrong])
        return cls(columns, constants, row)

    def fields_of(self, headings: Iterable[str]) -> dict[str, str]:
        """Return the field of each heading that has one.

        Raises:
            ColumnTwice: Two headings mean one field.
            ColumnMissing: No heading means a field that identifies a row or a person.
        """
        found: dict[str, str] = {}
        for heading in headings:
            name = self.field_of(heading)
            if name and name in found.values():
                raise ColumnTwice(field=name)
            if name:
                found[heading] = name
        for name in (*self.row, "person"):
            if name not in found.values() and name not in self.constants:
                raise ColumnMissing(field=name)
        return found

    def field_of(self, heading: str) -> str:
        """Return the field that a heading means, empty for none."""
        return self.columns.get(plain(heading), _BY_HEADING.get(plain(heading), ""))


def plain(heading: str) -> str:
    """Return a heading in compatibility form and without spaces, as tables are read."""
    return "".join(unicodedata.normalize("NFKC", heading).split())
