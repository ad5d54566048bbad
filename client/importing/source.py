"""The rows of a file to import, whatever its form: NDJSON, CSV or XLSX."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from client.importing.columns import ColumnMapping
from client.sheet import Limits, SheetRefused, SheetTooLarge
from client.sheets import open_sheet
from domain.errors import DomainError

_BRACE = b"{"
_MARK = b"\xef\xbb\xbf"
_SNIFF = 512


class NotARow(DomainError):
    """This line is not a JSON object of texts and whole numbers."""

    code = "not-a-row"
    zh = "该行不是由文本和整数组成的JSON对象。"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row by the names of ``columns.FIELDS``.

    Attributes:
        number: Line of NDJSON from 1, or row as a spreadsheet counts.
        values: Text by field; what is empty is left out.
        faults: What is wrong with its cells.
    """

    number: int
    values: Mapping[str, str]
    faults: Sequence[DomainError] = ()


def read_rows(file: BinaryIO, mapping: ColumnMapping) -> Iterator[SourceRow]:
    """Yield the rows of a file, one at a time.

    Args:
        file: Seekable, open as long as rows are read.
        mapping: What its columns mean.

    Raises:
        SheetRefused: The file, its headings or the mapping do not do.
    """
    start = file.read(_SNIFF).removeprefix(_MARK).lstrip()
    file.seek(0)
    rows = _lines(file, mapping) if start.startswith(_BRACE) else _cells(file, mapping)
    for row in rows:
        yield SourceRow(row.number, {**mapping.constants, **row.values}, row.faults)


def _cells(file: BinaryIO, mapping: ColumnMapping) -> Iterator[SourceRow]:
    sheet = open_sheet(file)
    fields = mapping.fields_of(sheet.headings)
    for row in sheet.rows():
        values = {fields[name]: text for name, text in row.cells.items() if name in fields}
        yield SourceRow(row.number, values, row.faults)


def _lines(file: BinaryIO, mapping: ColumnMapping) -> Iterator[SourceRow]:
    limits, number = Limits(), 0
    while raw := file.readline(limits.row_bytes + 1):
        number += 1
        if len(raw) > limits.row_bytes:
            raise SheetTooLarge(limit=limits.row_bytes, what="row-bytes")
        if number > limits.rows:
            raise SheetTooLarge(limit=limits.rows, what="rows")
        raw = raw.removeprefix(_MARK) if number == 1 else raw
        if raw.strip():
            yield _line(number, raw, mapping)


def _line(number: int, raw: bytes, mapping: ColumnMapping) -> SourceRow:
    try:
        stated: Any = json.loads(raw)
    except UnicodeDecodeError:
        raise SheetRefused(reason="encoding") from None
    except (ValueError, RecursionError):
        return SourceRow(number, {}, [NotARow()])
    if not isinstance(stated, dict):
        return SourceRow(number, {}, [NotARow()])
    values, faults = {}, []
    for heading, value in stated.items():
        name = mapping.field_of(heading)
        if not name or value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int) or name in values:
            faults.append(NotARow(column=name))
        elif text := str(value).strip():
            values[name] = text
    return SourceRow(number, values, faults)
