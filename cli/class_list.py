"""`vaxledger class-list`: a school's own table, reviewed row by row and then enrolled whole."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.calling import Called, calling
from cli.key import (
    OrganisationOption,
    PassphraseOption,
    both_languages,
    one_line,
    passphrase_of,
)
from cli.trusting import JsonOption
from cli.verify import REFUTED, UNREADABLE
from client.bulk import MAX_LINES
from client.class_list import TAKEN, TEXTS, digest, enrolment, reviewed
from client.class_rows import ClassList, Pupil, Terms, Verdict
from client.http import Client
from client.signing import AuthorKey
from domain.calendar import civil_day
from domain.vocabulary import EntryType


@calling
def class_list(  # noqa: PLR0913  each is an option of the command line
    path: Annotated[Path, typer.Argument(help="CSV 或 XLSX 文件。The list.", metavar="FILE")],
    *,
    school_year: Annotated[int, typer.Option(help="学年开始的年份。Year in which it starts.")],
    entry_type: Annotated[EntryType, typer.Option(help="入托或入学。What the children enter.")],
    joined_on: Annotated[
        str, typer.Option(help="未填入学日期的儿童的入学日期。First day, where a row has none.")
    ] = "",
    key_file: Annotated[Path, typer.Option("--key", help="本机构密钥文件。The school's key file.")],
    organisation: OrganisationOption,
    division: Annotated[str, typer.Option(help="本机构区划代码。The school's division.")],
    apply: Annotated[
        str, typer.Option(help="登记经审核的名单。Enrol this reviewed list.", metavar="DIGEST")
    ] = "",
    log: Called,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """导入班级名单：先逐行核对档案，后整表登记。Match a class list to records, then enrol it.

    Without --apply nothing is written: FILE.review.ndjson gets a verdict for each row. With --apply
    DIGEST the same list is enrolled, if every row has its record; else nothing is. Run again after
    an interruption: who is enrolled already is left alone. Exit code 1 when rows have no record.
    """
    with one_line(), both_languages(), _days():
        key = AuthorKey.load(organisation, key_file, passphrase_of(passphrase_file))
        first = date.fromisoformat(joined_on) if joined_on else civil_day(datetime.now(UTC))
        terms = Terms(organisation, division, school_year, entry_type.value, first)
        with log.client(key) as client:
            with path.open("rb") as file:
                pupils = reviewed(client, terms, list(ClassList(terms).read(file)))
            name = digest(pupils)
            undecided = _write_review(path, pupils)
            refused = 0
            if apply and not undecided:
                if apply != name:
                    typer.echo(
                        "vaxledger: 名单或核对结果已变，请重新审核。"
                        "The list or its review is another by now; review it.",
                        err=True,
                    )
                    raise typer.Exit(REFUTED)  # fmt: skip
                refused = _enrol(client, terms, pupils)
    _tell(path, pupils, name, as_json=as_json)
    if undecided or refused:
        raise typer.Exit(REFUTED)


def _write_review(path: Path, pupils: Sequence[Pupil]) -> int:
    """Write a line a row; return how many rows have no record."""
    review = path.with_name(f"{path.name}.review.ndjson")
    with review.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(one.told(), ensure_ascii=False) + "\n" for one in pupils)
    return sum(one.verdict not in TAKEN for one in pupils)


def _enrol(client: Client, terms: Terms, pupils: Sequence[Pupil]) -> int:
    """Enrol who is not yet; return how many the server refused."""
    drafts = [enrolment(terms, one) for one in pupils if one.verdict is not Verdict.ENROLLED]
    verdicts = [
        verdict
        for start in range(0, len(drafts), MAX_LINES)
        for verdict in client.submit_batch(drafts[start : start + MAX_LINES])
    ]
    refused = [verdict.problem for verdict in verdicts if verdict.problem is not None]
    for problem in refused:
        typer.echo(f"vaxledger: {problem}", err=True)
    return len(refused)


def _tell(path: Path, pupils: Sequence[Pupil], name: str, *, as_json: bool) -> None:
    counts = Counter(one.verdict for one in pupils)
    review = path.with_name(f"{path.name}.review.ndjson")
    if as_json:
        rows = {verdict.value: count for verdict, count in counts.items()}
        typer.echo(json.dumps({"digest": name, "review": str(review), "rows": rows}))
        return
    for verdict, text in TEXTS.items():
        typer.echo(f"{counts[verdict]:>8,}  {text}")
    typer.echo(f"核对结果 review: {review}\n登记 to enrol: --apply {name}")


@contextmanager
def _days() -> Iterator[None]:
    """Say in one line which day there is not."""
    try:
        yield
    except ValueError as wrong:
        typer.echo(f"vaxledger: 日期无效。No such day: {wrong}", err=True)
        raise typer.Exit(UNREADABLE) from None
