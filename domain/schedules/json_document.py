"""A JSON document that people write: read strictly, faults named by JSON pointer (RFC 6901)."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, NoReturn

from domain.errors import DomainError, shown

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

LAST_DAY = date(2999, 12, 31)
"""Ages, intervals and deadlines can be added to days up to this one."""


class InvalidJson(DomainError):
    """This is not a JSON document in UTF-8 with distinct member names."""

    code = "invalid-json"
    zh = "不是有效的 JSON 文档（须为 UTF-8，成员名不得重复）。"


class WrongType(DomainError):
    """The value has another JSON type than the one asked for."""

    code = "wrong-type"
    zh = "数据类型不符。"


class MissingMember(DomainError):
    """A required member is missing."""

    code = "missing-member"
    zh = "缺少必填项。"


class UnexpectedMember(DomainError):
    """There is no such member."""

    code = "unexpected-member"
    zh = "存在未定义的数据项。"


class UnknownValue(DomainError):
    """The value is not one of those allowed."""

    code = "unknown-value"
    zh = "取值不在允许范围内。"


class InvalidDate(DomainError):
    """This is not a day of the calendar, written YYYY-MM-DD."""

    code = "invalid-date"
    zh = "日期无效（须为 YYYY-MM-DD 格式的真实日期）。"


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document together with its place.

    Each reader returns the value in the type asked for, or raises a `DomainError` whose fact
    `pointer` is the place.
    """

    value: Any
    pointer: str = ""

    def members(
        self,
        required: Collection[str],
        optional: Collection[str] = (),
        ignored: Collection[str] = (),
    ) -> "dict[str, Node]":
        """Read an object with exactly these members; those ignored are left out.

        Raises:
            WrongType: When it is no object.
            UnexpectedMember: For the first member that is in none of the three.
            MissingMember: For the first required one that is absent.
        """
        found = {name: node for name, node in self.entries().items() if name not in ignored}
        for name, node in found.items():
            if name not in required and name not in optional:
                raise UnexpectedMember(member=shown(name)).at(node.pointer)
        for name in required:
            if name not in found:
                raise MissingMember(member=name).at(self.pointer)
        return found

    def entries(self) -> "dict[str, Node]":
        """Read an object whose member names are data."""
        if not isinstance(self.value, Mapping) or not all(isinstance(k, str) for k in self.value):
            self._refuse_type("object")
        return {name: Node(item, self._below(name)) for name, item in self.value.items()}

    def items(self) -> "list[Node]":
        """Read an array."""
        if not isinstance(self.value, list | tuple):
            self._refuse_type("array")
        return [Node(item, self._below(str(index))) for index, item in enumerate(self.value)]

    def text(self) -> str:
        """Read a string that can be written as UTF-8 (no lone surrogates)."""
        if not isinstance(self.value, str):
            self._refuse_type("string")
        if not _is_encodable(self.value):
            self._refuse_type("string")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Read an array of strings."""
        return tuple(item.text() for item in self.items())

    def boolean(self) -> bool:
        """Read true or false."""
        if not isinstance(self.value, bool):
            self._refuse_type("boolean")
        return self.value

    def integer(self, least: int = 0) -> int:
        """Read an integer of at least `least`."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            self._refuse_type("integer")
        if self.value < least:
            raise UnknownValue(least=least).at(self.pointer)
        return self.value

    def day(self) -> date:
        """Read a civil date, written YYYY-MM-DD and in no other of the forms of ISO 8601.

        Raises:
            InvalidDate: For another form, for days that do not exist, and after `LAST_DAY`.
        """
        text = self.text()
        try:
            # The pattern keeps out 20180903 and 2018-W36-1, which fromisoformat reads too.
            day = date.fromisoformat(text if _DATE.fullmatch(text) else "")
        except ValueError:
            raise InvalidDate(value=shown(text)).at(self.pointer) from None
        if day > LAST_DAY:
            raise InvalidDate(value=text, latest=LAST_DAY.isoformat()).at(self.pointer)
        return day

    def choice(self, allowed: Collection[str]) -> str:
        """Read one of a few strings.

        Raises:
            UnknownValue: For any other string.
        """
        text = self.text()
        if text not in allowed:
            raise UnknownValue(value=shown(text), allowed=sorted(allowed)).at(self.pointer)
        return text

    def _below(self, name: str) -> str:
        return f"{self.pointer}/{shown(name).replace('~', '~0').replace('/', '~1')}"

    def _refuse_type(self, expected: str) -> NoReturn:
        raise WrongType(expected=expected).at(self.pointer)


def parse_document(raw: bytes) -> Node:
    """Read a JSON document: UTF-8 (a byte order mark is accepted), no duplicate member names.

    Raises:
        InvalidJson: For anything else, NaN, and nesting or numbers beyond what Python reads.
    """
    try:
        value = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_distinct,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise InvalidJson(reason=_reason(error)) from None
    return Node(value)


def load_document(name: str) -> Node:
    """Read a data file that is shipped with the package."""
    return parse_document((files("domain.schedules") / "data" / name).read_bytes())


def load_edition(name: str) -> Node:
    """Read a rule file that is shipped with the package.

    One that names another as `based_on` tells only what differs from it, as a merge patch (RFC
    7396).
    """
    own = load_document(name)
    base = own.entries().get("based_on")
    if base is None:
        return own
    changes = {member: value for member, value in own.value.items() if member != "based_on"}
    document = load_document(f"{base.text()}.{name.partition('.')[2]}")
    return Node(_merged(document.value, changes))


def _merged(target: Any, changes: Any) -> Any:
    if not isinstance(changes, dict):
        return changes
    merged = dict(target) if isinstance(target, dict) else {}
    for member, change in changes.items():
        if change is None:
            merged.pop(member, None)
        else:
            merged[member] = _merged(merged.get(member), change)
    return merged


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member name")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _reason(error: Exception) -> str:
    """Say what is wrong in one short line, never with the document's own text."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno} column {error.colno}"
    return str(error)


def _is_encodable(text: str) -> bool:
    return text == text.encode("utf-8", "replace").decode("utf-8")
