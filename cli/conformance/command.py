"""`vaxledger conformance`: what it is given, and what it prints."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Annotated

import nats.errors
import typer
from rich.console import Console

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.errors import BootstrapError
from cli.conformance.consumer import CommandConsumer
from cli.conformance.playing import Verdict, play
from cli.conformance.scenarios import SCENARIOS
from cli.trusting import JsonOption
from cli.verify import REFUTED, give_up

_SECONDS = 30.0


def conformance(
    command: Annotated[
        list[str],
        typer.Argument(help="消费程序及参数。The consumer's program and arguments; put -- before."),
    ],
    *,
    only: Annotated[
        list[str] | None, typer.Option(help="只做此项，可重复。Only this scenario; repeatable.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1.0, help="每步最长等待秒数。Longest wait for each step.")
    ] = _SECONDS,
    as_json: JsonOption = False,
) -> None:
    """检验消费程序能否应对重复、缺失、伪造与崩溃。Test a consumer against what may go wrong.

    It is run as `COMMAND run ACCESS` and asked by `COMMAND report ACCESS`; docs/integrators.md
    says what it must print. Exit code 1 if it did not cope with everything.
    """
    chosen = [one for one in SCENARIOS if not only or one.name in only]
    if only and len(chosen) < len(set(only)):
        names = ", ".join(one.name for one in SCENARIOS)
        give_up("conformance", ValueError(f"scenarios: {names}"), as_json=as_json)
    told = _print_json if as_json else _print_line
    try:
        with tempfile.TemporaryDirectory(prefix="vaxledger-conformance-") as folder:
            server = EmbeddedNats.start(Path(folder) / "data")
            try:
                verdicts = asyncio.run(
                    play(server, CommandConsumer(command), chosen, seconds, told)
                )
            finally:
                server.stop()
    except (BootstrapError, nats.errors.Error, OSError) as error:
        give_up("conformance", error, as_json=as_json)
    failed = sum(not verdict.coped for verdict in verdicts)
    if not as_json:
        coped = len(verdicts) - failed
        Console().print(f"{coped} 项通过 coped with, {failed} 项未通过 failed", highlight=False)
    if failed:
        raise typer.Exit(REFUTED)


def _print_line(verdict: Verdict) -> None:
    mark = "[green]通过 coped[/green]" if verdict.coped else "[red]未通过 failed[/red]"
    console = Console()
    line = f"{mark}  {verdict.scenario.name:<20}  {verdict.scenario.asks}"
    console.print(line, highlight=False, soft_wrap=True)
    if not verdict.coped:
        console.print(f"        {verdict.reason}", markup=False, highlight=False, soft_wrap=True)


def _print_json(verdict: Verdict) -> None:
    facts = {"scenario": verdict.scenario.name, "coped": verdict.coped, "reason": verdict.reason}
    typer.echo(json.dumps(facts, ensure_ascii=False))
