"""Messages that are sent in vain: parked by the server, seen, sent again; a slow one harms none."""

import asyncio

import pytest

from client import durables, feed
from tests.integration.feed.own_server import administrator, fill, own_server

COUNT = 40
BAD = {7, 19}


@pytest.fixture
def server():
    with own_server() as server:
        yield server


async def bound(credentials):
    connection = await feed.connect(credentials.server(), reconnect=False)
    js = connection.jetstream(prefix=credentials.api_prefix)
    return connection, await js.pull_subscribe_bind(credentials.durable, feed.ENTRIES)


async def eat(credentials, refused, enough):
    """Acknowledge all but the refused until the administrator sees what was waited for."""
    connection, subscription = await bound(credentials)
    seen = []
    async with asyncio.timeout(60):
        while not await enough():
            try:
                messages = await subscription.fetch(50, timeout=0.3)
            except TimeoutError:
                continue
            for message in messages:
                sequence = message.metadata.sequence.stream
                seen.append(sequence)
                if sequence not in refused:
                    await message.ack_sync()
    await connection.close()
    return seen


def test_what_is_parked_is_listed_survives_a_restart_and_is_sent_again(server, monkeypatch):
    monkeypatch.setattr(durables, "ACK_SECONDS", 0.2)
    monkeypatch.setattr(durables, "MAX_DELIVER", 2)
    subscribers = administrator(server)

    async def parked():
        return {one.position: one.deliveries for one in await subscribers.parked(["slow"])}

    async def park():
        await fill(server, COUNT)
        credentials = await subscribers.add("slow", "")

        async def both():
            return len(await parked()) == len(BAD)

        seen = await eat(credentials, BAD, both)
        assert set(seen) == set(range(1, COUNT + 1))
        return credentials

    credentials = asyncio.run(park())
    server.restart()

    async def again():
        assert await parked() == dict.fromkeys(BAD, 2)
        assert (await subscribers.find("slow")).floor == min(BAD) - 1
        assert await subscribers.retry("slow") == min(BAD)

        async def none():
            return (await subscribers.find("slow")).floor == COUNT

        seen = await eat(credentials, (), none)
        assert set(seen) >= BAD  # with what lies between: it knows those positions already
        assert await parked() == {}

    asyncio.run(again())


def test_a_subscriber_gets_no_more_than_it_acknowledges(server, monkeypatch):
    monkeypatch.setattr(durables, "MAX_ACK_PENDING", 10)
    subscribers = administrator(server)

    async def run():
        await fill(server, COUNT)
        credentials = await subscribers.add("full", "")
        connection, subscription = await bound(credentials)
        first = await subscription.fetch(10, timeout=60)
        assert len(first) == 10
        with pytest.raises(TimeoutError):
            await subscription.fetch(COUNT, timeout=0.5)
        for message in first:
            await message.ack_sync()
        second = await subscription.fetch(10, timeout=60)
        assert [one.metadata.sequence.stream for one in second] == list(range(11, 21))
        await connection.close()

    asyncio.run(run())
