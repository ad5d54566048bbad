"""What every `vaxledger evaluate` has in common: its parameters, its results, its table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.case_file import case_id, give_up
from domain.errors import DomainError
from domain.schedules.edition import Edition
from domain.schedules.json_document import Node, parse_document

CasesFile = Annotated[
    Path, typer.Argument(help='用例文件：{"cases": [...]}。A file of cases.', metavar="FILE")
]
AsJson = Annotated[bool, typer.Option("--json", help="每行输出一个 JSON。One JSON object a line.")]

Result = dict[str, Any]
"""``{"id", "actual"}`` or ``{"id", "error"}``."""

_T = TypeVar("_T")


def read_rules(path: Path | None, load: Callable[[], _T], read: Callable[[Node], _T]) -> _T:
    """Read a rule file, or load the one shipped; give up when it does not hold together."""
    try:
        return load() if path is None else read(parse_document(path.read_bytes()))
    except (DomainError, OSError) as error:
        give_up("规则 rules", path, error)


def answered(cases: list[Node], answer: Callable[[Node], Any]) -> Iterator[Result]:
    """Answer case after case; each gets an answer or an error, never both."""
    for case in cases:
        name: str | None = None
        try:
            name = case_id(case)
            actual = answer(case)
        except DomainError as error:
            yield {"id": name, "error": error.describe()}
        else:
            yield {"id": name, "actual": actual}


def print_table(
    results: Iterator[Result],
    editions: Sequence[Edition],
    headings: Sequence[str],
    row: Callable[[Any], Iterable[str]],
) -> bool:
    """Print a table for people, and below it the cases that could not be judged; tell of those.

    Args:
        results: The results.
        editions: The rules that answered.
        headings: Of the columns after the first, which names the case.
        row: Makes the cells of those columns from an answer; they may use markup.
    """
    table = Table(
        title="\n".join(f"{of.title.zh}\n{of.title.en}" for of in editions),
        caption="、".join(f"{of.id} v{of.version}" for of in editions),
    )
    for heading in ("用例\nid", *headings):
        table.add_column(heading, overflow="fold")
    faults = []
    for result in results:
        if "error" in result:
            faults.append(result)
        else:
            table.add_row(escape(result["id"]), *row(result["actual"]))
    console = Console()
    console.print(table)
    for fault in faults:
        error = fault["error"]
        place = error.get("pointer", "")
        text = f"{fault['id'] or place}: {error['zh']}{error['en']} {place}"
        console.print(escape(text), style="red", soft_wrap=True)
    return bool(faults)
