"""The feed's streams: their names, what their configuration must be, and how it is checked.

``VAX`` holds every entry once, sequence = position, and refuses deletion. Checkpoints and alarms
have streams of their own, so that nothing but entries ever counts in ``VAX``; ``VAX-PARKED``
keeps what the server says of messages that a subscriber was sent in vain too often. JetStream by
default acknowledges before it syncs (a power cut loses up to two minutes), so a server is only
accepted when it syncs always.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx
from nats.aio.client import Client as Connection
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError, ServerError

from client.errors import FeedRefusedError

ENTRIES = "VAX"
CHECKPOINTS = "VAX-CHECKPOINTS"
ALARMS = "VAX-ALARMS"
PARKED = "VAX-PARKED"

ENTRY_SUBJECTS = "vax.>"
CHECKPOINT_SUBJECT = "vaxledger.checkpoint"
ALARM_SUBJECT = "vaxledger.alarm"
SUBSCRIBER_API = "FEED.API"
"""Where JetStream's API stands in a subscriber's account. Not at ``$JS.API``: there its own account
answers too, that it has no JetStream, and whichever answer is first counts."""
PARKED_SUBJECTS = f"$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{ENTRIES}.*"

MAX_MESSAGE_BYTES = 65_536
KEPT_CHECKPOINTS = 3_600  # an hour at one a second; each is complete in itself
KEPT_ALARMS = 10_000
KEPT_PARKED = 100_000

_CONNECT_SECONDS = 5
_CLOSE_SECONDS = 1.0
_RETRY_SECONDS = 0.1
_MONITOR_SECONDS = 5.0
_FOLDER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class FeedServer:
    """Where the feed is, and how we may know that it syncs.

    Attributes:
        url: NATS URL, several joined by commas for a cluster.
        user: User name, empty for none.
        password: Its password.
        monitor_urls: HTTP monitoring endpoints, one for each server.
        embedded: Whether the server runs from our own configuration, which syncs always.
        replicas: Copies of each stream, 1 or 3.
        inbox_prefix: Below which answers come; a subscriber may listen below its own only.
        api_prefix: Below which JetStream is asked; the subscribers' accounts have another.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    monitor_urls: tuple[str, ...] = ()
    embedded: bool = False
    replicas: int = 1
    inbox_prefix: str = "_INBOX"
    api_prefix: str = "$JS.API"


async def connect(server: FeedServer, *, reconnect: bool) -> Connection:
    """Return a connection.

    Args:
        server: Where to.
        reconnect: Whether the library restores by itself, for as long as it takes, a connection
            that is lost later; to be ended with `close`. A publisher does not want that: what it
            had sent would be sent again into an unknown state.

    Raises:
        nats.errors.Error: If no server answers or it refuses us.
        OSError: If no server can be reached; `ssl.SSLError` if nobody vouches for the one that is.
    """
    connection = Connection()
    try:
        await connection.connect(
            server.url.split(","),
            user=server.user or None,
            password=server.password or None,
            connect_timeout=_CONNECT_SECONDS,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            inbox_prefix=server.inbox_prefix.encode(),
            reconnect_time_wait=_RETRY_SECONDS,  # type: ignore[arg-type]  # it is slept
            error_cb=_ignore,
            # It costs a fifth of a published message; ours are made of digits and topics.
            skip_subject_validation=True,
        )
    except BaseException:
        await close(connection)  # the library leaves a half-made one open
        raise
    if reconnect:  # only now: a first connection that is refused would be tried for ever
        connection.options |= {"allow_reconnect": True, "max_reconnect_attempts": -1}
    return connection


async def close(connection: Connection) -> None:
    """Close a connection, a half-made one too.

    One whose TLS handshake failed never tells that it is closed: it has closed its socket by then.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await connection.close()


async def _ignore(_error: Exception) -> None:
    """Say nothing: every call that fails raises to its own caller."""


async def check_server(server: FeedServer) -> None:
    """Refuse a server that acknowledges messages before they are on disk, or lets anybody in.

    Raises:
        FeedRefusedError: If a server syncs lazily, asks for no password, or nobody can tell.
        httpx.HTTPError: If no monitoring endpoint answers; of a cluster, some may be down.
    """
    if not server.monitor_urls:
        if server.embedded:
            return  # bootstrap wrote its configuration with `sync_interval: always`
        raise FeedRefusedError("Without a monitoring endpoint nobody knows whether NATS syncs.")
    told = await _ask_monitors(server.monitor_urls)
    # nats-server 2.10 to 2.15 state it as jetstream.config.sync_always.
    configs = {url: answer.get("jetstream", {}).get("config", {}) for url, answer in told.items()}
    for url, answer in told.items():
        if not configs[url] and any(configs.values()):
            continue  # a node of a cluster that has just started has no JetStream for a moment
        if configs[url].get("sync_always") is not True:
            raise FeedRefusedError(
                "NATS acknowledges before it syncs; set `sync_interval: always`.", monitor=url
            )
        if answer.get("auth_required") is not True:
            raise FeedRefusedError("NATS lets in whoever comes.", monitor=url)


@lru_cache(maxsize=1)
def _trusted(paths: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    """Whom monitoring endpoints are believed by: SSL_CERT_FILE, as NATS itself reads it.

    Made once for the same paths: each takes 0.8 MB, and a process that asked every half minute
    grew by it.
    """
    return ssl.create_default_context(cafile=paths.cafile, capath=paths.capath)


async def _ask_monitors(urls: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what each server says of itself; one that is down acknowledges nothing either."""
    told: dict[str, dict[str, Any]] = {}
    silent: httpx.HTTPError | None = None
    limit, trusted = _MONITOR_SECONDS, _trusted(ssl.get_default_verify_paths())
    async with httpx.AsyncClient(timeout=limit, trust_env=False, verify=trusted) as http:
        for url in urls:
            try:
                told[url] = (await http.get(f"{url.rstrip('/')}/varz")).raise_for_status().json()
            except httpx.HTTPError as error:
                silent = error
    if silent is not None and not told:
        raise silent
    return told


