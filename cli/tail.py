"""`vaxledger tail`: a real subscriber, which checks every message of the feed."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import nats.errors
import typer
from rich.console import Console
from rich.text import Text

from bootstrap.addresses import Addresses
from bootstrap.settings import Settings
from cli.trusting import (
    JsonOption,
    OriginOption,
    TokenOption,
    TrustOption,
    load_trust,
    read_secret,
    reader_of,
)
from cli.verify import REFUTED, give_up
from client import feed
from client.continuity import Continuity, parse_division
from client.credentials import Credentials
from client.durables import read_durable
from client.errors import ClientError, FeedGapError, MessageError, RefutedError
from client.feed import FeedServer
from client.http import Caller
from client.log_keys import judge_newest
from client.served import ServedLog
from client.sources import HttpSource
from client.subscribe import Event, HttpRepair, Subscription
from client.trust import Trust
from client.verify import TREE
from ledger.errors import LedgerError
from ledger.frontier import Frontier
from ledger.policy import Judgement


@dataclass(slots=True)
class Summary:
    """What was followed.

    Attributes:
        events: Entries received, each once and in order.
        first: First position, 0 for none.
        last: Last position.
        duplicates: Messages that came again.
        repaired: Entries that the stream had lost and the log brought.
        root: Root over the leaves received, if they are all from position 1 on.
        signed: Whether a signed checkpoint of exactly this size has that root; None if no
            signature could be asked.
    """

    events: int = 0
    first: int = 0
    last: int = 0
    duplicates: int = 0
    repaired: int = 0
    root: str | None = None
    signed: bool | None = None


def tail(  # noqa: PLR0913  each is an option of the command line
    *,
    division: Annotated[
        str, typer.Option(help="行政区划，如 41.02。Province, city or county; else everything.")
    ] = "",
    after: Annotated[
        int | None,
        typer.Option(min=0, help="从该位置之后开始。Start behind it; else where the consumer is."),
    ] = None,
    until: Annotated[
        int | None, typer.Option(min=0, help="到该位置为止。End once it is reached.")
    ] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(
            help="订阅凭据文件，代替以下四项。Of `subscriber add`, instead of the next four.",
            metavar="FILE",
        ),
    ] = None,
    server: Annotated[
        str,
        typer.Option(
            "--nats",
            help="NATS 网址；不填则用本机安装。NATS; else this installation's.",
            metavar="URL",
        ),
    ] = "",
    user: Annotated[str, typer.Option(help="NATS 用户。User at NATS.")] = "",
    password_file: Annotated[
        Path | None, typer.Option(help="密码文件。A file with the password.", metavar="FILE")
    ] = None,
    durable: Annotated[
        str | None, typer.Option(help="管理员建立的消费者。A consumer made by an administrator.")
    ] = None,
    repair: Annotated[
        str, typer.Option(help="缺失时从此网址补齐。Where missing entries are read.", metavar="URL")
    ] = "",
    trust: TrustOption = None,
    origin: OriginOption = "",
    token_file: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """跟随消息流，核对每条消息。Follow the feed; check every leaf hash and the continuity.

    Exit code 1 when a message or the chain does not hold, 2 when it could not be followed.
    """
    try:
        if credentials is not None:
            kept = Credentials.load(credentials)
            place, durable, division = kept.server(), kept.durable, kept.division
        else:
            place = _server(server, user, password_file)
        trusted = load_trust(trust, origin) if trust or repair else None
        if after is None:
            after = asyncio.run(_floor(place, durable)) if durable is not None else 0
        continuity = Continuity(parse_division(division), after)
        caller = reader_of(repair, token_file, trusted) if repair and trusted else None
        summary = asyncio.run(
            _run(place, continuity, (durable, caller, trusted), until, as_json=as_json)
        )
    except (MessageError, FeedGapError, RefutedError) as error:
        _fail(error, as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit from None
    except (LedgerError, nats.errors.Error, OSError, ValueError) as error:
        give_up("tail", error, as_json=as_json)
    _print_summary(summary, as_json=as_json)


async def _run(
    server: FeedServer,
    continuity: Continuity,
    others: tuple[str | None, Caller | None, Trust | None],
    until: int | None,
    *,
    as_json: bool,
) -> Summary:
    durable, caller, trust = others
    log = ServedLog(caller) if caller is not None else None
    repair = None if log is None else HttpRepair(log)
    subscription = Subscription(server, continuity, durable=durable, repair=repair)
    whole = not continuity.division and not continuity.last
    frontier, summary = Frontier(), Summary()
    try:
        async with aclosing(subscription.events(until)) as events:
            async for event in events:
                summary.events += 1
                summary.first = summary.first or event.position
                summary.last = event.position
                frontier.append(event.leaf)
                _print_event(event, as_json=as_json)
                await event.ack()
    finally:
        if log is not None:
            await log.close()
    summary.duplicates, summary.repaired = subscription.duplicates, subscription.repaired
    if whole:
        summary.root = frontier.root().hex()
        if trust is not None:
            summary.signed = await _compare(server, frontier, partial(_judge, trust, caller))
    return summary


async def _floor(server: FeedServer, durable: str) -> int:
    """Return up to where a consumer has acknowledged everything."""
    connection = await feed.connect(server, reconnect=False)
    try:
        info = await connection.jetstream(prefix=server.api_prefix).consumer_info(
            feed.ENTRIES, durable
        )
        return read_durable(info).floor
    finally:
        await connection.close()


async def _compare(
    server: FeedServer, frontier: Frontier, judge: Callable[[bytes], Judgement]
) -> bool | None:
    """Compare the root with the newest checkpoint in the feed, if it is of the same size."""
    connection = await feed.connect(server, reconnect=False)
    try:
        message = await connection.jetstream().get_last_msg(
            feed.CHECKPOINTS, feed.CHECKPOINT_SUBJECT
        )
    except nats.errors.Error:
        return None
    finally:
        await connection.close()
    checkpoint = judge(message.data or b"").checkpoint
    if checkpoint.size != frontier.size:
        return None
    if checkpoint.root != frontier.root():
        raise RefutedError(TREE, None, "root-differs", size=checkpoint.size)
    return True


def _judge(trust: Trust, caller: Caller | None, note: bytes) -> Judgement:
    """Judge a checkpoint, across rotations of the log's keys where its server is known."""
    if caller is None:
        return trust.judge(note)
    with HttpSource(caller) as source:
        return judge_newest(trust, source, note)


