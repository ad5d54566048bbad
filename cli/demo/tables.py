"""Wide tables, folded into as many blocks as the terminal needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_BORDER = 1
_NARROWEST = 6
_FIRST_COLUMN = 10

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Wide:
    """A wide table.

    Attributes:
        title: Above the first block.
        headings: For each column what stands in it, in each language.
        rows: Cells, as many in each row as there are headings.
        sums: Rows under a line below them.
        repeated: How many first columns each block begins with.
    """

    title: str
    headings: Sequence[Row]
    rows: Sequence[Row]
    sums: Sequence[Row]
    repeated: int


def print_wide(console: Console, wide: Wide) -> None:
    """Print a table in as many blocks as the console's width makes necessary."""
    headings = wide.headings
    folded = [[_fold(row[0], _FIRST_COLUMN), *row[1:]] for row in (*wide.rows, *wide.sums)]
    widths = [
        max(_NARROWEST, *(_width(row[column]) for row in folded)) for column in range(len(headings))
    ]
    for number, columns in enumerate(_blocks(widths, console.width, wide.repeated)):
        table = Table(
            title=wide.title if number == 0 else None,
            title_justify="left",
            box=box.SQUARE,
            padding=0,
        )
        for column in columns:
            lines = (_fold(text, widths[column]) for text in headings[column])
            table.add_column(escape("\n".join(lines)), no_wrap=True, min_width=widths[column])
        for place, row in enumerate(folded, 1):
            cells = (escape(row[column]) for column in columns)
            table.add_row(*cells, end_section=place == len(wide.rows))
        console.print(table)


def _blocks(widths: Sequence[int], limit: int, repeated: int) -> Iterator[list[int]]:
    first = list(range(repeated))
    block = list(first)
    for column in range(len(first), len(widths)):
        used = sum(widths[one] + _BORDER for one in (*block, column)) + _BORDER
        if used > limit and len(block) > len(first):
            yield block
            block = list(first)
        block.append(column)
    yield block


def _fold(text: str, width: int) -> str:
    """Break text into lines of a width: between words where there are any, else anywhere."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, width)
    return "\n".join(lines)


def _width(text: str) -> int:
    return max((cell_len(line) for line in text.split("\n")), default=0)
