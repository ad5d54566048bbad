"""`vaxledger doctor`: every trap that this installation stands in, each with what to do."""

import json
from contextlib import suppress
from dataclasses import asdict

import typer
from rich.console import Console
from rich.markup import escape

from bootstrap.addresses import Addresses, NotServingError
from bootstrap.diagnosis.examination import examine
from bootstrap.settings import Settings
from cli.trusting import JsonOption

FOUND = 1


def doctor(*, as_json: JsonOption = False) -> None:
    """体检：列出每个隐患及处理办法。Look for every known trap; say how each is mended.

    Exit code 1 when there is one. `refused` are those with which VAXLEDGER_PRODUCTION does not
    start.
    """
    settings = joined = Settings.load()
    if settings.database_url is None:
        # Where nothing runs, what can be seen without servers is still worth saying.
        with suppress(NotServingError):
            joined = Addresses.load(settings.data_dir).settings(settings)
    traps = examine(settings, joined)
    if as_json:
        listed = [asdict(trap) for trap in traps]
        typer.echo(json.dumps({"sound": not traps, "traps": listed}, ensure_ascii=False))
    else:
        console = Console()
        for trap in traps:
            mark = "[red]✗[/red]" if trap.is_refused else "[yellow]![/yellow]"
            console.print(
                f"{mark} [bold]{escape(trap.title)}[/bold]", highlight=False, soft_wrap=True
            )
            fix = "".join(dict.fromkeys((trap.fix_zh, trap.fix_en)))  # SQL is the same in both
            console.print(f"  {trap.zh}{trap.en}", markup=False, highlight=False, soft_wrap=True)
            console.print(f"  → {fix}", markup=False, highlight=False, soft_wrap=True)
        if not traps:
            console.print("[bold green]没有发现隐患。No trap was found.[/bold green]")
    if traps:
        raise typer.Exit(FOUND)
