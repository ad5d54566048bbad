"""CBOR, of which we read only what we would write (RFC 8949, section 4.2.1).

Integers of 64 bits, byte and text strings, arrays, maps with integer or text keys, true, false,
null, and one tag: 18, COSE_Sign1. Everything has its one shortest form, lengths stand in front and
map keys ascend by their encoded bytes, so a value has exactly one encoding and a double key none.
No other tag, float or indefinite length is read: a general reader gives those meanings (regular
expressions, references, dates) that a verifier must not act upon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, Union

from certificates.errors import CborError

MAX_DEPTH = 8
"""Nesting; the deepest format of ours, a dose of a payload, reaches 6."""

MAX_ITEMS = 4096
"""Values in one document, keys counted too."""

SIGN1_TAG = 18
"""Tag of COSE_Sign1 (RFC 9052, section 2)."""

Cbor: TypeAlias = Union[int, str, bytes, "Sign1Tag", Sequence["Cbor"], Mapping[Any, "Cbor"], None]
"""A value; sequences are read as lists, maps as dicts, whose keys are integers or texts."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_CONSTANTS: Mapping[int, bool | None] = {20: False, 21: True, 22: None}
_CONSTANT_BYTES = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}
_LAST_SHORT = 23
_WIDTHS = {24: (1, _LAST_SHORT + 1), 25: (2, 1 << 8), 26: (4, 1 << 16), 27: (8, 1 << 32)}
"""Bytes that follow, and the least number that needs them, by the low bits of the first byte."""


@dataclass(frozen=True, slots=True)
class Sign1Tag:
    """A value under tag 18."""

    value: Cbor


def encode(value: Cbor) -> bytes:
    """Return the one encoding of a value.

    Raises:
        CborError: For a value that this subset cannot hold.
    """
    match value:
        case None | bool():
            return _CONSTANT_BYTES[value]
        case int():
            return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
        case bytes():
            return _head(_BYTES, len(value)) + value
        case str():
            raw = _utf8(value)
            return _head(_TEXT, len(raw)) + raw
        case Sign1Tag():
            return _head(_TAG, SIGN1_TAG) + encode(value.value)
        case _:
            return _encode_collection(value)


def _encode_collection(value: Cbor) -> bytes:
    match value:
        case dict():
            pairs = sorted((encode(key), encode(item)) for key, item in value.items())
            return _head(_MAP, len(pairs)) + b"".join(map(b"".join, pairs))
        case list() | tuple():
            return _head(_ARRAY, len(value)) + b"".join(map(encode, value))
        case _:
            raise CborError("No such value is written.", type=type(value).__name__)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CborError("A text is not Unicode.") from error


def _head(major: int, argument: int) -> bytes:
    if argument <= _LAST_SHORT:
        return bytes((major << 5 | argument,))
    for code, (width, _) in _WIDTHS.items():
        if argument < 1 << 8 * width:
            return bytes((major << 5 | code,)) + argument.to_bytes(width)
    raise CborError("An integer has at most 64 bits.")


def decode(raw: bytes, *, max_items: int = MAX_ITEMS) -> Cbor:
    """Return the value that exactly these bytes encode.

    Args:
        raw: One document, nothing behind it.
        max_items: Most values in it.

    Raises:
        CborError: If the bytes are not the deterministic encoding of a value of the subset, or the
            document is deeper than 8 or has too many values.
    """
    reader = _Reader(raw, max_items)
    value = reader.value(0)
    if reader.at != len(raw):
        raise CborError("Bytes follow the value.", at=reader.at)
    return value


class _Reader:
    """Reads a document from its front; `at` is the offset of the next byte."""

    def __init__(self, raw: bytes, max_items: int) -> None:
        self._raw = raw
        self._left = max_items
        self.at = 0

    def value(self, depth: int) -> Cbor:
        if depth > MAX_DEPTH:
            raise CborError("Values are nested too deep.", at=self.at)
        self._left -= 1
        if self._left < 0:
            raise CborError("There are too many values.", at=self.at)
        major, argument = self._take_head()
        if major == _UNSIGNED:
            return argument
        if major == _NEGATIVE:
            return -1 - argument
        if major == _BYTES:
            return self._take(argument)
        if major == _TEXT:
            return self._take_text(argument)
        return self._composed(major, argument, depth)

    def _composed(self, major: int, argument: int, depth: int) -> Cbor:
        if major == _ARRAY:
            self._expect(argument)
            return [self.value(depth + 1) for _ in range(argument)]
        if major == _MAP:
            self._expect(2 * argument)
            return self._take_map(argument, depth + 1)
        if major == _TAG and argument == SIGN1_TAG:
            return Sign1Tag(self.value(depth + 1))
        if major == _SIMPLE and argument in _CONSTANTS:
            return _CONSTANTS[argument]
        raise CborError("No such value is read.", major=major, at=self.at)

    def _take_head(self) -> tuple[int, int]:
        (initial,) = self._take(1)
        major, short = initial >> 5, initial & 0x1F
        if short <= _LAST_SHORT:
            return major, short
        if short not in _WIDTHS or major == _SIMPLE:
            raise CborError("Lengths are definite, floats are not used.", at=self.at)
        width, least = _WIDTHS[short]
        argument = int.from_bytes(self._take(width))
        if argument < least:
            raise CborError("A number is not in its shortest form.", at=self.at)
        return major, argument

    def _take(self, length: int) -> bytes:
        self._expect(length)
        self.at += length
        return self._raw[self.at - length : self.at]

    def _expect(self, length: int) -> None:
        """Refuse a length before anything is made of it: each value takes a byte at least."""
        if length > len(self._raw) - self.at:
            raise CborError("The document ends too early.", at=self.at)

    def _take_text(self, length: int) -> str:
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise CborError("A text is not UTF-8.", at=self.at) from error

    def _take_map(self, count: int, depth: int) -> dict[int | str, Cbor]:
        members: dict[int | str, Cbor] = {}
        last = b""
        for _ in range(count):
            start = self.at
            key = self.value(depth)
            encoded = self._raw[start : self.at]
            if isinstance(key, bool) or not isinstance(key, int | str):
                raise CborError("A key is a number or a text.", at=start)
            if encoded <= last:
                raise CborError("Keys ascend, and none stands twice.", at=start)
            last = encoded
            members[key] = self.value(depth)
        return members
