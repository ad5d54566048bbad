"""`vaxledger evaluate certificate`: claims, grants, contents and visits by the rules of C."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.answering import AsJson, CasesFile, answered, print_table, read_rules
from cli.case_file import BAD_CASE, print_lines, read_cases
from domain.certificate_rules.answer import Answer
from domain.certificate_rules.case import answer_case, asked
from domain.certificate_rules.rules import CertificateRules

_HEADINGS = ("事项\nrule", "结论\nanswer", "说明\nwhy")


def certificate(
    file: CasesFile,
    *,
    as_json: AsJson = False,
    rules: Annotated[
        Path | None,
        typer.Option(help="使用自备的规则文件。Your own rule file, else Nantong 2024."),
    ] = None,
) -> None:
    """电子预防接种证：判定文件中的每个用例。Answer every case of a file.

    The members of a case's `expected`, if it has any, name the answers that are printed; their
    values are not looked at. Exit code 1 when a case could not be judged, 2 when a file could not
    be read.
    """
    scheme = read_rules(rules, CertificateRules.load, CertificateRules.read)
    cases = read_cases(file)
    if as_json:
        failed = print_lines(
            answered(cases, lambda case: answer_case(case, scheme).chosen(asked(case)))
        )
    else:
        told = answered(cases, lambda case: (answer_case(case, scheme), case.value["rule"]))
        failed = print_table(told, [scheme.edition], _HEADINGS, lambda found: _row(*found))
    if failed:
        raise typer.Exit(BAD_CASE)


def _row(answer: Answer, rule: str) -> Iterator[str]:
    said = answer.chosen(None).items()
    yield rule
    yield escape("\n".join(f"{name}: {_text(value)}" for name, value in said if value is not None))
    yield escape(
        "\n".join(
            f"{finding.rule} {finding.sentence.zh}\n{finding.sentence.en}"
            for finding in answer.findings
        )
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
