"""Events as they were, from the data of stored entries: `domain.shape` without its checks.

Whatever is stored was read strictly before, or written by ourselves; every decision loads some
dozens of events, so they are restored in a third of the time. What still shows is a member too many
or too few, and a value that its type cannot be made of.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

from domain.shape import split_optional

Restorer = Callable[[Any], Any]

handle = lru_cache(maxsize=4096)(UUID)
"""A UUID of its text: the same people, clinics and records recur from event to event."""


def compile_fields(cls: type, hidden: frozenset[str]) -> Callable[[Mapping[str, Any]], Any]:
    """Compile how the fields of a dataclass are restored, as `vars` of it hold them.

    What is compiled raises AttributeError, KeyError, TypeError or ValueError for other data.
    """
    hints = typing.get_type_hints(cls)
    fields = [field for field in dataclasses.fields(cls) if field.name not in hidden]
    names = {field.name for field in fields}
    absent = {field.name: None for field in fields if field.default is None}
    restorers = [(name, restore) for name in names if (restore := _restorer(hints[name]))]

    def restore_fields(data: Mapping[str, Any]) -> dict[str, Any]:
        values = {**absent, **data}
        if values.keys() != names:
            raise KeyError(*values.keys() ^ names)
        for name, restore in restorers:
            if name in data:
                values[name] = restore(values[name])
        return values

    return restore_fields


def make(cls: type, values: dict[str, Any]) -> Any:
    """Make a frozen object of its fields at once, as the library restores its own events."""
    made: Any = object.__new__(cls)
    object.__setattr__(made, "__dict__", values)
    return made


def _restorer(hint: Any) -> Restorer | None:
    """How a JSON value becomes one of a type again; None where they are the same."""
    hint, _ = split_optional(hint)
    if typing.get_origin(hint) is tuple:
        return _items(_restorer(typing.get_args(hint)[0]))
    if hint in _SCALARS:
        return _SCALARS[hint]
    if issubclass(hint, StrEnum):
        return {member.value: member for member in hint}.__getitem__
    is_value: bool = dataclasses.is_dataclass(hint)
    return _value(hint) if is_value else None


def _items(restore: Restorer | None) -> Restorer:
    return tuple if restore is None else lambda items: tuple([restore(item) for item in items])


def _value(cls: type) -> Restorer:
    restore_fields = compile_fields(cls, frozenset())
    return lambda data: make(cls, restore_fields(data))


_SCALARS: Mapping[Any, Restorer] = {UUID: handle, date: date.fromisoformat}
