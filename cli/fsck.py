"""`vaxledger fsck`: everything that this installation stores, looked at."""

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.markup import escape

from bootstrap.errors import BootstrapError
from bootstrap.fsck import Inspected, inspect, inspect_and_mend
from bootstrap.wiring import wire
from cli.joining import joined_settings
from cli.progress import progress_bar, progress_lines
from cli.trusting import JsonOption
from cli.verify import give_up
from ledger.errors import LedgerError
from ledger.store.finding import Finding

DAMAGED = 1


def fsck(
    *,
    full: Annotated[
        bool, typer.Option(help="逐条核对 NATS 消息。Compare every message of the feed.")
    ] = False,
    mend_claims: Annotated[
        bool,
        typer.Option(
            help="补上旧版本未登记的学校档案占用。"
            "Take the claims of school papers that an earlier release wrote without them."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """检查存储：数据库、瓦片、检查点、密封值、占用、读模型、NATS。Check what is stored.

    Changes nothing without --mend-claims; the installation may run. Exit code 1 when something is
    wrong: the first of each kind is named; 2 when something could not be read. Signatures are
    `verify`'s matter.
    """
    counts: Counter[str] = Counter()
    firsts: dict[str, Finding] = {}

    def tell(finding: Finding) -> None:
        counts[finding.kind] += 1
        firsts.setdefault(finding.kind, finding)

    look = inspect_and_mend if mend_claims else inspect
    bar = progress_lines() if as_json else progress_bar("检查 checking", quiet=False)
    try:
        with wire(joined_settings()) as parts, bar as show:
            found = look(parts, tell, show, full=full)
    except (LedgerError, BootstrapError, OSError, psycopg.Error) as error:
        give_up("fsck", error, as_json=as_json)
    _report(found, firsts, counts, as_json=as_json)
    if firsts:
        raise typer.Exit(DAMAGED)


def _report(
    found: Inspected, firsts: dict[str, Finding], counts: Counter[str], *, as_json: bool
) -> None:
    if as_json:
        findings = [{**asdict(one), "count": counts[kind]} for kind, one in firsts.items()]
        report = {"sound": not firsts, **asdict(found), "findings": findings}
        typer.echo(json.dumps(report, ensure_ascii=False, default=str))
        return
    console = Console()
    for name, value in asdict(found).items():
        console.print(f"{name:>16}  {escape(str(value))}", highlight=False)
    for kind, one in firsts.items():
        where = "" if one.position is None else f" 位置 position {one.position}"
        facts = escape(", ".join(f"{name}={value}" for name, value in one.facts.items()))
        console.print(f"[red]✗ {kind}[/red]{where} (×{counts[kind]}) {facts}", highlight=False)
    if not firsts:
        console.print("[bold green]存储完好。What is stored is sound.[/bold green]")
