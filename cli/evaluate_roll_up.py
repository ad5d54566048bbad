"""`vaxledger evaluate roll-up`: registers, roll-ups, rates and deadlines by the rules of S."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.answering import AsJson, CasesFile, answered, print_table, read_rules
from cli.case_file import BAD_CASE, print_lines, read_cases
from domain.roll_up.answers import answer
from domain.roll_up.case import parse_case
from domain.roll_up.rules import RollUpRules

_HEADINGS = ("率\nrates", "其他\nother answers")
_VERDICTS = {True: "√ 达标 met", False: "╳ 未达标 missed", None: "-"}


def roll_up(
    file: CasesFile,
    *,
    as_json: AsJson = False,
    rules: Annotated[
        Path | None,
        typer.Option(help="使用自备的规则文件。Your own rule file, else Kaifeng 2018."),
    ] = None,
) -> None:
    """查验登记与汇总：计算文件中的每个用例。Answer every case of a file.

    The members of a case's `expected`, if it has any, name the answers that are printed; of their
    values only the name of the totalled unit is read. Exit code 1 when a case could not be
    judged, 2 when a file could not be read.
    """
    edition = read_rules(rules, RollUpRules.load, RollUpRules.read)
    results = answered(read_cases(file), lambda case: answer(parse_case(case, edition), edition))
    if as_json:
        failed = print_lines(results)
    else:
        failed = print_table(
            results, [edition.edition], _HEADINGS, lambda actual: _row(actual, edition)
        )
    if failed:
        raise typer.Exit(BAD_CASE)


def _row(actual: dict[str, Any], rules: RollUpRules) -> Iterator[str]:
    rates = (_rate(rules, *item) for item in actual.get("rates", {}).items())
    yield escape("\n".join(rates))
    others = {name: value for name, value in actual.items() if name != "rates"}
    yield escape("\n".join(f"{name}: {_text(value)}" for name, value in others.items()))


def _rate(rules: RollUpRules, name: str, found: dict[str, Any]) -> str:
    rate = rules.rates[name]
    percent = "-" if found["percent"] is None else f"{found['percent']} %"
    fraction = f"{found['num']}/{found['den']} = {percent}"
    return f"{rate.rule} {rate.title.zh}\n{fraction} {_VERDICTS[found['meets_target']]}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
