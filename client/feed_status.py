"""How the feed is: for metrics, for readiness and for an operator's page."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import nats.errors
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from client import feed
from client.durables import Durable, durables
from client.errors import FeedRefusedError, UnavailableError
from client.feed import FeedServer
from client.parked import parked

_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SubscriberStatus:
    """A subscriber's consumer, and how many of its messages are parked."""

    durable: Durable
    parked: int


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """The feed at one moment.

    Attributes:
        position: Last position in the stream.
        messages: How many messages it has; fewer than `position` if some were lost.
        checkpoint_size: Entries under the newest checkpoint in the feed, 0 for none.
        checkpoint_at: When that was published.
        alarms: How many alarms are kept.
        newest_alarm: The newest of them.
        problems: Each setting of server or streams that is not as it must be, in a sentence.
        subscribers: By name.
    """

    position: int
    messages: int
    checkpoint_size: int
    checkpoint_at: datetime | None
    alarms: int
    newest_alarm: dict[str, Any] | None
    problems: tuple[str, ...]
    subscribers: tuple[SubscriberStatus, ...]


async def look(server: FeedServer) -> FeedStatus:
    """Ask the server how the feed is, within five seconds.

    Raises:
        UnavailableError: If it does not answer, or has no feed yet.
    """
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            connection = await feed.connect(server, reconnect=False)
            try:
                return await _status(server, connection.jetstream())
            finally:
                await connection.close()
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise UnavailableError(reason=type(error).__name__) from error


async def _status(server: FeedServer, js: JetStreamContext) -> FeedStatus:
    state = (await js.stream_info(feed.ENTRIES)).state
    checkpoint = await _newest(js, feed.CHECKPOINTS, feed.CHECKPOINT_SUBJECT)
    alarm = await _newest(js, feed.ALARMS, feed.ALARM_SUBJECT)
    note = (checkpoint.data or b"").split(b"\n") if checkpoint is not None else []
    return FeedStatus(
        position=state.last_seq,
        messages=state.messages,
        checkpoint_size=int(note[1]) if note else 0,
        checkpoint_at=checkpoint.time if checkpoint is not None else None,
        alarms=(await js.stream_info(feed.ALARMS)).state.messages,
        newest_alarm=json.loads(alarm.data or b"{}") if alarm is not None else None,
        problems=await _problems(server, js),
        subscribers=await _subscribers(js),
    )


async def _newest(js: JetStreamContext, stream: str, subject: str) -> RawStreamMsg | None:
    try:
        return await js.get_last_msg(stream, subject)
    except NotFoundError:
        return None


async def _problems(server: FeedServer, js: JetStreamContext) -> tuple[str, ...]:
    found = []
    for check in (feed.check_server(server), feed.check_streams(js, server.replicas)):
        try:
            await check
        except FeedRefusedError as refusal:
            found.append(str(refusal))
        except httpx.HTTPError as error:
            found.append(f"The monitoring endpoint does not answer ({type(error).__name__}).")
    return tuple(found)


async def _subscribers(js: JetStreamContext) -> tuple[SubscriberStatus, ...]:
    info = await js.stream_info(feed.PARKED, subjects_filter=">")
    told = {subject.rpartition(".")[2] for subject in info.state.subjects or {}}
    return tuple(
        [
            SubscriberStatus(one, len(await parked(js, one)) if one.name in told else 0)
            for one in await durables(js)
        ]
    )