def _server(url: str, user: str, password_file: Path | None) -> FeedServer:
    """Return the server that was named, else that of the settings or of this installation."""
    if url:
        return FeedServer(url, user, read_secret(password_file))
    settings = Settings.load()
    if settings.nats_url is None:
        settings = Addresses.load(settings.data_dir).settings(settings)
    return FeedServer(
        settings.nats_url or "", settings.nats_user or "", settings.nats_password or ""
    )


def _print_event(event: Event, *, as_json: bool) -> None:
    entry = event.entry
    if as_json:
        facts: dict[str, Any] = {
            "position": event.position,
            "topic": entry.topic,
            "stream": str(entry.stream),
            "version": entry.version,
            "division": entry.division,
            "leaf": event.leaf.hex(),
            "repaired": event.repaired,
        }
        typer.echo(json.dumps(facts))
        return
    line = Text.assemble(
        (f"{event.position:>9}", "bold"),
        f"  {entry.recorded_at:%Y-%m-%d %H:%M:%S}  {entry.division:<9}  ",
        (f"{entry.topic:<46}", "cyan"),
        f"  {event.leaf.hex()[:12]}",
        ("  补 repaired" if event.repaired else "", "yellow"),
    )
    Console().print(line, soft_wrap=True)


def _print_summary(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"summary": asdict(summary)}))
        return
    signed = {True: "与签名检查点一致 equals the signed checkpoint", None: "未比对 not compared"}
    Console().print(
        f"{summary.events} 条 events ({summary.first}-{summary.last}), "
        f"重复 duplicates {summary.duplicates}, 补齐 repaired {summary.repaired}, "
        f"叶哈希全部相符 all leaf hashes agree; 树根 root: {signed.get(summary.signed, '')}",
        markup=False,
        highlight=False,
    )


def _fail(error: ClientError, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"holds": False, "error": str(error)}, ensure_ascii=False))
    else:
        Console(stderr=True).print(f"消息流不成立 The feed does not hold: {error}", markup=False)
    raise typer.Exit(REFUTED) from error