async def ensure_streams(js: JetStreamContext, replicas: int) -> None:
    """Make the streams that are missing and refuse those that are configured otherwise.

    Raises:
        FeedRefusedError: Naming the stream and each setting that differs.
        nats.errors.Error: If the server does not answer or refuses us.
    """
    for wanted in wanted_streams(replicas):
        try:
            info = await js.stream_info(str(wanted.name))
        except NotFoundError:
            info = await make_stream(js, wanted)
        check_stream(info, wanted)


async def make_stream(js: JetStreamContext, wanted: StreamConfig) -> StreamInfo:
    """Make a stream; two publishers may do this at once.

    A server that has just deleted a stream of that name refuses with 500 until it has let go of
    its folder, and tells a full disk no differently: so it is asked again, but not for ever.

    Raises:
        nats.errors.Error: If the server still refuses, or does not answer.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + _FOLDER_SECONDS
    while True:
        try:
            return await js.add_stream(wanted)
        except ServerError:
            if loop.time() >= until:
                raise
        await asyncio.sleep(_RETRY_SECONDS)


async def check_streams(js: JetStreamContext, replicas: int) -> None:
    """Refuse streams that are missing or configured otherwise. Raises as ``ensure_streams``."""
    for wanted in wanted_streams(replicas):
        check_stream(await js.stream_info(str(wanted.name)), wanted)


def check_stream(info: StreamInfo, wanted: StreamConfig) -> None:
    """Refuse a stream whose configuration has drifted from what is wanted.

    Raises:
        FeedRefusedError: Naming the stream and each setting that differs.
    """
    actual = info.config
    drift: dict[str, Any] = {
        name: getattr(actual, name)
        for name in _CHECKED
        if plain(getattr(actual, name)) != plain(getattr(wanted, name))
    }
    if drift:
        raise FeedRefusedError(
            "A stream is not configured as it must be.", stream=actual.name, **drift
        )


def entries_config(replicas: int) -> StreamConfig:
    """Return the configuration of the stream of entries: everything kept, nothing deleted."""
    return StreamConfig(
        name=ENTRIES,
        subjects=[ENTRY_SUBJECTS],
        discard=DiscardPolicy.NEW,
        max_msgs=-1,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
        max_msg_size=MAX_MESSAGE_BYTES,
        **_common(replicas),
    )


def alarm_body(kind: str, sentence: str, at: str, **facts: object) -> bytes:
    """Return an alarm as JSON; facts are of types that JSON knows or are written as text."""
    return json.dumps(
        {"kind": kind, "sentence": sentence, "at": at, "facts": facts}, default=str, sort_keys=True
    ).encode()


def wanted_streams(replicas: int) -> tuple[StreamConfig, ...]:
    """Return the configuration of every stream of the feed."""
    common = _common(replicas) | {"deny_delete": True, "discard": DiscardPolicy.OLD}
    return (
        entries_config(replicas),
        StreamConfig(
            name=CHECKPOINTS, subjects=[CHECKPOINT_SUBJECT], max_msgs=KEPT_CHECKPOINTS, **common
        ),
        StreamConfig(name=ALARMS, subjects=[ALARM_SUBJECT], max_msgs=KEPT_ALARMS, **common),
        StreamConfig(name=PARKED, subjects=[PARKED_SUBJECTS], max_msgs=KEPT_PARKED, **common),
    )


def _common(replicas: int) -> dict[str, Any]:
    return {
        "retention": RetentionPolicy.LIMITS,
        "storage": StorageType.FILE,
        "max_bytes": -1,
        "max_age": 0,
        "max_msgs_per_subject": -1,
        "num_replicas": replicas,
        "no_ack": False,
        "sealed": False,
        "allow_rollup_hdrs": False,
    }


_CHECKED = (
    "subjects",
    "retention",
    "storage",
    "discard",
    "max_msgs",
    "max_bytes",
    "max_age",
    "max_msgs_per_subject",
    "max_msg_size",
    "num_replicas",
    "no_ack",
    "sealed",
    "deny_delete",
    "deny_purge",
    "allow_rollup_hdrs",
    "allow_atomic",
    "persist_mode",
    "mirror",
    "sources",
    "subject_transform",
)


def plain(value: Any) -> Any:
    """Return a setting as comparable: absent, false and empty mean the same."""
    return getattr(value, "value", value) or None
