"""Making the feed's stream of entries anew from the log.

A running publisher need not stop: it loses its stream, starts over like everyone else, and fills
the new one together with us, each batch once. Messages are functions of the log, so the new
stream has the same subjects, bodies and sequences; only the ids of batches in its headers differ.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from bootstrap.durable import write_whole
from bootstrap.floors import FLOORS, Floors
from client import feed
from client.errors import FeedRefusedError
from client.feed import FeedServer
from client.message import Previous, build
from workers.publisher import Publisher
from workers.stream import PublishedLog

_FETCH = 500
_FETCH_SECONDS = 10.0
_LOOK_SECONDS = 0.05

_log = structlog.get_logger("rebuild")

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is, and of how much."""


class Rebuild:
    """Deletes the stream and fills it again; killed at any moment, it goes on when run again.

    Crash points: the floors are noted before the mark is written, and the mark, which names the
    stream to be deleted, before that is. A stream made after the mark is never deleted. The mark
    goes when everything is there and compared.

    Args:
        log: The published log; called in threads.
        server: Where the feed is.
        folder: Where floors and mark are kept.
    """

    def __init__(self, log: PublishedLog, server: FeedServer, folder: Path) -> None:
        self._log = log
        self._server = server
        self._floors = Floors(folder / FLOORS)
        self._mark = folder / "rebuilding"

    async def run(self, progress: Progress) -> int:
        """Make the stream anew; return the number of messages.

        Raises:
            FeedRefusedError: If the server may not be used, or the new stream is not the log's.
            nats.errors.Error: If the server does not answer; run again.
        """
        await feed.check_server(self._server)
        await self._begin()
        published = await asyncio.to_thread(self._log.published)
        await self._fill(published, progress)
        await self._compare(published, progress)
        self._mark.unlink()
        return published

    async def _begin(self) -> None:
        self._mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = await feed.connect(self._server, reconnect=False)
        try:
            js = connection.jetstream()
            with suppress(NotFoundError):  # lost altogether, or deleted before we were killed
                made = str((await js.stream_info(feed.ENTRIES)).created)
                if self._mark.exists() and self._mark.read_text() != made:
                    return
                await self._floors.note(js)
                write_whole(self._mark, made)
                await js.delete_stream(feed.ENTRIES)
                _log.warning("stream-deleted", stream=feed.ENTRIES)
            if not self._mark.exists():
                write_whole(self._mark, "")
            await feed.ensure_streams(js, self._server.replicas)
        finally:
            await connection.close()

    async def _fill(self, published: int, progress: Progress) -> None:
        publisher = Publisher(self._log, self._server, floors=self._floors)
        stop = asyncio.Event()
        running = asyncio.create_task(publisher.run(stop))
        try:
            while publisher.inspections == 0 and not running.done():
                progress("fill", publisher.position, published)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            stop.set()
            await running

    async def _compare(self, published: int, progress: Progress) -> None:
        """Read all of the new stream and compare it with the log."""
        connection = await feed.connect(self._server, reconnect=False)
        try:
            await self._read(connection.jetstream(), published, progress)
        finally:
            await connection.close()

    async def _read(self, js: JetStreamContext, published: int, progress: Progress) -> None:
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True
        )
        subscription = await js.pull_subscribe(feed.ENTRY_SUBJECTS, None, feed.ENTRIES, config)
        done = 0
        while done < published:
            wanted = min(_FETCH, published - done)
            told: list[Msg] = []
            while len(told) < wanted:
                told += await subscription.fetch(wanted - len(told), timeout=_FETCH_SECONDS)
            ours = await asyncio.to_thread(self._messages, done + 1, wanted)
            for message, (subject, headers, body) in zip(told, ours, strict=True):
                done += 1
                same = message.metadata.sequence.stream == done
                same = same and (message.subject, message.data) == (subject, body)
                if not same or not headers.items() <= (message.headers or {}).items():
                    raise FeedRefusedError("The stream is not the log's.", position=done)
            progress("compare", done, published)
        await subscription.unsubscribe()

    def _messages(self, first: int, count: int) -> list[tuple[str, dict[str, str], bytes]]:
        rows = self._log.entries(first, count)
        previous = self._log.previous_many(first, first + count - 1)
        return [build(raw, position, Previous(*previous[position])) for position, raw, _ in rows]
