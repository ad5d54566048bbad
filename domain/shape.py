"""How one type of field is read from JSON, written to JSON and described, compiled from hints.

Reading is strict and writing its exact inverse: whatever is read is written again member for
member. Optional members are absent when empty, never null; UUIDs and dates have one spelling.

Types a field may have: `str`, `int`, `bool`, `date`, `UUID`, a `StrEnum`, a frozen dataclass of
such fields, `tuple[X, ...]`, and `X | None` with default `None`; `Annotated` adds limits.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any
from uuid import UUID

from domain.errors import shown
from domain.text import DAY, PLAIN, UUID_TEXT, is_plain, is_uuid, whole

MAX_INTEGER = 2**53 - 1
MAX_TEXT = 200
MAX_ITEMS = 64


@dataclasses.dataclass(frozen=True)
class Pattern:
    """Limit on a text: the whole of it matches `regex` (ECMA-262 and Python alike)."""

    regex: str


@dataclasses.dataclass(frozen=True)
class Size:
    """Limit on the characters of a text, the value of an integer or the items of a tuple."""

    least: int
    most: int


Limit = Pattern | Size


@dataclasses.dataclass(frozen=True)
class Shape:
    """How one type is read from JSON, written to JSON and described.

    Attributes:
        read: JSON value to Python value; raises `Wrong`.
        write: Python value to JSON value; `None` where they are the same.
        schema: JSON Schema of the value.
        members: shapes of an object's members.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None
    schema: dict[str, Any]
    members: Mapping[str, Shape] = dataclasses.field(default_factory=dict)


