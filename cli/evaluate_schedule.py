"""`vaxledger evaluate schedule`: each dose evaluated, and the next ones forecast."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.answering import AsJson, CasesFile, answered, print_table, read_rules
from cli.case_file import BAD_CASE, print_lines, read_cases
from domain.schedules.immunization import Evaluation
from domain.schedules.immunization_case import answer, parse_question, schedule_of
from domain.schedules.immunization_history import evaluate_history
from domain.schedules.json_document import Node
from domain.schedules.schedule import SHIPPED, Schedule

_HEADINGS = ("程序\nschedule", "各剂次\ndoses", "后续\nforecast")


def schedule(
    file: CasesFile,
    *,
    as_json: AsJson = False,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="使用自备的免疫程序文件。Your own schedule file, else that of the case or its day."
        ),
    ] = None,
) -> None:
    """免疫程序：评价每一剂，预测后续剂次。Evaluate every dose of a file and forecast the next.

    Exit code 1 when a case could not be judged, 2 when a file could not be read.
    """
    own = None if rules is None else read_rules(rules, _newest, Schedule.read)

    def judge(case: Node) -> Evaluation:
        chosen = own or schedule_of(case)
        return evaluate_history(chosen, parse_question(case, chosen, annotated=True))

    cases = read_cases(file)
    if as_json:
        failed = print_lines(answered(cases, lambda case: answer(judge(case))))
    else:
        editions = [own] if own else [Schedule.load(name) for name in SHIPPED]
        failed = print_table(
            answered(cases, judge), [found.edition for found in editions], _HEADINGS, _row
        )
    if failed:
        raise typer.Exit(BAD_CASE)


def _newest() -> Schedule:
    return Schedule.load(SHIPPED[-1])


def _row(evaluation: Any) -> Iterator[str]:
    yield evaluation.schedule_id
    for findings in (
        [result.finding for found in evaluation.doses for result in found.results],
        [finding for found in evaluation.forecasts.values() for finding in found.findings],
    ):
        yield "\n".join(f"{finding.rule} {finding.sentence.zh}" for finding in findings)
