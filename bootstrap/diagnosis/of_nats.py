"""Traps that NATS shows."""

import asyncio
from collections.abc import Iterator
from ssl import SSLError

import httpx
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from bootstrap.diagnosis.trap import Trap
from bootstrap.feed import feed_server
from bootstrap.settings import Settings
from client import feed
from client.durables import durables
from client.errors import FeedRefusedError
from client.feed import FeedServer
from client.parked import parked

_OLDEST = (2, 14)
_PAYLOAD = 1 << 17
"""An entry has at most 16,384 bytes, its message a few more; batches go message by message."""
_SECONDS = 15.0


def of_nats(settings: Settings) -> Iterator[Trap]:
    """Yield what is wrong with the feed's server; nothing where there is none yet."""
    if settings.nats_url is None:
        return
    try:
        yield from asyncio.run(_look(feed_server(settings)))
    except (nats.errors.Error, httpx.HTTPError, OSError, TimeoutError) as error:
        yield _unreached(error)


def _unreached(error: Exception) -> Trap:
    beneath: BaseException | None = error
    while beneath is not None and not isinstance(beneath, SSLError):
        beneath = beneath.__cause__ or beneath.__context__
    if beneath is not None:
        return Trap(
            "nats-certificate",
            "NATS 的 TLS 证书不被认可：发布与订阅都连不上。",
            "Nobody vouches for NATS's TLS certificate: neither publisher nor subscribers connect.",
            "核对证书的名称和期限；用 SSL_CERT_FILE 指明私有 CA，它须带 keyCertSign。",
            "Check the certificate's names and dates; SSL_CERT_FILE names a private CA, which "
            "needs the key usage keyCertSign.",
            facts={"said": getattr(beneath, "verify_message", "") or type(beneath).__name__},
        )
    return Trap(
        "nats-away",
        "NATS 或其监控端口不回答。写入不受影响，但集成方收不到新条目。",
        "NATS or its monitoring endpoint does not answer. Writes go on; integrators wait.",
        "启动它，核对 VAXLEDGER_NATS_URL、NATS_MONITOR_URL、用户和口令。",
        "Start it; check VAXLEDGER_NATS_URL, NATS_MONITOR_URL, user and password.",
        facts={"error": type(error).__name__},
    )


async def _look(server: FeedServer) -> list[Trap]:
    found: list[Trap] = []
    async with asyncio.timeout(_SECONDS):
        try:
            await feed.check_server(server)
        except FeedRefusedError as refusal:
            found.append(_refused(refusal))
        connection = await feed.connect(server, reconnect=False)
        try:
            version = connection.connected_server_version
            if (version.major, version.minor) < _OLDEST:
                found.append(_old(str(version)))
            if connection.max_payload < _PAYLOAD:
                found.append(_small(connection.max_payload))
            found += await _of_streams(connection.jetstream(), server.replicas)
        finally:
            await connection.close()
    return found


async def _of_streams(js: JetStreamContext, replicas: int) -> list[Trap]:
    found: list[Trap] = []
    for wanted in feed.wanted_streams(replicas):
        try:
            feed.check_stream(await js.stream_info(str(wanted.name)), wanted)
        except FeedRefusedError as refusal:
            found.append(_drifted(refusal))
        except NotFoundError:
            return found  # the publisher makes them at its first start
    entries = (await js.stream_info(feed.ENTRIES)).state
    if entries.last_seq and (entries.first_seq, entries.messages) != (1, entries.last_seq):
        found.append(_gaps(entries.last_seq - entries.messages))
    for one in await durables(js):
        if one.drift:
            found.append(_consumer_drifted(one.name, one.drift))
        if lost := await parked(js, one):
            found.append(_parked(one.name, len(lost)))
    return found


def _refused(refusal: FeedRefusedError) -> Trap:
    return Trap(
        "lazy-nats",
        "NATS 在写盘之前就确认，或让任何人进入，或无从得知。",
        "NATS acknowledges before it syncs, or lets anybody in, or nobody can tell.",
        "在 jetstream { } 中设 sync_interval: always，并为每个用户设口令，开放监控端口给本机。",
        "Set sync_interval: always in jetstream { }, give every user a password, and let us reach "
        "the monitoring endpoint.",
        is_refused=True,
        facts={"said": str(refusal)},
    )


def _old(version: str) -> Trap:
    return Trap(
        "old-nats",
        "NATS 低于 2.14：有已公开的越权漏洞。",
        "NATS is older than 2.14, which has known ways around permissions.",
        "升级到 nats-server 2.14 或更新。",
        "Upgrade to nats-server 2.14 or newer.",
        is_refused=True,
        facts={"version": version},
    )


def _small(payload: int) -> Trap:
    return Trap(
        "small-payload",
        "NATS 允许的消息太小。",
        "NATS takes too small messages.",
        "在其配置中设 max_payload: 1MB。",
        "Set max_payload: 1MB in its configuration.",
        facts={"bytes": payload},
    )


def _gaps(count: int) -> Trap:
    return Trap(
        "feed-gaps",
        "流里缺少条目：有人删除过消息。",
        "Entries are missing in the stream: somebody has deleted messages.",
        "vaxledger feed rebuild；查明谁有管理权限。",
        "Run vaxledger feed rebuild; find out who may administer the server.",
        facts={"missing": count},
    )


def _drifted(refusal: FeedRefusedError) -> Trap:
    return Trap(
        "stream-drifted",
        "流的配置与应有的不同；可能有人删改历史。",
        "A stream is configured otherwise than we made it; history may have been dropped.",
        "把所列设置改回，然后 vaxledger feed rebuild。",
        "Change the settings back, then run vaxledger feed rebuild.",
        facts={"said": str(refusal)},
    )


def _consumer_drifted(name: str, drift: tuple[str, ...]) -> Trap:
    return Trap(
        "consumer-drifted",
        "消费者的配置与应有的不同，或不是由本命令建立的。",
        "A consumer is configured otherwise, or was not made by our command.",
        "vaxledger subscriber revoke 后重新 add；来历不明的用 nats consumer rm 删除。",
        "Revoke and add it with vaxledger subscriber; remove a foreign one with nats consumer rm.",
        facts={"consumer": name, "settings": list(drift)},
    )


def _parked(name: str, count: int) -> Trap:
    return Trap(
        "parked-messages",
        "有消息多次投递仍未确认，已搁置。",
        "Messages were sent in vain as often as allowed, and are parked.",
        "修好订阅方，然后 vaxledger subscriber retry。",
        "Mend the subscriber, then run vaxledger subscriber retry.",
        facts={"consumer": name, "count": count},
    )
