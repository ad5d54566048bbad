"""`vaxledger correction`: correct every dose of a lot, or a list of doses, in the same way."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.calling import Called, calling
from cli.key import PassphraseOption, one_line, passphrase_of
from cli.progress import progress_bar
from cli.trusting import JsonOption
from cli.verify import REFUTED
from client.identifiers import new_id
from client.mass import STEPS, MassCorrection, carry_out
from client.signing import AuthorKey

app = typer.Typer(
    no_args_is_help=True,
    help="成批更正：先预览，再签名执行。Corrections of many doses: looked at first, then signed.",
)


@app.command()
@calling
def preview(  # noqa: PLR0913  each is an option of the command line
    file: Annotated[
        Path, typer.Argument(help="更正清单存为文件。Where the list is kept.", metavar="FILE")
    ],
    *,
    reason: Annotated[str, typer.Option(help="原因代码。Why, as a code.")],
    maker: Annotated[str, typer.Option(help="上市许可持有人。Maker of the lot.")] = "",
    lot: Annotated[str, typer.Option(help="批号。The lot.")] = "",
    dose: Annotated[
        list[UUID] | None, typer.Option(help="或逐剂指定。Or single doses.", metavar="UUID")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="更正为；等号后留空即清空。What it is to read; empty after nothing.",
            metavar="FIELD=VALUE",
        ),
    ] = None,
    strike: Annotated[
        bool, typer.Option("--strike", help="作废（误录）。Entered in error.")
    ] = False,
    immediate: Annotated[
        bool, typer.Option("--immediate", help="即时生效（安全原因）。At once, for safety.")
    ] = False,
    log: Called,
    as_json: JsonOption = False,
) -> None:
    """预览：列出将更正的各剂次，不写入。List what would be corrected; nothing is written."""
    asked: dict[str, Any] = {
        "kind": "entered-in-error" if strike else "amend",
        "reason": reason,
        "urgency": "immediate" if immediate else "next-day",
        "changes": [_change(text) for text in change or []],
    }
    asked |= {"doses": [str(one) for one in dose]} if dose else {"maker": maker, "lot": lot}
    with one_line():
        with log.client() as client:
            plan = MassCorrection.preview(client, asked, new_id)
        with file.open("xb") as out:
            out.write(plan.encode())
    facts = {"list": plan.digest, "doses": len(plan.lines), "left_out": len(plan.left_out)}
    _tell(facts, as_json=as_json)


@app.command()
@calling
def run(  # noqa: PLR0913  each is an option of the command line
    file: Annotated[Path, typer.Argument(help="更正清单。The list.", metavar="FILE")],
    key_file: Annotated[Path, typer.Argument(help="签名密钥。The key file.", metavar="KEYFILE")],
    *,
    organisation: Annotated[UUID, typer.Option(help="签名机构。Who signs.", metavar="UUID")],
    until: Annotated[
        str, typer.Option(help="到哪一步：requested、verified、applied。The last step to take.")
    ] = STEPS[-1],
    log: Called,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """按清单签名执行；中断后再次运行即续行。Carry a list out; run again to go on.

    Exit code 1 when some doses were refused; the others are corrected all the same.
    """
    if until not in STEPS:
        raise typer.BadParameter(f"one of {', '.join(STEPS)}")
    with one_line():
        plan = MassCorrection.decode(file.read_bytes())
        key = AuthorKey.load(organisation, key_file, passphrase_of(passphrase_file))
        with log.client(key) as client, progress_bar("更正 correcting", quiet=as_json) as show:
            found = carry_out(client, plan, until, show)
    refused = {str(stream): reason for stream, reason in found.refused.items()}
    _tell({**found.reached, "refused": refused}, as_json=as_json)
    if refused:
        raise typer.Exit(REFUTED)


def _change(text: str) -> dict[str, str]:
    field, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter("FIELD=VALUE", param_hint="--set")
    return {"field": field} | ({"after": value} if value else {})


def _tell(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<10}{value}")
