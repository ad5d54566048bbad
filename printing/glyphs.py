"""Which characters the shipped font can draw, and what stands for those that it cannot."""

import struct
from collections.abc import Iterator
from functools import cache
from importlib import resources

import structlog

FONT = "NotoSansCJKsc-Forms.otf"
LACKING = "〓"
"""Stands before the code point of a character without a glyph (the printers' geta)."""

_LOG = structlog.get_logger("printing")

_TABLES_AT = 12
_TABLE = struct.Struct(">4sIII")
_SUBTABLE = struct.Struct(">HHI")
_FULL_REPERTOIRE = 12
_GROUPS_AT = 16
_GROUP = struct.Struct(">III")


def drawable(text: str) -> str:
    """Return text with `〓` and the code point in place of each character without a glyph.

    A name is printed with such a mark rather than with a hole, and the code points are logged as
    an alarm: a font that has them is to be shipped.
    """
    missing = {char for char in text if char not in "\n\u3000" and ord(char) not in _drawn()}
    if not missing:
        return text
    points = {char: f"U+{ord(char):04X}" for char in missing}
    _LOG.error("glyph missing", code_points=sorted(points.values()))
    return "".join(f"{LACKING}[{points[char]}]" if char in points else char for char in text)


@cache
def _drawn() -> frozenset[int]:
    """The code points of the font."""
    font = resources.files(__package__).joinpath("fonts", FONT).read_bytes()
    return frozenset(point for first, last in _ranges(font) for point in range(first, last + 1))


def _ranges(font: bytes) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a font's character map (OpenType, table `cmap`, format 12)."""
    (tables,) = struct.unpack_from(">H", font, 4)
    places = {
        tag: at
        for tag, _, at, _ in (
            _TABLE.unpack_from(font, _TABLES_AT + _TABLE.size * index) for index in range(tables)
        )
    }
    cmap = places[b"cmap"]
    (subtables,) = struct.unpack_from(">H", font, cmap + 2)
    for index in range(subtables):
        _, _, offset = _SUBTABLE.unpack_from(font, cmap + 4 + _SUBTABLE.size * index)
        (shape,) = struct.unpack_from(">H", font, cmap + offset)
        if shape == _FULL_REPERTOIRE:
            (groups,) = struct.unpack_from(">I", font, cmap + offset + 12)
            for group in range(groups):
                at = cmap + offset + _GROUPS_AT + _GROUP.size * group
                first, last, _ = _GROUP.unpack_from(font, at)
                yield first, last
            return
