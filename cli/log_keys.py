"""`vaxledger log rotate-key | retire-key | follow-keys`: the keys that sign checkpoints."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bootstrap.errors import BootstrapError
from bootstrap.log_rotation import introduce_pair, retire_pair
from bootstrap.wiring import Parts, wire
from cli.joining import joined_settings
from cli.trusting import JsonOption, OriginOption, TrustOption, load_trust
from cli.verify import REFUTED, UNREADABLE
from client.errors import RefutedError
from client.http import Caller
from client.log_keys import follow_keys
from client.sources import FolderSource, HttpSource
from client.trust import Trust
from commands.errors import CommandError
from domain.errors import DomainError
from ledger.errors import LedgerError


def rotate_key(*, as_json: JsonOption = False) -> None:
    """启用新的日志密钥，与旧密钥并行签名。A new pair of log keys signs beside the present one.

    Run it where the integrator keeps its secrets, as the operator. Tell everybody who trusts the
    log; when the overlap is over, run `log retire-key`. Exit code 1 when it is refused.
    """
    _change(introduce_pair, "新密钥已启用 introduced", as_json=as_json)


def retire_key(*, as_json: JsonOption = False) -> None:
    """停用旧的日志密钥。End the overlap: from here on the newer pair signs alone.

    Refused before both pairs have signed together for VAXLEDGER_LOG_KEY_OVERLAP_HOURS.
    """
    _change(retire_pair, "旧密钥已停用 retired", as_json=as_json)


def follow(
    source: Annotated[
        str,
        typer.Argument(help="日志网址或导出目录。The log's URL or a copy.", metavar="URL|FOLDER"),
    ],
    *,
    trust: TrustOption = None,
    origin: OriginOption = "",
    out: Annotated[
        Path | None, typer.Option(help="写入此文件。Where to write the new trust.", metavar="FILE")
    ] = None,
) -> None:
    """从信任的密钥出发，核实其后继。Print the policy with the keys that succeeded the trusted ones.

    Each step must be proven by a checkpoint that the key before has signed. Exit code 1 when the
    log's history of its keys does not hold, 2 when it could not be read.
    """
    is_url = source.startswith(("http://", "https://"))
    try:
        trusted = load_trust(trust, origin, None if is_url else Path(source))
        followed = _follow(source, trusted, is_url=is_url)
        if out is not None:
            out.write_bytes(followed.policy.encode())
    except RefutedError as refuted:
        typer.echo(f"vaxledger: {refuted}", err=True)
        raise typer.Exit(REFUTED) from None
    except (LedgerError, BootstrapError, OSError) as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None
    if out is None:
        typer.echo(followed.policy.encode().decode("utf-8", "surrogateescape"), nl=False)


def _follow(source: str, trust: Trust, *, is_url: bool) -> Trust:
    if not is_url:
        return follow_keys(trust, FolderSource(Path(source)))
    with HttpSource(Caller(source, "", trust)) as log:
        return follow_keys(trust, log)


def _change(change: Callable[[Parts], Mapping[str, Any]], done: str, *, as_json: bool) -> None:
    try:
        with wire(joined_settings()) as parts:
            facts = change(parts)
    except (CommandError, DomainError) as refused:
        known = ", ".join(f"{name}={value}" for name, value in refused.facts.items())
        typer.echo(f"vaxledger: {refused.zh}{refused.args[0]} {known}", err=True)
        raise typer.Exit(REFUTED) from None
    except (LedgerError, BootstrapError) as error:
        typer.echo(f"vaxledger: {error}", err=True)
        raise typer.Exit(UNREADABLE) from None
    if as_json:
        typer.echo(json.dumps(facts))
        return
    console = Console()
    console.print(f"{done}: 位置 position {facts['position']}", highlight=False)
    for name in ("ed25519", "ml_dsa_44"):
        console.print(facts[name], markup=False, highlight=False, soft_wrap=True)
    if not facts["published"]:
        console.print("尚未签入检查点。No checkpoint covers it yet; the integrator will.")
