"""The publisher behind a log that is far ahead of the stream, as after an outage or a rebuild."""

import asyncio
import os
from contextlib import suppress

from nats.js.errors import NotFoundError

from benchmarks.contest import Contestant, Pace
from benchmarks.floors import bare_batches
from benchmarks.measuring import Measured
from benchmarks.proving import ENTRIES_A_SECOND
from benchmarks.site import Site
from client import feed
from client.feed import FeedServer
from workers.stream import MAX_BATCH, FeedStream

PUBLISH = "publish a backlog to NATS"
BARE = f"NATS atomic batches of {MAX_BATCH:,}, bodies as large"
_AMOUNT = 40_000
_BODY_BYTES = 1_480
"""About what the message of a dose has."""


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """The publisher, and bare NATS beside it."""
    amount = pace.amount(_AMOUNT)
    bodies = [os.urandom(_BODY_BYTES)] * amount
    where = FeedServer(
        site.ground.nats.url, site.ground.nats.admin_user, site.ground.nats.admin_password
    )

    def prepare() -> None:
        site.grow(amount)
        site.integrate()
        asyncio.run(_lose(where))

    return [
        Contestant(
            BARE,
            ENTRIES_A_SECOND,
            lambda _: asyncio.run(bare_batches(site.ground, bodies, MAX_BATCH)),
            note="synced",
        ),
        Contestant(
            PUBLISH,
            ENTRIES_A_SECOND,
            lambda _: asyncio.run(_drain(site, where, amount)),
            prepare,
            beside=BARE,
            note=f"{amount:,} entries read, messages built, atomic batches, synced",
        ),
    ]


async def _lose(where: FeedServer) -> None:
    """Delete what was published, and make the stream anew."""
    connection = await feed.connect(where, reconnect=False)
    try:
        js = connection.jetstream()
        with suppress(NotFoundError):
            await js.delete_stream(feed.ENTRIES)
        await feed.ensure_streams(js, where.replicas)
    finally:
        await connection.close()


async def _drain(site: Site, where: FeedServer, amount: int) -> Measured:
    connection = await feed.connect(where, reconnect=False)
    try:
        stream = FeedStream(connection, site.parts.reader, where.replicas)
        await stream.resume()
        loop = asyncio.get_running_loop()
        started = loop.time()
        while stream.tail < amount and await stream.advance():
            pass
        return Measured(stream.tail, loop.time() - started)
    finally:
        await connection.close()