class Wrong(Exception):
    """A value does not fit; `path` grows from the inside out while the reading unwinds."""

    def __init__(self, reason: str, *path: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = list(path)

    def pointer(self) -> str:
        """Where it happened: RFC 6901."""
        parts = (part.replace("~", "~0").replace("/", "~1") for part in reversed(self.path))
        return "".join(f"/{part}" for part in parts)


def compile_object(cls: type, hidden: frozenset[str]) -> Shape:
    """Compile the fields of a dataclass; what is read are its keyword arguments."""
    hints = typing.get_type_hints(cls, include_extras=True)
    docs = field_docs(cls)
    shapes: dict[str, Shape] = {}
    required: list[str] = []
    for field in dataclasses.fields(cls):
        if field.name in hidden:
            continue
        hint, optional = split_optional(hints[field.name])
        if field.default is not (None if optional else dataclasses.MISSING):
            # Any other default would give one event two spellings.
            msg = f"{cls.__qualname__}.{field.name}: optional fields, and they alone, default None"
            raise TypeError(msg)
        shapes[field.name] = _shape(hint)
        if not optional:
            required.append(field.name)
    schema = {
        "description": summary(cls),
        "type": "object",
        "properties": {
            name: {"description": docs[name], **shape.schema} for name, shape in shapes.items()
        },
        "required": required,
        "additionalProperties": False,
    }
    read = _object_reader(shapes, frozenset(required))
    return Shape(read, _object_writer(shapes), schema, shapes)


def _object_reader(
    shapes: Mapping[str, Shape], required: frozenset[str]
) -> Callable[[Any], dict[str, Any]]:
    readers = {name: shape.read for name, shape in shapes.items()}

    def read(data: Any) -> dict[str, Any]:
        if type(data) is not dict:
            raise Wrong("an object is required")
        values = {}
        name = ""
        try:
            for name, value in data.items():
                values[name] = readers[name](value)
        except KeyError:
            raise Wrong("unknown member", shown(name)) from None
        except Wrong as wrong:
            wrong.path.append(name)
            raise
        if not required <= values.keys():
            raise Wrong("required member is missing", min(required - values.keys()))
        return values

    return read


def _object_writer(shapes: Mapping[str, Shape]) -> Callable[[Any], dict[str, Any]]:
    writers = [(name, shape.write) for name, shape in shapes.items()]

    def write(value: Any) -> dict[str, Any]:
        fields = value.__dict__
        data = {}
        for name, write_member in writers:
            member = fields[name]
            if member is not None:
                data[name] = member if write_member is None else write_member(member)
        return data

    return write


def split_optional(hint: Any) -> tuple[Any, bool]:
    """Tell `X | None` from `X`."""
    if typing.get_origin(hint) in (typing.Union, UnionType):
        choices = [choice for choice in typing.get_args(hint) if choice is not NoneType]
        if len(choices) == 1:
            return choices[0], True
    return hint, False


def _shape(hint: Any) -> Shape:
    """Compile any type of the list in this module's docstring."""
    limits: tuple[Limit, ...] = ()
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extras = typing.get_args(hint)
        limits = tuple(extra for extra in extras if isinstance(extra, Pattern | Size))
    if typing.get_origin(hint) is tuple:
        size = next((limit for limit in limits if isinstance(limit, Size)), Size(0, MAX_ITEMS))
        return _array(typing.get_args(hint)[0], size)
    if isinstance(hint, type):
        if hint in _SCALARS:
            return _SCALARS[hint](*limits)
        if issubclass(hint, StrEnum):
            return _choice(hint)
        if dataclasses.is_dataclass(hint):
            return _value(hint)
    msg = f"no JSON shape for {hint!r}"
    raise TypeError(msg)


def _value(cls: type) -> Shape:
    """Compile a frozen dataclass that is a field's value."""
    inner = compile_object(cls, frozenset())

    def read(data: Any) -> Any:
        return cls(**inner.read(data))

    return Shape(read, inner.write, inner.schema)


def _array(item: Any, size: Size) -> Shape:
    inner = _shape(item)
    read_item, write_item = inner.read, inner.write

    def read(data: Any) -> tuple[Any, ...]:
        if type(data) is not list:
            raise Wrong("an array is required")
        if not size.least <= len(data) <= size.most:
            raise Wrong(f"{size.least} to {size.most} items are required")
        items = []
        try:
            for value in data:
                items.append(read_item(value))  # noqa: PERF401 - the index is in the error
        except Wrong as wrong:
            wrong.path.append(str(len(items)))
            raise
        return tuple(items)

    def write(items: tuple[Any, ...]) -> list[Any]:
        return list(items) if write_item is None else [write_item(value) for value in items]

    schema = {
        "type": "array",
        "items": inner.schema,
        "minItems": size.least,
        "maxItems": size.most,
    }
    return Shape(read, write, schema)


def _text(*limits: Limit) -> Shape:
    regex = next((limit.regex for limit in limits if isinstance(limit, Pattern)), None)
    default = None if regex else Size(1, MAX_TEXT)
    size = next((limit for limit in limits if isinstance(limit, Size)), default)
    matches = re.compile(regex).fullmatch if regex else is_plain

    def read(data: Any) -> str:
        if type(data) is not str:
            raise Wrong("a string is required")
        if size is not None and not size.least <= len(data) <= size.most:
            raise Wrong(f"{size.least} to {size.most} characters are required")
        if not matches(data):
            raise Wrong(f"must match {regex}" if regex else "control characters or outer spaces")
        return data

    schema: dict[str, Any] = {"type": "string", "pattern": whole(regex or PLAIN)}
    if size is not None:
        schema |= {"minLength": size.least, "maxLength": size.most}
    return Shape(read, None, schema)


def _integer(size: Size = Size(0, MAX_INTEGER)) -> Shape:
    def read(data: Any) -> int:
        if type(data) is not int:
            raise Wrong("an integer is required")
        if not size.least <= data <= size.most:
            raise Wrong(f"must lie between {size.least} and {size.most}")
        return data

    return Shape(read, None, {"type": "integer", "minimum": size.least, "maximum": size.most})


def _boolean() -> Shape:
    def read(data: Any) -> bool:
        if type(data) is not bool:
            raise Wrong("true or false is required")
        return data

    return Shape(read, None, {"type": "boolean"})


def _date() -> Shape:
    def read(data: Any) -> date:
        if type(data) is not str:
            raise Wrong("a date YYYY-MM-DD is required")
        try:
            day = date.fromisoformat(data)
        except ValueError:
            raise Wrong("no such day; a date YYYY-MM-DD is required") from None
        if day.isoformat() != data:  # other spellings parse as well
            raise Wrong("a date YYYY-MM-DD is required")
        return day

    return Shape(read, date.isoformat, {"type": "string", "format": "date", "pattern": whole(DAY)})


def _uuid() -> Shape:
    def read(data: Any) -> UUID:
        if type(data) is not str or not is_uuid(data):
            raise Wrong("a UUID in lower case with hyphens is required")
        return UUID(data)

    return Shape(read, str, {"type": "string", "format": "uuid", "pattern": whole(UUID_TEXT)})


def _choice(enum: type[StrEnum]) -> Shape:
    members: dict[Any, StrEnum] = {member.value: member for member in enum}

    def read(data: Any) -> StrEnum:
        if type(data) is not str or data not in members:
            raise Wrong(f"must be one of {', '.join(members)}")
        return members[data]

    return Shape(read, lambda member: member.value, {"type": "string", "enum": list(members)})


_SCALARS: dict[type, Callable[..., Shape]] = {
    str: _text,
    bool: _boolean,
    int: _integer,
    date: _date,
    UUID: _uuid,
}


def summary(cls: type) -> str:
    """The first sentence of a class docstring."""
    return (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")


def field_docs(cls: type) -> dict[str, str]:
    """The `Attributes:` of a class docstring and of those it inherits from, by field."""
    docs: dict[str, str] = {}
    for ancestor in reversed(cls.__mro__):
        section = inspect.cleandoc(ancestor.__doc__ or "").partition("Attributes:\n")[2]
        entries = re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", section, flags=re.MULTILINE)
        docs |= {name: re.sub(r"\s+", " ", text) for name, text in entries}
    return docs
