"""Between an event class and the JSON object that stands in an entry's `data`.

The reading and the writing of a class are compiled once from its type hints (`domain.shape`).
Both are strict and exact inverses, so a signed statement and the entry made from it can be
compared as values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from eventsourcing.domain import CanInitAggregate

from domain.errors import DomainError
from domain.restoring import compile_fields, handle, make
from domain.sealed import Fact, Sealed
from domain.shape import Shape, Wrong, compile_object

FRAME = frozenset(
    {"originator_id", "originator_version", "originator_topic", "timestamp", "sealed"}
)
"""Fields of every event that stand in the entry itself, not in its `data`."""

DERIVED = "derived"


class MalformedData(DomainError):
    """The data does not have the shape that its topic requires."""

    code = "malformed-data"
    zh = "数据不符合该事件类型规定的格式。"


def encode(event: Fact) -> dict[str, Any]:
    """Write an event as the `data` of its entry: JSON-native values only."""
    return _writer(type(event))(event)


def decode(cls: type[Fact], data: object) -> dict[str, Any]:
    """Read `data` of an entry into the keyword arguments of the event class.

    The frame (`originator_id`, `originator_version`, `timestamp`, `sealed`) is the caller's to
    add; the aggregate's topic of a creation event is included.

    Raises:
        MalformedData: with `pointer` (RFC 6901) and `reason`.
    """
    values: dict[str, Any] = _read(_event_shape(cls), data)
    values.update(_constant(cls))
    return values


def restore(cls: type[Fact], frame: Mapping[str, Any], data: Mapping[str, Any]) -> Fact:
    """Make the event of a stored entry again; what was checked before is not looked at again.

    Args:
        cls: class of the event.
        frame: `originator_id`, `originator_version`, `timestamp` and `sealed`.
        data: what `encode` gave.

    Raises:
        MalformedData: with `pointer` (RFC 6901) and `reason`: the data is of no such event.
    """
    restore_fields, constant = _restorer(cls)
    try:
        values = restore_fields(data)
    except (AttributeError, KeyError, TypeError, ValueError):
        decode(cls, data)  # tells what is wrong, and where
        raise
    values.update(frame)
    values.update(constant)
    event: Fact = make(cls, values)
    return event


def restore_sealed(subject: str, sha256: str) -> Sealed:
    """Make one sealed part of a stored entry again."""
    part: Sealed = make(Sealed, {"subject": handle(subject), "sha256": sha256})
    return part


def statement_fields(cls: type[Fact], data: object) -> dict[str, Any]:
    """Read the fields that an author signs: as `decode`, but nothing may be derived yet.

    Raises:
        MalformedData: with `pointer` (RFC 6901) and `reason`.
    """
    values: dict[str, Any] = _read(_signed_shape(cls), data)
    return values


def read_field(cls: type[Fact], name: str, value: object) -> Any:
    """Read one field of a class from its JSON value.

    Raises:
        MalformedData: with `pointer` (RFC 6901) and `reason`.
    """
    return _read(_event_shape(cls).members[name], value, name)


def json_schema(cls: type[Fact]) -> dict[str, Any]:
    """Describe `data` of a class: JSON Schema, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:vaxledger:schema:{cls.TOPIC}",
        "title": cls.TOPIC,
        **_event_shape(cls).schema,
    }


@cache
def _event_shape(cls: type[Fact]) -> Shape:
    return compile_object(cls, FRAME)


@cache
def _restorer(
    cls: type[Fact],
) -> tuple[Callable[[Mapping[str, Any]], dict[str, Any]], Mapping[str, str]]:
    return compile_fields(cls, FRAME), _constant(cls)


def _constant(cls: type[Fact]) -> Mapping[str, str]:
    """What every event of a class has: one that begins a stream, the topic of its aggregate."""
    begins = issubclass(cls, CanInitAggregate)
    return {"originator_topic": cls.TOPIC.partition(".")[0]} if begins else {}


@cache
def _signed_shape(cls: type[Fact]) -> Shape:
    return compile_object(cls, FRAME | {DERIVED})


@cache
def _writer(cls: type[Fact]) -> Callable[[Fact], dict[str, Any]]:
    write = _event_shape(cls).write
    assert write is not None
    return write


def _read(compiled: Shape, data: object, *within: str) -> Any:
    try:
        return compiled.read(data)
    except Wrong as wrong:
        wrong.path.extend(within)
        raise MalformedData(pointer=wrong.pointer(), reason=wrong.reason) from None
