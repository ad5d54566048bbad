"""Opening a table: CSV or XLSX, as its bytes say; one row is held at a time."""

from typing import BinaryIO

from client.csv_sheet import CsvSheet
from client.sheet import Limits, Sheet, SheetRefused

_ZIP = b"PK"
_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
"""How an XLS begins, and an XLSX under a password."""


def open_sheet(file: BinaryIO, limits: Limits | None = None) -> Sheet:
    """Read the headings of a table.

    Args:
        file: A seekable file, open as long as rows are read: CSV (UTF-8 with or without a byte
            order mark, or GB18030; commas, tabs or semicolons), or an XLSX workbook, of which the
            first sheet counts.
        limits: How much is taken.

    Raises:
        SheetRefused: With the reason ``empty``, ``encrypted-or-xls``, ``encoding``, ``csv`` or
            ``xlsx``.
        SheetTooLarge, HeadingsRefused: As they say.
    """
    limits = limits or Limits()
    file.seek(0)
    start = file.read(len(_COMPOUND_FILE))
    file.seek(0)
    if not start:
        raise SheetRefused(reason="empty")
    if start == _COMPOUND_FILE:
        raise SheetRefused(reason="encrypted-or-xls")
    if not start.startswith(_ZIP):
        return CsvSheet(file, limits)
    from client.xlsx_sheet import XlsxSheet  # noqa: PLC0415 - openpyxl is for those who bring one

    return XlsxSheet(file, limits)
