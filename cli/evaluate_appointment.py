"""`vaxledger evaluate appointment`: ask the booking rules, without writing and without a server."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.case_file import BAD_CASE, case_id, give_up, print_lines, read_cases
from domain.booking.question import Answer, answer
from domain.booking.rules import BookingRules
from domain.errors import DomainError
from domain.schedules.json_document import MissingMember, Node, parse_document

_HEADINGS = ("用例\nid", "结论\nanswer", "规则\nrule", "说明\nreason")
_WORDS: dict[Any, str] = {
    "accept": "可预约 accept",
    "accept_with_warning": "可预约，有提醒 accept with a warning",
    "reject": "不可预约 reject",
    True: "√",
    False: "╳",
    None: "-",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A case with its answer, or with what is wrong with it; id is None where it has none."""

    id: str | None
    found: Answer | DomainError

    def line(self) -> dict[str, Any]:
        """Return the JSON object of its line."""
        if isinstance(self.found, DomainError):
            return {"id": self.id, "error": self.found.describe()}
        return {"id": self.id, "actual": dict(self.found.actual)}


def appointment(
    file: Annotated[
        Path, typer.Argument(help='用例文件：{"cases": [...]}。A file of cases.', metavar="FILE")
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="每行输出一个 JSON。One JSON object a line.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(help="使用自备的规则文件。Your own rule file, else Yongzhou 2021."),
    ] = None,
) -> None:
    """预约接种：判定文件中的每个用例。Judge every booking case of a file.

    Exit code 1 when a case could not be judged, 2 when a file could not be read.
    """
    booking_rules = _rules(rules)
    answers = _answers(booking_rules, read_cases(file))
    if as_json:
        failed = print_lines(answered.line() for answered in answers)
    else:
        failed = _print_table(booking_rules, list(answers))
    if failed:
        raise typer.Exit(BAD_CASE)


def _rules(path: Path | None) -> BookingRules:
    try:
        if path is None:
            return BookingRules.load()
        return BookingRules.read(parse_document(path.read_bytes()))
    except (DomainError, OSError) as error:
        give_up("规则 rules", path, error)


def _answers(rules: BookingRules, cases: list[Node]) -> Iterator[Answered]:
    for case in cases:
        name: str | None = None
        try:
            name = case_id(case)
            members = case.entries()
            if "input" not in members:
                raise MissingMember(member="input").at(case.pointer)
            found = answer(rules, members["input"])
        except DomainError as error:
            yield Answered(name, error)
        else:
            yield Answered(name, found)


def _print_table(rules: BookingRules, answers: list[Answered]) -> bool:
    """Print a table for people, and below it the cases that could not be judged; tell of those."""
    edition = rules.edition
    table = Table(
        title=f"{edition.title.zh}\n{edition.title.en}",
        caption=f"{edition.id} v{edition.version}",
    )
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    faults = []
    for answered in answers:
        if isinstance(answered.found, DomainError):
            faults.append(answered.line())
        else:
            table.add_row(escape(answered.id or ""), *_row(answered.found))
    console = Console()
    console.print(table)
    for fault in faults:
        told = fault["error"]
        place = told.get("pointer", "")
        text = f"{fault['id'] or place}: {told['zh']}{told['en']} {place}"
        console.print(escape(text), style="red", soft_wrap=True)
    return bool(faults)


def _row(found: Answer) -> Iterator[str]:
    yield "\n".join(
        f"{name}: {_WORDS.get(value, value)}"
        for name, value in found.actual.items()
        if name != "reason"
    )
    yield "\n".join(finding.rule for finding in found.findings)
    yield "\n".join(f"{f.sentence.zh}\n{f.sentence.en}" for f in found.findings)
