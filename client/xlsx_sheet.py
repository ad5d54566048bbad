"""Tables as XLSX: the first sheet of a workbook, read row by row."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from client.sheet import (
    DigitsLost,
    ErrorInCell,
    FormulaInCell,
    Limits,
    SheetRefused,
    SheetRow,
    SheetTooLarge,
    fill_row,
    name_columns,
)
from domain.errors import DomainError

_FAULTS: Mapping[str, type[DomainError]] = {"f": FormulaInCell, "e": ErrorInCell}
"""Kinds of cells, as the format calls them, that are not taken."""
_PLAIN_TAG = re.compile(rb"</?(?:\w+:)?(?:c|v|row|si|t|is|r|phoneticPr)[\s/>]")
"""What cells and their texts are made of."""
_PLAIN_TO_OTHER = 30
"""A tag of another kind may take 150 us: one that names a sheet makes its part be opened."""
_EXACT = 10**15
"""Numbers from here on have lost digits in a spreadsheet."""
_BROKEN = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What openpyxl and zipfile raise for a workbook that is damaged, or made to do damage."""


class XlsxSheet:
    """The first sheet of an XLSX workbook.

    Args:
        file: Seekable, at any place.
        limits: How much is taken.

    Raises:
        SheetRefused: With the reason ``xlsx``.
        SheetTooLarge, HeadingsRefused: As they say.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        with _readable():
            _check_size(file, limits)
            book = load_workbook(file, read_only=True, keep_links=False)
            sheet = book.worksheets[0]
            self._rows = iter(sheet.iter_rows(max_col=limits.columns + 1))
            first: Sequence[Any] = next(self._rows, ())
        self.headings = name_columns([_text(cell)[0] for cell in first], limits)

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that are not empty.

        Raises:
            SheetRefused, SheetTooLarge: The workbook cannot be read further.
        """
        number = 1
        while True:
            with _readable():
                cells: Sequence[Any] | None = next(self._rows, None)
                if cells is None:
                    return
                number += 1
                row = self._row(number, cells)
            if number > self._limits.rows + 1:
                raise SheetTooLarge(limit=self._limits.rows, what="rows")
            if row.cells or row.faults:
                yield row

    def _row(self, number: int, cells: Sequence[Any]) -> SheetRow:
        texts, faults = [], []
        for cell, column in zip(cells, self.headings, strict=False):
            text, fault = _text(cell)
            texts.append(text)
            if fault is not None:
                faults.append(fault(column=column))
        texts += [_text(cell)[0] for cell in cells[len(self.headings) :]]
        return fill_row(number, self.headings, texts, faults)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except SheetRefused:
        raise
    except _BROKEN:
        raise SheetRefused(reason="xlsx") from None


def _check_size(file: BinaryIO, limits: Limits) -> None:
    """Refuse a workbook that unpacks to too much; no part unpacks to more than it says."""
    with zipfile.ZipFile(file) as packed:
        if sum(part.file_size for part in packed.infolist()) > limits.workbook_bytes:
            raise SheetTooLarge(limit=limits.workbook_bytes, what="workbook-bytes")
        if limits.workbook_tags is not None:
            _check_tags(packed, limits.workbook_tags)
    file.seek(0)


def _check_tags(packed: zipfile.ZipFile, most: int) -> None:
    """Refuse a workbook of too many tags or parts, or whose own entities could make more."""
    parts = packed.infolist()
    tags = others = len(parts)
    for part in parts:
        content = packed.read(part).replace(b"\0", b"")  # of UTF-16
        found = content.count(b"<")
        tags += found
        if tags > most:
            raise SheetTooLarge(limit=most, what="workbook-tags")
        others += found - sum(1 for _ in _PLAIN_TAG.finditer(content))
        if others > most // _PLAIN_TO_OTHER:
            raise SheetTooLarge(limit=most // _PLAIN_TO_OTHER, what="workbook-tags")
        if b"<!DOCTYPE" in content:
            raise SheetRefused(reason="xlsx")


def _text(cell: Any) -> tuple[str, type[DomainError] | None]:
    """Return a cell as text, and what is wrong with it."""
    if cell.data_type in _FAULTS:
        return "", _FAULTS[cell.data_type]
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("", DigitsLost) if abs(value) >= _EXACT else (_number(value), None)
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date | time):
        return value.isoformat(), None
    return "" if value is None else str(value), None


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
