"""Tables as an XLSX workbook: text and whole numbers only, never a formula or a link."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from printing.sheet import Cell, Sheet

_NAME_LIMIT = 31
_FORBIDDEN = str.maketrans("[]:*?/\\'", "〔〕：＊？／＼’")
_MODIFIED = re.compile(rb"<dcterms:modified[^>]*>[^<]*</dcterms:modified>")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of a ZIP archive: members carry no time of their own, so equal tables are equal bytes."""


def workbook(sheets: Sequence[Sheet], day: date) -> bytes:
    """Return a workbook; the same tables and day give the same bytes.

    Args:
        sheets: At least one.
        day: Stands in the file as the day on which it was made.
    """
    book = Workbook(write_only=True)
    book.properties.created = datetime.combine(day, time())
    book.properties.creator = "vaxledger"
    for name, sheet in zip(_tab_names(sheets), sheets, strict=True):
        _fill(book.create_sheet(name), sheet)
    out = BytesIO()
    book.save(out)
    return _without_times(out.getvalue())


def _fill(page: Any, sheet: Sheet) -> None:
    """Write one sheet; the stubs know less of write-only sheets than these have."""
    page.freeze_panes = "C3"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "2:2"
    for index, heading in enumerate(sheet.headings, 1):
        page.column_dimensions[get_column_letter(index)].width = max(6, min(16, 2 * len(heading)))
    page.append([_cell(page, sheet.title, bold=True)])
    page.append([_cell(page, heading, bold=True) for heading in sheet.headings])
    for row in sheet.rows:
        page.append([_cell(page, cell) for cell in row])
    for row in sheet.sums:
        page.append([_cell(page, cell, bold=True) for cell in row])


def _cell(page: Any, value: Cell, *, bold: bool = False) -> Any:
    """A cell of text stays text, whatever it begins with."""
    cell = WriteOnlyCell(page, value if isinstance(value, int) else None)
    if isinstance(value, str) and value:
        cell.value = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
        cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
    return cell


def _tab_names(sheets: Sequence[Sheet]) -> Iterator[str]:
    """Yield a name for each tab that spreadsheets accept, and that no other tab has."""
    taken: set[str] = set()
    for number, sheet in enumerate(sheets, 1):
        name = sheet.name.translate(_FORBIDDEN)[:_NAME_LIMIT] or str(number)
        if name.casefold() in taken:
            mark = f" {number}"
            name = name[: _NAME_LIMIT - len(mark)] + mark
        taken.add(name.casefold())
        yield name


def _without_times(archive: bytes) -> bytes:
    """Drop when the file was written, which `save` notes in the members and in the properties."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(archive)) as made,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as kept,
    ):
        for member in made.infolist():
            content = _MODIFIED.sub(b"", made.read(member))
            named = zipfile.ZipInfo(member.filename, _FIRST_DAY)
            kept.writestr(named, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
