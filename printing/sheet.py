"""A table of text and whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        name: Of its tab.
        title: Above the headings.
        headings: One a column.
        rows: As many cells in each.
        sums: Rows below them, in bold.
    """

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    sums: Sequence[Sequence[Cell]] = ()
