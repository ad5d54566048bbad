"""Tables as CSV: UTF-8 or GB18030, whatever separates the cells."""

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO

from client.sheet import (
    Limits,
    SheetRefused,
    SheetRow,
    SheetTooLarge,
    fill_row,
    name_columns,
)

_CHUNK = 1 << 20
_SEPARATORS = ",\t;"


class CsvSheet:
    """A CSV file.

    Args:
        file: Seekable, at any place.
        limits: How much is taken.

    Raises:
        SheetRefused: The reason is ``encoding`` or ``csv``.
        SheetTooLarge, HeadingsRefused: As they say.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        lines = _lines(file, _encoding(file), limits.row_bytes)
        first = next(lines, "")
        separator = max(_SEPARATORS, key=first.count)
        self._records = _records(first, lines, separator)
        self.headings = name_columns(next(self._records, []), limits)

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that are not empty.

        Raises:
            SheetRefused, SheetTooLarge: The file cannot be read further.
        """
        for number, cells in enumerate(self._records, 2):
            if number > self._limits.rows + 1:
                raise SheetTooLarge(limit=self._limits.rows, what="rows")
            if any(cells):
                yield fill_row(number, self.headings, cells)


def _encoding(file: BinaryIO) -> str:
    """Tell UTF-8 from GB18030 by the whole file: its last name may be the first that differs."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    found = "utf-8-sig"
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        found = "gb18030"
    file.seek(0)
    return found


def _lines(file: BinaryIO, encoding: str, most: int) -> Iterator[str]:
    """Yield the lines as text; no longer one is held than a row may be."""
    while raw := file.readline(most + 1):
        if len(raw) > most:
            raise SheetTooLarge(limit=most, what="row-bytes")
        try:
            yield raw.decode(encoding)
        except UnicodeDecodeError:
            raise SheetRefused(reason="encoding") from None
        encoding = encoding.removesuffix("-sig")  # the mark stands at the start alone


def _records(first: str, lines: Iterator[str], separator: str) -> Iterator[list[str]]:
    """Yield the cells of each row; a quoted cell may hold line breaks."""

    def again() -> Iterator[str]:
        yield first
        yield from lines

    try:
        yield from csv.reader(again(), delimiter=separator, strict=True)
    except csv.Error:
        raise SheetRefused(reason="csv") from None
