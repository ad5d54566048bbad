"""`vaxledger evaluate`: ask the rules a question without writing anything, and without a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import evaluate_appointment, evaluate_certificate, evaluate_roll_up, evaluate_schedule
from cli.answering import AsJson, CasesFile, answered, print_table, read_rules
from cli.case_file import BAD_CASE, print_lines, read_cases
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.json_document import Node
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import answer, parse_case

app = typer.Typer(
    name="evaluate",
    help="按规则判定，不写入任何数据。Ask the rules; nothing is written.",
    no_args_is_help=True,
)
app.command("appointment")(evaluate_appointment.appointment)
app.command("certificate")(evaluate_certificate.certificate)
app.command("roll-up")(evaluate_roll_up.roll_up)
app.command("schedule")(evaluate_schedule.schedule)

_NOTHING = "-"
_HEADINGS = (
    "周岁\nage",
    "全程接种\ncomplete",
    "应补种\nmissing",
    "因禁忌不补种\nexempt",
    "证明模板\ntemplate",
    "补证\nreissue",
)
_TEMPLATES = {1: "1", 2: "2", "2+contraindication_note": "2+禁忌", None: _NOTHING}
_COMPLETE = {True: "√", False: "╳", None: "无法判定 n/a"}


@app.command("school-entry")
def school_entry(
    file: CasesFile,
    *,
    as_json: AsJson = False,
    rules: Annotated[
        Path | None,
        typer.Option(help="使用自备的规则文件。Your own rule file, else Kaifeng 2018."),
    ] = None,
    switch: Annotated[
        list[str] | None,
        typer.Option(help="判定口径，如 je_i_doses=national。A reading, NAME=OPTION."),
    ] = None,
) -> None:
    """入托、入学查验：判定文件中的每个用例。Judge every case of a file.

    Exit code 1 when a case could not be judged, 2 when a file could not be read.
    """
    requirements = _requirements(rules, switch or [])

    def judge(case: Node) -> dict[str, Any]:
        parsed = parse_case(case.value, requirements, pointer=case.pointer, annotated=True)
        return answer(evaluate(requirements, parsed))

    results = answered(read_cases(file), judge)
    if as_json:
        failed = print_lines(results)
    else:
        failed = print_table(
            results, [requirements.edition], _HEADINGS, lambda actual: _row(actual, requirements)
        )
    if failed:
        raise typer.Exit(BAD_CASE)


def _requirements(path: Path | None, switches: list[str]) -> EntryRequirements:
    options = {name: option for name, _, option in (text.partition("=") for text in switches)}
    return read_rules(
        path,
        lambda: EntryRequirements.load(**options),
        lambda document: EntryRequirements.read(document, options),
    )


def _row(actual: dict[str, Any], requirements: EntryRequirements) -> Iterator[str]:
    yield str(actual["age_years"])
    yield _COMPLETE[actual["complete"]]
    for key in ("missing", "exempt"):
        yield "\n".join(_gap(gap, requirements) for gap in actual[key]) or _NOTHING
    yield _TEMPLATES[actual["annex2_template"]]
    yield "是 yes" if actual["reissue_certificate"] else _NOTHING


def _gap(gap: dict[str, Any], requirements: EntryRequirements) -> str:
    numbers = "、".join(map(str, gap["dose_numbers"]))
    return f"{requirements.groups[gap['vaccine_group']].name.zh} {numbers}"
