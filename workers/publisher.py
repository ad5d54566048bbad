"""The publisher: copies the published part of the log into the stream, position by position.

The stream is written by publishers only, so its last sequence is the resume point: nothing is
noted anywhere else, and no leader is needed. Each batch is atomic and states the sequence it
expects to follow; of two rivals one wins and the other reads the tail again. Whatever fails, the
connection is dropped and the ordinary start runs: resume, verify the tail, go on.

Crash points: before a batch is committed nothing of it is stored; after it all of it is, whether
or not we heard the acknowledgement, and the next resume finds it.
"""

import asyncio
import contextlib
import time

import httpx
import nats.errors
import structlog

from bootstrap.floors import Floors
from bootstrap.tracing import Tracer
from client import feed
from client.errors import FeedRefusedError
from client.feed import FeedServer
from ledger.store.errors import StoreUnavailable
from ledger.store.listening import PUBLISHED, wakeups
from workers.stream import MAX_BATCH, BatchLostError, FeedStream, PublishedLog

_PULL_SECONDS = 1.0
_INSPECT_SECONDS = 30.0
_RETRY_SECONDS = 0.2
_CLOSE_SECONDS = 2.0
_GATHER_SECONDS = 0.05
"""After a batch that was not full, so that a busy log makes fewer and larger ones."""

_log = structlog.get_logger("publisher")


class Publisher:
    """Publishes until it is stopped, through every loss of either server.

    Args:
        log: The published log; called in threads.
        server: Where the feed is.
        wake_url: Database whose channel ``vaxledger_published`` rings; None to pull only.
        floors: Where subscribers' floors are kept; None to keep none.
        traces: Where spans go; None for nowhere.

    Attributes:
        position: Last position that is known to be in the stream.
        lost_races: How often another publisher was faster.
        inspections: How often it has drained the log and looked at the subscribers.
    """

    def __init__(
        self,
        log: PublishedLog,
        server: FeedServer,
        wake_url: str | None = None,
        floors: Floors | None = None,
        traces: Tracer | None = None,
    ) -> None:
        self._log = log
        self._server = server
        self._wake_url = wake_url
        self._floors = floors
        self._traces = traces
        self._bell = asyncio.Event()
        self.position = 0
        self.lost_races = 0
        self.inspections = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until ``stop`` is set.

        Raises:
            FeedRefusedError: If the server syncs lazily, a stream's configuration drifted, or the
                stream says something else than the log. An alarm was published, if that was
                possible; a human decides.
        """
        listener = asyncio.create_task(self._listen(self._wake_url)) if self._wake_url else None
        try:
            while not stop.is_set():
                try:
                    await self._publish(stop)
                except _TRANSIENT as error:
                    _log.warning("feed-interrupted", reason=repr(error), position=self.position)
                    await _pause(stop, _RETRY_SECONDS)
        finally:
            if listener is not None:
                listener.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listener

    async def _publish(self, stop: asyncio.Event) -> None:
        """Publish over one connection, for as long as it lasts."""
        connection = await feed.connect(self._server, reconnect=False)
        try:
            stream = FeedStream(connection, self._log, self._server.replicas)
            await self._follow(stream, stop)
        finally:
            # Not drained: what was not acknowledged is looked up, not trusted. And bounded: the
            # library may wait for a server that is gone.
            with contextlib.suppress(*_TRANSIENT):
                await asyncio.wait_for(connection.close(), _CLOSE_SECONDS)

    async def _follow(self, stream: FeedStream, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        inspect_at = 0.0
        try:
            while not stop.is_set():
                is_due = loop.time() >= inspect_at
                if is_due:
                    await feed.check_server(self._server)
                    await stream.resume()
                    inspect_at = loop.time() + _INSPECT_SECONDS
                self._bell.clear()
                await self._drain(stream, stop)
                await stream.publish_checkpoint()
                if is_due and not stop.is_set():
                    await stream.inspect_durables(self._floors)
                    self.inspections += 1
                await self._wait(stop)
        except FeedRefusedError as refusal:
            _log.error("feed-refused", reason=str(refusal))
            with contextlib.suppress(*_TRANSIENT):
                await stream.alarm("feed-refused", refusal.message, **refusal.fields)
            raise
        finally:
            self.lost_races += stream.lost_races

    async def _drain(self, stream: FeedStream, stop: asyncio.Event) -> None:
        while not stop.is_set():
            began, before = time.time_ns(), stream.tail
            if not await stream.advance():
                break
            self._trace(range(before + 1, stream.tail + 1), (began, time.time_ns()))
            is_full = stream.tail - self.position >= MAX_BATCH
            self.position = stream.tail
            if not is_full:
                await _pause(stop, _GATHER_SECONDS)
        self.position = stream.tail

    def _trace(self, positions: range, times: tuple[int, int]) -> None:
        if self._traces is not None:
            for position in filter(self._traces.chooses, positions):
                self._traces.step(position, "publish", times)

    async def _wait(self, stop: asyncio.Event) -> None:
        """Wait for the bell, for the stop or for the next pull."""
        waiters = [asyncio.create_task(event.wait()) for event in (self._bell, stop)]
        try:
            await asyncio.wait(waiters, timeout=_PULL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()

    async def _listen(self, url: str) -> None:
        """Ring the bell at each notification; when the database is away, the pull goes on."""
        async for _ in wakeups(url, PUBLISHED):
            self._bell.set()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


_TRANSIENT = (
    BatchLostError,
    nats.errors.Error,
    StoreUnavailable,
    httpx.HTTPError,
    OSError,
    TimeoutError,
)
