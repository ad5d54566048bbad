"""The writing end of the feed's streams: resume, verify the tail, store the next batch.

A batch is stored whole or not at all and states the sequence it expects to follow
(``Nats-Expected-Last-Sequence``), so that of two rivals one wins and the other resumes.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Protocol
from uuid import uuid4

import structlog
from nats.aio.client import Client as Connection
from nats.js.errors import APIError, NotFoundError

from bootstrap.floors import Floors
from client import feed
from client.durables import durables
from client.errors import FeedRefusedError
from client.message import Message, Previous, build
from workers.batch import encode, place

MAX_BATCH = 1_000  # the most that the server takes

_ANSWER_SECONDS = 5.0
_CHECKPOINT_SECONDS = 1.0
_WRONG_LAST_SEQUENCE = 10071

_log = structlog.get_logger("publisher")


class PublishedLog(Protocol):
    """What the publisher reads: the log as far as a published checkpoint covers it."""

    def published(self) -> int:
        """Return the newest published position."""

    def entries(self, first: int, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
        """Return position, entry and leaf hash from ``first`` on, dense."""

    def previous_many(self, first: int, last: int) -> Mapping[int, tuple[int, int, int]]:
        """Return for each position the newest earlier ones of its province, city and county."""

    def checkpoint(self) -> tuple[int, bytes]:
        """Return size and note of the newest published checkpoint."""


class BatchLostError(Exception):
    """The server did not take the batch; whether it will is told by the tail."""


class FeedStream:
    """The streams over one connection, with what is known of their ends.

    Args:
        connection: An open connection that does not restore itself.
        log: The published log; called in threads.
        replicas: Copies of each stream.

    Attributes:
        tail: Last sequence of the entries, equal to the last position in the stream.
        lost_races: How often another publisher was faster.
    """

    def __init__(self, connection: Connection, log: PublishedLog, replicas: int) -> None:
        self._connection = connection
        self._js = connection.jetstream(timeout=_ANSWER_SECONDS)
        self._log = log
        self._replicas = replicas
        self._alarmed = False
        self._checkpoint_sequence = 0
        self._checkpoint_size = 0
        self._checkpoint_at = 0.0
        self._ahead: Sequence[Message] = ()
        self._ahead_of = 0
        self.tail = 0
        self.lost_races = 0

    async def resume(self) -> None:
        """Find the stream's end and make sure that it is the log's own word.

        Raises:
            FeedRefusedError: If a stream's configuration drifted, or the stream is ahead of the
                log or ends otherwise.
        """
        await feed.ensure_streams(self._js, self._replicas)
        state = (await self._js.stream_info(feed.ENTRIES)).state
        # The stream first: a rival may publish between the two, but only published positions.
        published = await asyncio.to_thread(self._log.published)
        if state.last_seq > published:
            raise FeedRefusedError(
                "The stream is ahead of the log.", sequence=state.last_seq, published=published
            )
        if state.last_seq:
            await self._verify_tail(state.last_seq)
            if state.first_seq != 1 or state.messages != state.last_seq:
                await self._alarm_gap(state.first_seq, state.messages, state.last_seq)
        self.tail = state.last_seq
        await self._find_checkpoint()

    async def advance(self) -> bool:
        """Publish the next batch; tell whether there may be more.

        Raises:
            FeedRefusedError: If the server's sequence is not the position.
        """
        published = await asyncio.to_thread(self._log.published)
        if self.tail >= published:
            return False
        messages = await self._next_batch(published)
        last = self.tail + len(messages)
        try:
            sequence, _ = await asyncio.gather(
                self._send(messages), self._build_ahead(last, published)
            )
        except APIError as error:
            if error.err_code != _WRONG_LAST_SEQUENCE:
                raise
            # A rival was faster, or our own last batch was stored without our hearing of it.
            self.lost_races += 1
            await self.resume()
            return True
        if sequence != last:
            raise FeedRefusedError(
                "The sequence is not the position.", sequence=sequence, position=last
            )
        self.tail = last
        return True

    async def publish_checkpoint(self) -> None:
        """Publish the newest note, at most once a second and once a size, when its entries are."""
        now = asyncio.get_running_loop().time()
        if now < self._checkpoint_at or self._checkpoint_size >= self.tail:
            return
        size, note = await asyncio.to_thread(self._log.checkpoint)
        if not self._checkpoint_size < size <= self.tail:
            return
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Nats-Expected-Last-Sequence": str(self._checkpoint_sequence),
        }
        try:
            ack = await self._js.publish(feed.CHECKPOINT_SUBJECT, note, headers=headers)
        except APIError as error:
            if error.err_code != _WRONG_LAST_SEQUENCE:
                raise
            await self._find_checkpoint()
            return
        self._checkpoint_sequence, self._checkpoint_size = ack.seq, size
        self._checkpoint_at = now + _CHECKPOINT_SECONDS

    async def inspect_durables(self, floors: Floors | None) -> None:
        """Keep the subscribers' floors or give them back, and tell of consumers that drifted."""
        if floors is not None:
            await floors.follow(self._js)
        for one in await durables(self._js):
            if one.drift:
                sentence = "A consumer is not configured as it must be."
                await self.alarm("consumer-drifted", sentence, consumer=one.name, drift=one.drift)

    async def alarm(self, kind: str, sentence: str, **facts: object) -> None:
        """Publish an alarm; the server drops the same one within two minutes."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = feed.alarm_body(kind, sentence, at, **facts)
        same = sha256(feed.alarm_body(kind, sentence, "", **facts)).hexdigest()
        headers = {"Content-Type": "application/json", "Nats-Msg-Id": same}
        await self._js.publish(feed.ALARM_SUBJECT, body, headers=headers)

    async def _next_batch(self, published: int) -> Sequence[Message]:
        """Return the messages behind the tail: built while the last ones were sent, or now."""
        if self._ahead and self._ahead_of == self.tail:
            return self._ahead
        last = min(self.tail + MAX_BATCH, published)
        return await asyncio.to_thread(self._build, self.tail + 1, last)

    async def _build_ahead(self, tail: int, published: int) -> None:
        """Build what follows a batch while that is sent: either takes about the same time."""
        self._ahead = ()
        last = min(tail + MAX_BATCH, published)
        if last > tail:
            self._ahead = await asyncio.to_thread(self._build, tail + 1, last)
            self._ahead_of = tail

    def _build(self, first: int, last: int) -> list[Message]:
        """Return the messages of a range of positions, in a thread."""
        rows = self._log.entries(first, last - first + 1)
        previous = self._log.previous_many(first, last)
        positions = [position for position, _, _ in rows]
        if positions != list(range(first, last + 1)) or previous.keys() != set(positions):
            raise FeedRefusedError("The log has a gap.", first=first, last=last)
        return [build(raw, position, Previous(*previous[position])) for position, raw, _ in rows]

    async def _send(self, messages: Sequence[Message]) -> int:
        """Store all messages behind the tail, or none; return the last one's sequence."""
        batch = uuid4().hex  # never used twice: two rivals under one id would mix their messages
        last = len(messages)
        more = {"Nats-Expected-Last-Sequence": str(self.tail)}
        if last > 1:
            # Asked by itself: tells at once that a rival was faster.
            await self._request(messages[0], place(batch, 1) | more)
            piece = encode(messages[1:-1], batch, 2)
            await self._connection._send_command(piece)  # noqa: SLF001  see `encode`
            more = {}
        more["Nats-Batch-Commit"] = "1"
        answer = await self._request(messages[-1], place(batch, last) | more)
        if answer.get("count") != len(messages):
            raise BatchLostError(answer)
        return int(answer["seq"])

    async def _request(self, message: Message, more: Mapping[str, str]) -> dict[str, int]:
        """Send a message with more headers; return what the server says of it."""
        subject, plain, body = message
        headers = {**plain, **more}
        reply = await self._connection.request(subject, body, _ANSWER_SECONDS, headers=headers)
        answer = json.loads(reply.data or b"{}")
        if "error" in answer:
            raise APIError.from_error(answer["error"])
        return dict(answer)

    async def _verify_tail(self, sequence: int) -> None:
        try:
            stored = await self._js.get_msg(feed.ENTRIES, seq=sequence)
        except NotFoundError as error:
            raise FeedRefusedError(
                "The end of the stream is unreadable.", sequence=sequence
            ) from error
        (ours,) = await asyncio.to_thread(self._build, sequence, sequence)
        if (stored.subject, stored.data) != (ours.subject, ours.body):
            raise FeedRefusedError("The stream ends with another message.", sequence=sequence)

    async def _alarm_gap(self, first: int, messages: int, last: int) -> None:
        """Say that history is missing, and go on: subscribers repair themselves over HTTP."""
        if not self._alarmed:
            self._alarmed = True
            sentence = "Messages are missing in the stream."
            _log.error("feed-incomplete", first_position=first, count=messages, sequence=last)
            await self.alarm("feed-incomplete", sentence, first=first, messages=messages, last=last)

    async def _find_checkpoint(self) -> None:
        try:
            newest = await self._js.get_last_msg(feed.CHECKPOINTS, feed.CHECKPOINT_SUBJECT)
        except NotFoundError:
            self._checkpoint_sequence = self._checkpoint_size = 0
            return
        self._checkpoint_sequence = newest.seq or 0
        self._checkpoint_size = int((newest.data or b"").split(b"\n")[1])
