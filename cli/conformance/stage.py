"""The stage of one scenario: a made log, its server, its stream, and the consumer."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from cli.conformance.consumer import Consumer, Effect
from cli.conformance.log_server import TOKEN, LogServer
from cli.conformance.made_log import MadeLog
from client import feed
from client.continuity import subjects_of
from client.credentials import Credentials
from client.feed import FeedServer
from client.message import Message
from ledger.entry import Entry

ACCESS_FILE = "access.json"
_DURABLE = "subscriber-conformance"
_GAP = "gap.of.nothing"
_ACK_SECONDS = 2.0
_POLL_SECONDS = 0.1


class NotCopedError(Exception):
    """The consumer did not do what the scenario asks; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all scenarios share.

    Attributes:
        js: An administrator's JetStream.
        nats: Where the consumer connects.
        server: The log's server.
        folder: Where each scenario gets a folder of its own.
        seconds: How long a consumer may take for each step.
    """

    js: JetStreamContext
    nats: FeedServer
    server: LogServer
    folder: Path
    seconds: float


class Stage:
    """One scenario being played.

    Args:
        ground: What is shared.
        name: The scenario, which names the log too.
        consumer: Who is tested.
        division: What the consumer subscribes to.
    """

    def __init__(self, ground: Ground, name: str, consumer: Consumer, division: str) -> None:
        self.origin = f"conformance.example.cn/{name}"
        self.server = ground.server
        self._ground = ground
        self._consumer = consumer
        self._division = division
        self._folder = ground.folder / name
        self.access = self._folder / ACCESS_FILE

    async def prepare(self, log: MadeLog) -> None:
        """Show a log over HTTP, make the stream anew and write the consumer's files."""
        self.server.division = self._division
        self.server.show(log)
        await self.rebuild(log.messages())
        self._folder.mkdir()
        nats = self._ground.nats
        Credentials(
            nats.url,
            nats.user,
            nats.password,
            _DURABLE,
            "_INBOX_conformance",
            self.origin,
            self._division,
            api_prefix="$JS.API",  # its user is the feed's own
        ).save(self._folder / "credentials.json")
        (self._folder / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
        (self._folder / "log.vkey").write_bytes(log.trust.policy.encode())
        names = {"credentials": "credentials.json", "token": "token", "trust": "log.vkey"}
        self.access.write_text(json.dumps({**names, "log": self.server.url}), encoding="utf-8")

    async def rebuild(self, messages: Sequence[Message | None]) -> None:
        """Make stream and durable consumer anew, as after a loss."""
        js = self._ground.js
        with contextlib.suppress(NotFoundError):
            await js.delete_stream(feed.ENTRIES)
        config = feed.entries_config(1)
        # A dishonest administrator's stream: nothing is refused, and sequences can be spent.
        config.deny_delete = config.deny_purge = config.allow_atomic = False
        config.max_msg_size = -1
        config.subjects = [feed.ENTRY_SUBJECTS, _GAP]
        await feed.make_stream(js, config)
        await self.publish(messages)
        await js.add_consumer(
            feed.ENTRIES,
            ConsumerConfig(
                durable_name=_DURABLE,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=_ACK_SECONDS,
                filter_subject=subjects_of(self._division),
            ),
        )

    async def publish(self, messages: Sequence[Message | None]) -> None:
        """Store messages in the order given; None leaves a sequence out."""
        for message in messages:
            if message is None:
                await self._ground.js.publish(_GAP, b"")
            else:
                await self._ground.js.publish(
                    message.subject, message.body, headers=message.headers
                )

    async def start(self) -> None:
        """Start the consumer, which is not running."""
        await self._consumer.start(self.access)

    async def kill(self) -> None:
        """End the consumer at once."""
        await self._consumer.kill()

    async def restart(self) -> None:
        """End the consumer, if it has not given up itself, and start it again."""
        await self.kill()
        await self.start()

    async def applied(self, log: MadeLog) -> None:
        """Wait until the effect is that of a log: each of its entries once, in order.

        Raises:
            NotCopedError: Saying what differs.
        """
        wanted = [
            (position, leaf.hex())
            for position, (raw, leaf) in enumerate(zip(log.raws, log.leaves, strict=True), 1)
            if Entry.decode(raw).division.startswith(self._division)
        ]
        effect = Effect()
        for _ in self._patience():
            effect = await self._consumer.effect(self.access)
            if list(effect.applied) == wanted:
                return
            if wrong := _wrong(wanted, effect):
                raise NotCopedError(wrong)  # what was applied stays so
            await asyncio.sleep(_POLL_SECONDS)
        missing = {position for position, _ in wanted} - {place for place, _ in effect.applied}
        raise NotCopedError(f"缺少 missing: {_few(sorted(missing))}")

    async def alarmed(self) -> None:
        """Wait until the consumer says that it refused something.

        Raises:
            NotCopedError: It did not.
        """
        for _ in self._patience():
            if (await self._consumer.effect(self.access)).alarms:
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise NotCopedError("没有报警 no alarm was raised")

    def _patience(self) -> "_Until":
        return _Until(asyncio.get_running_loop().time() + self._ground.seconds)


class _Until:
    """Iterates until a moment of the loop's clock has passed, at least once."""

    def __init__(self, end: float) -> None:
        self._end = end
        self._is_first = True

    def __iter__(self) -> "_Until":
        return self

    def __next__(self) -> None:
        if not self._is_first and asyncio.get_running_loop().time() > self._end:
            raise StopIteration
        self._is_first = False


def _wrong(wanted: list[tuple[int, str]], effect: Effect) -> str:
    """Say what was applied wrongly; empty if more of the same may make it right."""
    applied = list(effect.applied)
    positions = [position for position, _ in applied]
    doubled = sorted({one for one in positions if positions.count(one) > 1})
    if doubled:
        return f"重复生效 applied more than once: {_few(doubled)}"
    foreign = sorted(position for position, leaf in applied if (position, leaf) not in wanted)
    if foreign:
        return f"采用了日志之外的内容 applied what the log has not: {_few(foreign)}"
    if applied != wanted[: len(applied)]:
        return "顺序不对 applied out of order"
    return ""


def _few(positions: list[int]) -> str:
    shown = ", ".join(map(str, positions[:5]))
    return shown if len(positions) <= 5 else f"{shown}, … ({len(positions)})"  # noqa: PLR2004  a line
