"""Canonical JSON: RFC 8785 for the subset that entries use, and a strict reader.

The subset (DESIGN section 4): strings, booleans, null, integers within 2^53-1, arrays, objects
with ASCII member names. Within it orjson with sorted keys writes exactly what RFC 8785 asks for
(ASCII names sort the same by code point and by UTF-16 unit), which a generative test proves
against an independent encoder.
"""

import json
import re
from contextlib import suppress
from typing import Any

import orjson

from ledger.errors import EntryError, TooDeepError

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 32

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# To the end where it has none, and never back: one that tries each of many quotes is quadratic.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[][{}]")
_CONTAINERS = frozenset((dict, list, tuple))
_LONGEST_INTEGER = len(str(-MAX_INTEGER))


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a value of the subset.

    Args:
        value: Built of exactly dict, list, tuple (written as an array), str, bool, int and None.

    Raises:
        EntryError: For any other type, an integer beyond 2^53-1, a float, a lone surrogate, a
            member name outside ASCII, or more than 32 levels.
    """
    _check(value, MAX_DEPTH)
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except (TypeError, RecursionError) as error:
        raise EntryError("This value has no canonical form.", reason=str(error)) from error


def respell(value: Any) -> bytes:
    """Return the canonical bytes of a value that was read strictly; nothing is looked at again.

    Args:
        value: What ``parse`` or ``parse_canonical`` returned, a part of it, or what was made of
            such parts.
    """
    return orjson.dumps(value, option=_OPTIONS)


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read JSON of the subset strictly, in any spelling and member order.

    Args:
        raw: UTF-8 JSON text of untrusted origin.
        max_depth: Most levels of arrays and objects, counted before anything is parsed.

    Raises:
        TooDeepError: For too many levels.
        EntryError: For malformed JSON, duplicate member names, member names outside ASCII, floats,
            integers beyond 2^53-1, and lone surrogates.
    """
    check_depth(raw, max_depth)
    with suppress(EntryError):
        return parse_canonical(raw)  # as most clients write it: in a third of the time
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique_members,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_bounded_integer,
        )
    except (ValueError, RecursionError) as error:
        raise EntryError("This is not JSON.", reason=str(error)) from error
    _check(value, max_depth)
    try:
        orjson.dumps(value)  # the one thing _check leaves open: lone surrogates
    except TypeError as error:
        raise EntryError("A string holds a lone surrogate.") from error
    return value


def parse_canonical(raw: bytes) -> Any:
    """Read canonical bytes, and nothing else, fast.

    That the bytes come out again as they went in excludes duplicate names, spaces, other member
    orders and other spellings at once.

    Raises:
        EntryError: If these are not exactly the canonical bytes of a value of the subset.
    """
    try:
        value = orjson.loads(raw)
        again = orjson.dumps(value, option=_OPTIONS)
    except (ValueError, TypeError, RecursionError) as error:
        raise EntryError("This is not canonical JSON.", reason=str(error)) from error
    if again != raw:
        raise EntryError("These bytes are not the canonical form of their value.")
    # Canonical text shows what is not ASCII as it is: it escapes control characters alone.
    _check(value, MAX_DEPTH, names_are_ascii=raw.isascii())
    return value


def is_canonical(raw: bytes) -> bool:
    """Tell whether these are exactly the canonical bytes of a value of the subset."""
    try:
        parse_canonical(raw)
    except EntryError:
        return False
    return True


def are_same(one: Any, other: Any) -> bool:
    """Tell whether two values that were read have the same canonical bytes.

    Python holds 1 and true for equal; their bytes tell them apart.
    """
    return bool(one == other) and orjson.dumps(one, option=_OPTIONS) == orjson.dumps(
        other, option=_OPTIONS
    )


def check_depth(raw: bytes, max_depth: int = MAX_DEPTH) -> None:
    """Refuse JSON text nested deeper than ``max_depth`` without parsing it.

    Raises:
        TooDeepError: At the first bracket that opens a level too many.
    """
    if raw.count(b"{") + raw.count(b"[") <= max_depth:
        return
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", raw)):
        depth += 1 if bracket in b"{[" else -1
        if depth > max_depth:
            raise TooDeepError(max_depth=max_depth)


def _check(value: Any, max_depth: int, *, names_are_ascii: bool = False) -> None:
    """Refuse what the subset excludes, one level of the value after the other.

    Args:
        value: Any value.
        max_depth: Most levels.
        names_are_ascii: Whether the caller knows that already.
    """
    level: list[Any] = [(value,)]
    for _ in range(max_depth + 1):
        below = []
        for container in level:
            if type(container) is dict and not names_are_ascii:
                _check_names(container)
            for member in container.values() if type(container) is dict else container:
                kind = type(member)
                if kind is str or member is None or kind is bool:  # nearly all, so in place
                    continue
                if kind in _CONTAINERS:
                    below.append(member)
                else:
                    _check_number(member)
        if not below:
            return
        level = below
    raise TooDeepError


def _check_number(member: Any) -> None:
    if type(member) is not int:
        kind = type(member).__name__
        raise EntryError("This type has no place in canonical JSON.", type=kind)
    if not -MAX_INTEGER <= member <= MAX_INTEGER:
        raise EntryError("An integer lies beyond 2^53-1.")


def _check_names(value: dict[Any, Any]) -> None:
    try:
        if "".join(value).isascii():
            return
    except TypeError as error:
        raise EntryError("A member name is no string.", reason=str(error)) from error
    name = next(name for name in value if not name.isascii())
    raise EntryError("A member name is not an ASCII string.", name=name)


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise EntryError("An object has the same member name twice.")
    return members


def _refuse_number(text: str) -> Any:
    raise EntryError("Only integers are numbers here.", number=text[:32])


def _bounded_integer(text: str) -> int:
    # The length first: converting a million digits is quadratic.
    if len(text) > _LONGEST_INTEGER or abs(int(text)) > MAX_INTEGER:
        raise EntryError("An integer lies beyond 2^53-1.")
    return int(text)
