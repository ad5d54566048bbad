"""A table that somebody else's program wrote: its headings, its rows, and what is wrong with them.

What cannot be taken of one row is told with that row, so that the others may go on.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.errors import DomainError


class SheetRefused(DomainError):
    """This is not a table that can be read."""

    code = "sheet-unreadable"
    zh = "无法读取该表格文件。"


class SheetTooLarge(SheetRefused):
    """This table is larger than what is taken at once."""

    code = "sheet-too-large"
    zh = "该表格超过允许的大小。"


class HeadingsRefused(SheetRefused):
    """The first row must name each column once."""

    code = "headings-refused"
    zh = "首行须为列名，且不得重复。"


class FormulaInCell(DomainError):
    """This cell holds a formula; only values are taken."""

    code = "formula-in-cell"
    zh = "单元格含公式，只接受数值或文本。"


class ErrorInCell(DomainError):
    """This cell holds an error of the spreadsheet program."""

    code = "error-in-cell"
    zh = "单元格为错误值。"


class DigitsLost(DomainError):
    """This number is longer than a spreadsheet keeps: make the column text and fill it anew."""

    code = "digits-lost"
    zh = "该数字超过表格软件的15位精度，尾数已丢失：请将该列设为文本格式后重新填写。"


class CellBeyondHeadings(DomainError):
    """This row has a cell in a column without a name."""

    code = "cell-beyond-headings"
    zh = "该行有单元格位于没有列名的列。"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken of one table.

    Attributes:
        rows: Rows below the headings.
        columns: Columns.
        row_bytes: Bytes of one row of CSV.
        workbook_bytes: Bytes of a workbook as unpacked.
        workbook_tags: Tags of a workbook, each of which may take 2 us and 300 bytes to read, and a
            thirtieth that are not of cells; None for any number.
    """

    rows: int = 2_000_000
    columns: int = 200
    row_bytes: int = 65_536
    workbook_bytes: int = 1 << 30
    workbook_tags: int | None = None


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row below the headings.

    Attributes:
        number: As a spreadsheet counts: the headings are row 1.
        cells: Text by heading, without outer spaces; empty cells are left out. Dates are
            ``YYYY-MM-DD``, times ``YYYY-MM-DDTHH:MM:SS``.
        faults: What cannot be taken of it, each with the fact ``column``.
    """

    number: int
    cells: Mapping[str, str]
    faults: Sequence[DomainError] = field(default=())


class Sheet(Protocol):
    """A table that is being read."""

    @property
    def headings(self) -> Sequence[str]:
        """Names of the columns, in their order."""

    def rows(self) -> Iterator[SheetRow]:
        """Yield the rows that are not empty.

        Raises:
            SheetRefused: The file cannot be read further.
        """


def name_columns(cells: Sequence[str], limits: Limits) -> tuple[str, ...]:
    """Return the headings of a table, in compatibility form and without spaces within.

    Raises:
        SheetTooLarge: There are too many.
        HeadingsRefused: One has no name, or two have the same.
    """
    names = ["".join(unicodedata.normalize("NFKC", cell).split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if len(names) > limits.columns:
        raise SheetTooLarge(limit=limits.columns, what="columns")
    if not names or "" in names or len(set(names)) < len(names):
        raise HeadingsRefused(columns=len(names))
    return tuple(names)


def fill_row(
    number: int, headings: Sequence[str], cells: Sequence[str], faults: Sequence[DomainError] = ()
) -> SheetRow:
    """Return a row with its cells by heading."""
    texts = [cell.strip() for cell in cells]
    if any(texts[len(headings) :]):
        faults = [*faults, CellBeyondHeadings(column=len(headings) + 1)]
    named = {name: text for name, text in zip(headings, texts, strict=False) if text}
    return SheetRow(number, named, tuple(faults))
