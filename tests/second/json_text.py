"""JSON as entries and statements use it: strict to read, RFC 8785 to write."""

import json
import re
from typing import Any, NoReturn

LARGEST = 2**53 - 1
DEEPEST = 64
_ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\]')


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no integer")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a member name stands twice")
    return made


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate has no encoding: UnicodeEncodeError
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError("an integer beyond 2^53-1")


def _check(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        if not all(name.isascii() for name in value):
            raise ValueError("a member name outside ASCII")
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    else:
        _check_scalar(value)


def read(raw: bytes) -> Any:
    """Return the value of a JSON text of strings, booleans, nulls, integers, lists and objects.

    Raises:
        ValueError: If it is not one, has a duplicate or non-ASCII name, a lone surrogate, a
            number that is no integer within 2^53-1, or is nested too deeply.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_members,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
        _check(value, 0)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _quote(text: str) -> str:
    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return _ESCAPES.get(code, f"\\u{code:04x}")

    return '"' + _TO_ESCAPE.sub(escape, text) + '"'


def _write(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, list):
        return "[" + ",".join(_write(item) for item in value) + "]"
    if isinstance(value, dict):
        # RFC 8785 sorts by UTF-16 code units; for ASCII names that is the order of Python's str.
        names = sorted(value)
        return "{" + ",".join(f"{_quote(name)}:{_write(value[name])}" for name in names) + "}"
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def write(value: Any) -> bytes:
    """Return the RFC 8785 text of a value that `read` could have returned."""
    _check(value, 0)
    return _write(value).encode("utf-8")


def read_canonical(raw: bytes) -> Any:
    """Return the value of a text in its one RFC 8785 spelling; ValueError if it is another."""
    value = read(raw)
    if _write(value).encode("utf-8") != raw:
        raise ValueError("not the RFC 8785 spelling")
    return value
