"""Rows of a table, read along while the log passes by."""

from collections.abc import Iterator
from typing import Any


class Beside:
    """Rows in the order of a position, their first column.

    Args:
        rows: The rows.
    """

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def up_to(self, position: int) -> Iterator[Any]:
        """Yield the rows that were not yielded yet, as far as a position."""
        while self._next is not None and self._next[0] <= position:
            row, self._next = self._next, next(self._rows, None)
            yield row

    def rest(self) -> Iterator[Any]:
        """Yield the rows behind the end of the log."""
        while self._next is not None:
            row, self._next = self._next, next(self._rows, None)
            yield row
