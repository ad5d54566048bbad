"""`vaxledger import`: the history of another system, reviewed and then written."""

import gc
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.calling import Called, calling
from cli.key import (
    OrganisationOption,
    PassphraseOption,
    both_languages,
    one_line,
    passphrase_of,
)
from cli.progress import progress_bar
from cli.trusting import JsonOption
from cli.verify import REFUTED
from client.exchange import OF_A_LONG_RUN
from client.http import Client
from client.identifiers import new_id
from client.importing.applying import Applying
from client.importing.columns import ColumnMapping
from client.importing.drafting import Clinic, Drafting
from client.importing.memory import ImportMemory
from client.importing.outcomes import Outcome, OutcomeFile
from client.importing.planning import Planner, Terms
from client.importing.source import read_rows
from client.importing.verdicts import (
    TEXTS,
    Judged,
    ReviewError,
    Verdict,
    file_digest,
    read_review,
    rows_of_review,
    write_review,
)
from client.signing import AuthorKey
from domain.calendar import civil_day
from domain.schedules.catalogue import Catalogue
from domain.vocabulary import SourceSystem

_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.WRITTEN: "已写入 written",
    Outcome.PROPOSED: "已提更正申请 correction proposed",
    Outcome.SAME: TEXTS[Verdict.SAME],
    Outcome.CONFLICT: TEXTS[Verdict.CONFLICT],
    Outcome.REFUSED: TEXTS[Verdict.REFUSED],
}


@dataclass(frozen=True, slots=True)
class _Job:
    """One file on its way.

    Attributes:
        path: The file.
        mapping: What its columns mean.
        terms: Under which its rows are taken.
        about: What was reviewed, and how; the first line of the review.
    """

    path: Path
    mapping: ColumnMapping
    terms: Terms
    about: Mapping[str, Any]

    @property
    def review(self) -> Path:
        """Where the verdicts are."""
        return self.path.with_name(f"{self.path.name}.review.ndjson")

    @property
    def outcomes(self) -> Path:
        """Where it says what became of each row."""
        return self.path.with_name(f"{self.path.name}.outcome.ndjson")


@calling
def import_(  # noqa: PLR0913  each is an option of the command line
    path: Annotated[
        Path, typer.Argument(help="NDJSON、CSV 或 XLSX 文件。The file.", metavar="FILE")
    ],
    *,
    system: Annotated[
        str, typer.Option(help="来源系统名称，每次相同。The source system, always by one name.")
    ],
    source: Annotated[
        SourceSystem, typer.Option(help="剂次来源。What the doses come from.")
    ] = SourceSystem.PROGRAMME,
    key_file: Annotated[Path, typer.Option("--key", help="本机构密钥文件。The clinic's key file.")],
    organisation: OrganisationOption,
    division: Annotated[str, typer.Option(help="本机构区划代码。The clinic's division.")],
    transcriber: Annotated[
        str, typer.Option(help="负责本次导入的人员姓名。Name of who answers for it.")
    ],
    memory: Annotated[
        Path, typer.Option(help="状态文件，须长期保存。What is remembered; keep it.")
    ] = Path("vaxledger-import.sqlite"),
    mapping: Annotated[
        Path | None,
        typer.Option(help="字段对照文件。What the columns mean.", metavar="FILE"),
    ] = None,
    apply: Annotated[
        str,
        typer.Option(help="写入经审核的结果。Write this review.", metavar="DIGEST"),
    ] = "",
    log: Called,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """导入其他系统的历史记录：先审核，后写入。Review a file of another system, then write it.

    Without --apply nothing is written: FILE.review.ndjson gets a verdict for each row, and its
    digest is printed. With --apply DIGEST exactly what was reviewed is written, signed by the
    clinic; FILE.outcome.ndjson says what became of each row. After an interruption run the same
    command again. Exit code 1 when rows were refused or are in conflict.
    """
    with one_line(), both_languages():
        key = AuthorKey.load(organisation, key_file, passphrase_of(passphrase_file))
        caller = log.caller(key)
        job = _job(path, mapping, system, source)
        with ImportMemory.open(memory, caller.trust.origin, system, key) as remembered:
            planner = Planner(remembered, job.terms)
            if not apply:
                counts = _review(job, remembered, planner, as_json=as_json)
            else:
                drafting = Drafting(remembered, Clinic(key, division, transcriber))
                with Client(caller) as client:
                    client.request("GET", "/livez")  # a wrong address is told at once
                    caller.patience = OF_A_LONG_RUN
                    applying = Applying(client, remembered, planner, drafting, new_id)
                    counts = _apply(job, remembered, applying, apply, as_json=as_json)
    if any(counts[name] for name in ("conflict", "refused")):
        raise typer.Exit(REFUTED)


def _job(path: Path, mapping: Path | None, system: str, source: SourceSystem) -> _Job:
    columns = ColumnMapping.load(mapping)
    today = civil_day(datetime.now(UTC))
    terms = Terms(Catalogue.load(), source, columns.row, today, new_id)
    about = {
        "file": file_digest(path),
        "system": system,
        "source_system": source.value,
        "mapping": asdict(columns) | {"row": list(columns.row)},
    }
    return _Job(path, columns, terms, about)


def _review(job: _Job, memory: ImportMemory, planner: Planner, *, as_json: bool) -> Counter[str]:
    """Judge every row, and keep nothing but the review."""
    with (
        job.path.open("rb") as file,
        memory.step(keep=False),
        progress_bar("审核 reviewing", quiet=as_json) as show,
    ):

        def judged() -> Iterator[Judged]:
            for count, row in enumerate(read_rows(file, job.mapping), 1):
                show(count, count)
                yield planner.plan(row).judged

        digest, counts = write_review(job.review, job.about, judged())
    named = Counter({verdict.value: count for verdict, count in counts.items()})
    if as_json:
        typer.echo(json.dumps({"digest": digest, "review": str(job.review), "rows": named}))
        return named
    for verdict, text in TEXTS.items():
        typer.echo(f"{counts[verdict]:>10,}  {text}")
    typer.echo(f"审核文件 review: {job.review}\n写入 to write it: --apply {digest}")
    return named


def _apply(
    job: _Job, memory: ImportMemory, applying: Applying, reviewed: str, *, as_json: bool
) -> Counter[str]:
    """Write what was reviewed."""
    name = _digest(reviewed)
    # No collection walks what start-up made. They stay as frequent as ever: the answers that a
    # chunk leaves behind are few objects and much text, 2.7 MB for each 1,000 entries.
    gc.freeze()
    verdicts = read_review(job.review, reviewed, job.about)
    size = rows_of_review(job.review)
    with (
        job.path.open("rb") as file,
        OutcomeFile(job.outcomes, memory.progress(name)[1]) as outcomes,
        progress_bar("写入 writing", quiet=as_json) as show,
    ):
        rows = zip(read_rows(file, job.mapping), verdicts, strict=True)
        applying.run(rows, name, outcomes, lambda done: show(done, size))
    with job.outcomes.open("rb") as lines:
        counts = Counter(str(json.loads(line)["outcome"]) for line in lines)
    if as_json:
        typer.echo(json.dumps({"outcomes": str(job.outcomes), "rows": counts}))
        return counts
    for outcome, text in _OUTCOMES.items():
        typer.echo(f"{counts[outcome.value]:>10,}  {text}")
    typer.echo(f"结果文件 outcomes: {job.outcomes}")
    return counts


def _digest(reviewed: str) -> bytes:
    try:
        return bytes.fromhex(reviewed)
    except ValueError as error:
        raise ReviewError("A digest has 64 hex digits.") from error
