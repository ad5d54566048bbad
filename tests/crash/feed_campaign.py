"""Two rival publishers and several subscribers, while a campaign kills what it likes."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nats.errors
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from client import feed
from client.continuity import Continuity
from client.credentials import Credentials
from client.feed import FeedServer
from client.message import Previous, build
from client.subscribe import Subscription
from ledger.entry import Entry
from tests.crash.feed_log import LogFile, save_server

REPOSITORY = Path(__file__).parents[2]
_FETCH = 500
_PATIENCE_SECONDS = 120


class Rival:
    """One publisher as a process, which is killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        words = [sys.executable, "-m", "tests.crash.feed_log", str(self._folder)]
        with (self._folder / "publishers.log").open("ab") as output:
            self._process = subprocess.Popen(words, cwd=REPOSITORY, stdout=output, stderr=output)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        assert self._process is not None
        assert self.is_running(), "a publisher gave up: see publishers.log"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@dataclass
class Follower:
    """A subscriber and what it has received."""

    credentials: Credentials
    log: LogFile
    positions: list[int] = field(default_factory=list)
    repaired: int = 0

    async def run(self) -> None:
        division = self.credentials.division
        subscription = Subscription(
            self.credentials.server(),
            Continuity(division),
            durable=self.credentials.durable,
            repair=self._repair,
        )
        async with aclosing(subscription.events()) as events:
            async for event in events:
                self.positions.append(event.position)
                self.repaired = subscription.repaired
                with contextlib.suppress(nats.errors.Error, OSError):
                    await event.ack()  # lost with its server: it comes again and is recognised

    async def _repair(self, after: int, upto: int) -> list[tuple[int, bytes]]:
        rows = ((p, self.log.raw(p)) for p in range(after + 1, upto + 1))
        division = self.credentials.division
        return [row for row in rows if Entry.decode(row[1]).division.startswith(division)]

    @cached_property
    def wanted(self) -> list[int]:
        """Every position of its division in the whole log."""
        division = self.credentials.division
        return [
            position
            for position in range(1, self.log.size + 1)
            if Entry.decode(self.log.raw(position)).division.startswith(division)
        ]


@dataclass
class FeedCampaign:
    """A log that grows, published and followed; what happens meanwhile is the caller's."""

    folder: Path
    server: FeedServer
    log: LogFile
    chance: random.Random
    rivals: list[Rival] = field(default_factory=list)
    followers: list[Follower] = field(default_factory=list)

    async def run(self, *troubles: Callable[[], Awaitable[None]]) -> None:
        """Run until every trouble is over and every subscriber has everything.

        Raises:
            AssertionError: If a follower failed, or none got on for two minutes.
        """
        save_server(self.folder, self.server)
        self.rivals += [Rival(self.folder), Rival(self.folder)]
        following = [asyncio.create_task(one.run()) for one in self.followers]
        try:
            for rival in self.rivals:
                rival.start()
            growing = asyncio.create_task(self._grow())
            for trouble in troubles:
                await trouble()
            await growing
            self.log.publish(self.log.size)
            await self._wait_until_complete(following)
        finally:
            for rival in self.rivals:
                rival.stop()
            await _end(following)

    async def _wait_until_complete(self, following: list[asyncio.Task[None]]) -> None:
        """Wait for as long as any subscriber gets on."""
        counts, moved = [-1], asyncio.get_running_loop().time()
        while not all(self._is_complete(one) for one in self.followers):
            failed = [one.exception() for one in following if one.done()]
            assert not failed, failed
            assert all(one.is_running() for one in self.rivals), self._last_words()
            await asyncio.sleep(0.1)
            now = asyncio.get_running_loop().time()
            before, counts = counts, [len(one.positions) for one in self.followers]
            moved = now if counts != before else moved
            assert now < moved + _PATIENCE_SECONDS, f"stuck at {counts}"

    async def kill_publishers(self, kills: int) -> None:
        """Kill either of the rivals, at whatever it is doing, and start it again."""
        for _ in range(kills):
            await asyncio.sleep(self.chance.uniform(0.2, 2.0))
            rival = self.chance.choice(self.rivals)
            rival.kill()
            rival.start()

    def _last_words(self) -> str:
        told = (self.folder / "publishers.log").read_text()
        return f"a publisher gave up: {told[-2_000:]}"

    def _is_complete(self, follower: Follower) -> bool:
        return len(follower.positions) >= len(follower.wanted)

    async def _grow(self) -> None:
        """Publish in uneven steps, for about a second for each thousand entries."""
        size = 0
        while size < self.log.size:
            step = self.chance.randrange(1, 2_000)
            size = min(self.log.size, size + step)
            self.log.publish(size)
            await asyncio.sleep(step / 1_000)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until all are gone: a library may swallow a cancellation that meets an answer."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.2)


async def read_back(server: FeedServer, log: LogFile) -> None:
    """Read all of the stream: each message is the log's, at its own position, and no other."""
    count = log.size
    connection = await feed.connect(server, reconnect=False)
    js = connection.jetstream()
    state = (await js.stream_info(feed.ENTRIES)).state
    assert (state.first_seq, state.last_seq, state.messages) == (1, count, count)
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, mem_storage=True
    )
    subscription = await js.pull_subscribe(feed.ENTRY_SUBJECTS, None, feed.ENTRIES, config)
    done, previous = 0, log.previous_many(1, count)
    while done < count:
        for message in await subscription.fetch(min(_FETCH, count - done), timeout=60):
            done += 1
            wanted = build(log.raw(done), done, Previous(*previous[done]))
            assert message.metadata.sequence.stream == done
            assert (message.subject, message.data) == (wanted.subject, wanted.body)
    await connection.close()


def kill_now(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
