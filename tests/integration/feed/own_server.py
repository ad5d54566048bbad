"""What tests of the feed share: a NATS of their own, its administrator, a filled stream."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.nats_users import NatsUsers
from bootstrap.floors import Floors
from bootstrap.subscribers import Subscribers
from client import feed
from client.feed import FeedServer
from client.message import Message, Previous, build
from tests.unit.client.written_log import ORIGIN, WrittenLog, write_entry


@contextmanager
def own_server() -> Iterator[EmbeddedNats]:
    """Lend a server that a test may kill and spoil."""
    with tempfile.TemporaryDirectory() as home:
        embedded = EmbeddedNats.start(Path(home) / "data")
        try:
            yield embedded
        finally:
            embedded.stop()


def where(server: EmbeddedNats) -> FeedServer:
    """Return where the feed is, as the publisher."""
    return FeedServer(server.url, server.user, server.password, (server.monitor_url,))


def administrator(server: EmbeddedNats) -> Subscribers:
    """Return who makes and ends subscribers."""
    return Subscribers(where(server), ORIGIN, Floors.of(server.home), NatsUsers(server.home))


def made(count: int) -> tuple[WrittenLog, list[Message]]:
    """Return a log and its messages."""
    log = WrittenLog([write_entry(n) for n in range(count)])
    previous = log.previous_many(1, count)
    return log, [build(log.raws[p - 1], p, Previous(*previous[p])) for p in range(1, count + 1)]


async def fill(server: EmbeddedNats, count: int) -> None:
    """Make the streams and store a log's messages."""
    connection = await feed.connect(where(server), reconnect=False)
    js = connection.jetstream()
    await feed.ensure_streams(js, 1)
    for subject, headers, body in made(count)[1]:
        await js.publish(subject, body, headers=headers)
    await connection.close()
