"""`vaxledger subscriber`: who may follow the feed, and how far each is."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import nats.errors
import typer
from rich.console import Console
from rich.table import Table

from bootstrap.settings import Settings
from bootstrap.subscribers import Subscribers, account_block, at
from cli.trusting import JsonOption
from cli.verify import give_up
from client.continuity import parse_division
from client.credentials import Credentials, name_of
from client.durables import Durable

app = typer.Typer(no_args_is_help=True, help="消息订阅方。The feed's subscribers.")

Name = Annotated[str, typer.Argument(help="名称：小写字母、数字、连字符。Its name.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", help="凭据文件，默认 NAME.json。Where its credentials go.", metavar="FILE"
    ),
]
Url = Annotated[
    str,
    typer.Option("--url", help="订阅方所用的 NATS 网址。The address that it will use."),
]

_Answer = TypeVar("_Answer")


@app.command()
def add(
    name: Name,
    *,
    division: Annotated[
        str, typer.Option(help="行政区划，如 41.02。Province, city or county; else everything.")
    ] = "",
    after: Annotated[int, typer.Option(min=0, help="从该位置之后开始。Start behind it.")] = 0,
    out: Out = None,
    url: Url = "",
    as_json: JsonOption = False,
) -> None:
    """新增订阅方：一个持久消费者、一个用户、一份凭据。Make a consumer, a user, credentials."""
    path = _file(name, out)
    if path.exists():
        give_up(path, FileExistsError("it exists"), as_json=as_json)
    try:
        digits = parse_division(division)
    except ValueError as error:
        give_up(division, error, as_json=as_json)
    subscribers = _subscribers()
    made = _run(name, subscribers.add(name, digits, after), as_json=as_json)
    _hand_over(subscribers, at(made, url), path, as_json=as_json)


@app.command()
def rotate(name: Name, *, out: Out = None, url: Url = "", as_json: JsonOption = False) -> None:
    """更换口令，旧口令立即失效。Give it another password; the old one ends at once."""
    subscribers = _subscribers()
    made = _run(name, subscribers.rotate(name), as_json=as_json)
    _hand_over(subscribers, at(made, url), _file(name, out), as_json=as_json)


@app.command()
def revoke(name: Name, *, as_json: JsonOption = False) -> None:
    """撤销订阅方：用户与消费者一并删除。End it, its user and its consumer."""
    subscribers = _subscribers()
    _run(name, subscribers.revoke(name), as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"revoked": name}))
        return
    typer.echo(f"已撤销 revoked: {name}")
    if subscribers.users is None:
        typer.echo("请从 NATS 删除该账户并重载。Remove its account from NATS and reload it.")


@app.command("list")
def list_subscribers(*, as_json: JsonOption = False) -> None:
    """全部订阅方及其进度。Every subscriber and how far it is."""
    found = _run("subscribers", _subscribers().all(), as_json=as_json)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    table = Table("名称\nname", "区划\ndivision", "已确认\nfloor", "滞后\nlag", "重发\nredelivered")
    for one in found:
        drift = f" [red]{', '.join(one.drift)}[/red]" if one.drift else ""
        lag = f"{one.waiting + one.unacknowledged:,}"
        shown = (name_of(one.name) or one.name) + drift
        division = one.division or "全部 all"
        table.add_row(shown, division, f"{one.floor:,}", lag, f"{one.redelivered:,}")
    Console().print(table)


@app.command()
def lag(name: Name, *, as_json: JsonOption = False) -> None:
    """该订阅方尚未确认多少条。How much it has not acknowledged yet."""
    one: Durable = _run(name, _subscribers().find(name), as_json=as_json)
    if as_json:
        typer.echo(json.dumps(asdict(one), default=str))
        return
    typer.echo(
        f"{name}: 待发 waiting {one.waiting:,}, 未确认 unacknowledged {one.unacknowledged:,}, "
        f"重发 redelivered {one.redelivered:,}, 已确认到 floor {one.floor:,}"
    )


@app.command("parked")
def list_parked(
    names: Annotated[list[str] | None, typer.Argument(help="名称 · names")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """多次投递仍未确认的消息。Messages that were sent in vain as often as allowed."""
    found = _run("parked", _subscribers().parked(names or []), as_json=as_json)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    table = Table("名称\nname", "位置\nposition", "次数\ndeliveries", "时间\nat")
    for one in found:
        shown = name_of(one.durable) or one.durable
        table.add_row(shown, f"{one.position:,}", str(one.deliveries), f"{one.at:%F %T}Z")
    Console().print(table)


@app.command()
def retry(name: Name, *, as_json: JsonOption = False) -> None:
    """从第一条未确认的消息起重新投递。Send again from its first unacknowledged message on."""
    position = _run(name, _subscribers().retry(name), as_json=as_json)
    if as_json:
        typer.echo(json.dumps({"name": name, "from": position}))
        return
    typer.echo(f"{name}: 自位置 {position:,} 起重新投递 · sent again from position {position:,}")


def _subscribers() -> Subscribers:
    return Subscribers.of(Settings.load())


def _file(name: str, out: Path | None) -> Path:
    return out or Path(f"{name}.json")


def _run(what: str, work: Coroutine[Any, Any, _Answer], *, as_json: bool) -> _Answer:
    try:
        return asyncio.run(work)
    except (nats.errors.Error, OSError, ValueError) as error:
        give_up(what, error, as_json=as_json)


def _hand_over(subscribers: Subscribers, made: Credentials, path: Path, *, as_json: bool) -> None:
    made.save(path)
    block = None if subscribers.users is not None else account_block(made)
    if as_json:
        typer.echo(json.dumps({"credentials": str(path), "account_block": block}))
        return
    typer.echo(f"凭据 credentials: {path}")
    if block is not None:
        typer.echo("请将此账户加入 NATS 并重载两次。Include this account in NATS; reload it twice:")
        typer.echo(block)
