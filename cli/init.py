"""`vaxledger init`: the first start in earnest, from a plan that somebody reviewed."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bootstrap.founding import FoundingRefusedError, Plan, found
from bootstrap.recovery import servers_at_rest
from bootstrap.settings import Settings
from cli.trusting import JsonOption, read_secret


def init(
    plan_file: Annotated[
        Path, typer.Argument(help="审阅过的方案。The reviewed plan.", metavar="PLAN")
    ],
    *,
    root_key: Annotated[
        Path, typer.Option(help="运营方根密钥写到此处，离线保管。Where it goes.", metavar="FILE")
    ],
    passphrase_file: Annotated[
        Path | None, typer.Option(help="口令文件；不填则询问。Its passphrase.", metavar="FILE")
    ] = None,
    reviewed: Annotated[
        str, typer.Option(help="审阅者告知的 SHA-256。The digest that its reviewer tells.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """首次建账：根密钥离线，方案须经审阅，只运行一次。Found an installation, once.

    Without `--reviewed` it shows the plan and its digest, and makes nothing.
    """
    plan = Plan.load(plan_file)
    if not reviewed:
        _show(plan, as_json=as_json)
        return
    if reviewed != plan.digest:
        raise FoundingRefusedError("another file was reviewed", digest=plan.digest)
    if passphrase_file is not None:
        passphrase = read_secret(passphrase_file)
    else:
        passphrase = typer.prompt("口令 passphrase", hide_input=True, confirmation_prompt=True)
    with servers_at_rest(Settings.load(), has_feed=False) as settings:
        fingerprint = found(settings, plan, root_key, passphrase)
    if as_json:
        typer.echo(json.dumps({"origin": plan.origin, "root": fingerprint}))
        return
    typer.echo(f"已建账 founded: {plan.origin}")
    typer.echo(f"根密钥指纹 root key's fingerprint: {fingerprint}")
    typer.echo(f"请把 {root_key} 移到离线介质。Take it away to a medium of its own.")


def _show(plan: Plan, *, as_json: bool) -> None:
    names = [
        f"{one['kind']} {one['division']} {one['name']}" for one in plan.organisations.values()
    ]
    if as_json:
        facts = {"origin": plan.origin, "digest": plan.digest, "organisations": names}
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    typer.echo(f"{plan.origin}: {plan.name} ({plan.division})")
    for name in names:
        typer.echo(f"  {name}")
    typer.echo(f"审阅后加 --reviewed {plan.digest} · once reviewed, add this")
