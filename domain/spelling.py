"""The canonical spellings of data, as one regular expression: what matches needs no parsing.

The expression of a JSON Schema (`domain.shape`) matches RFC 8785 texts alone, and of these only
such as the shape reads. It need not match them all: escaped characters, integers of sixteen digits
and patterns that might reach beyond a text are left to the reader, who stays the judge.
"""

from __future__ import annotations

import re
from typing import Any

from domain.codec import DERIVED
from domain.text import PLAIN, UNQUOTED_PLAIN, whole

NOTHING = "(?!)"
"""Matches no text at all."""

_FEW = 512
_HEAD, _TAIL = whole("|").split("|")
_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_COMMA_BUT_FIRST = r"(?:(?<=\{)|(?<!\{),)"


def spelling_of(schema: dict[str, Any]) -> str:
    """Return the expression for the canonical texts of a schema, for `re.fullmatch`.

    Args:
        schema: What `domain.shape` says of a value.
    """
    return _SPELLINGS[schema["type"]](schema)


def spelling_of_data(schema: dict[str, Any]) -> str:
    """Return the expression for the data of a topic.

    It has one group: the member `derived` with the comma before it, empty where there is none.
    """
    data = _object(schema, group=DERIVED)
    return data if DERIVED in schema["properties"] else f"{data}()"


def _object(schema: dict[str, Any], group: str = "") -> str:
    parts, comma = [], _COMMA_BUT_FIRST
    for name, member in sorted(schema["properties"].items()):
        is_required = name in schema["required"]
        part = f'{comma}"{re.escape(name)}":{spelling_of(member)}'
        if name == group:
            part = f"({part})"
        parts.append(part if is_required else f"(?:{part})?")
        if is_required:
            comma = ","
    return rf"\{{{''.join(parts)}\}}"


def _array(schema: dict[str, Any]) -> str:
    item = spelling_of(schema["items"])
    least, most = schema["minItems"], schema["maxItems"]
    items = f"{item}(?:,{item}){{{max(least - 1, 0)},{most - 1}}}"
    return rf"\[{items}\]" if least else rf"\[(?:{items})?\]"


def _string(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f'"(?:{"|".join(re.escape(one) for one in schema["enum"])})"'
    regex = schema["pattern"].removeprefix(_HEAD).removesuffix(_TAIL)
    if regex == PLAIN:
        regex = UNQUOTED_PLAIN
    elif not _stays_within_quotes(regex):
        return NOTHING
    size = ""
    if "maxLength" in schema:
        size = f'(?=[^"]{{{schema["minLength"]},{schema["maxLength"]}}}")'
    return f'"{size}(?:{regex})"'


def _stays_within_quotes(regex: str) -> bool:
    """Whether a pattern certainly matches no quote and no backslash, so that its text needs none.

    Says no to whatever it does not understand.
    """
    regex = regex.replace(r"\.", "[.]")
    pairs = re.findall(r"(?=(.)-([^]]))", regex, re.DOTALL)
    return (
        not any(sign in regex for sign in '"\\^')
        and "." not in re.sub(r"\[[^]]*\]", "", regex)
        and not any(
            ord(first) <= sign <= ord(last)
            for first, last in pairs
            for sign in (_QUOTE, _BACKSLASH)
        )
    )


def _integer(schema: dict[str, Any]) -> str:
    least, most = schema["minimum"], schema["maximum"]
    if most - least < _FEW:
        return f"(?:{'|'.join(str(one) for one in range(least, most + 1))})(?![0-9])"
    if least not in (0, 1):
        return NOTHING
    digits = len(str(most + 1)) - 1  # of which each number is small enough
    positive = f"[1-9][0-9]{{0,{digits - 1}}}"
    return positive if least else f"(?:0|{positive})"


def _boolean(_schema: dict[str, Any]) -> str:
    return "(?:true|false)"


_SPELLINGS = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "boolean": _boolean,
}
