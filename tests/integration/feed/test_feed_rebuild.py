"""The stream made anew: the same bytes, every subscriber where it was, whatever is killed."""

import asyncio
import contextlib
import os
import signal

import nats
import pytest

from bootstrap.embedded.nats_users import ACCOUNT
from bootstrap.floors import FLOORS, Floors
from client import feed
from client.credentials import name_of
from client.durables import durables
from tests.integration.feed.own_server import administrator, own_server, where
from tests.unit.client.written_log import WrittenLog, write_entry
from workers.publisher import Publisher
from workers.rebuild import Rebuild

COUNT = 1_500


@pytest.fixture
def server():
    with own_server() as server:
        yield server


@pytest.fixture(scope="module")
def log():
    return WrittenLog([write_entry(n) for n in range(COUNT)])


@contextlib.asynccontextmanager
async def publishing(publisher):
    stop = asyncio.Event()
    task = asyncio.create_task(publisher.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def inspected(publisher, times=1):
    async with asyncio.timeout(60):
        while publisher.inspections < times:  # noqa: ASYNC110  it has no event to await
            await asyncio.sleep(0.02)


async def contents(server):
    """Every message as it lies there, but for the ids of batches."""
    connection = await nats.connect(
        server.url, user=server.admin_user, password=server.admin_password
    )
    js = connection.jetstream()
    subscription = await js.subscribe(feed.ENTRY_SUBJECTS, ordered_consumer=True)
    last = (await js.stream_info(feed.ENTRIES)).state.last_seq
    found = []
    for _ in range(last):
        message = await subscription.next_msg(timeout=60)
        plain = {k: v for k, v in message.headers.items() if not k.startswith("Nats-")}
        sequence = message.metadata.sequence.stream
        found.append((sequence, message.subject, plain, message.data))
    await connection.close()
    return found


async def consume(credentials, count):
    """Acknowledge some messages as a subscriber does; return the positions."""
    connection = await feed.connect(credentials.server(), reconnect=False)
    js = connection.jetstream(prefix=credentials.api_prefix)
    subscription = await js.pull_subscribe_bind(credentials.durable, feed.ENTRIES)
    positions = []
    while len(positions) < count:
        for message in await subscription.fetch(min(100, count - len(positions)), timeout=60):
            positions.append(message.metadata.sequence.stream)
            await message.ack_sync()
    await connection.close()
    return positions


async def filled(server, log, floors):
    publisher = Publisher(log, where(server), floors=floors)
    async with publishing(publisher):
        await inspected(publisher)
        everything = await administrator(server).add("all", "")
        henan = await administrator(server).add("henan", "41")
        eaten = await consume(everything, 700), await consume(henan, 200)
    await note(server, floors)
    return (everything, henan), eaten


async def note(server, floors):
    connection = await feed.connect(where(server), reconnect=False)
    await floors.note(connection.jetstream())
    await connection.close()


async def standing(server):
    connection = await feed.connect(where(server), reconnect=False)
    found = await durables(connection.jetstream())
    await connection.close()
    ours = [one for one in found if name_of(one.name)]
    return [(one.name, one.division, one.floor, one.drift) for one in ours]


def test_a_rebuilt_stream_is_the_same_and_subscribers_go_on_where_they_were(server, log, tmp_path):
    async def run():
        credentials, eaten = await filled(server, log, Floors(tmp_path / FLOORS))
        before, stood = await contents(server), await standing(server)
        steps = set()
        rival = Publisher(log, where(server), floors=Floors(tmp_path / "rival.json"))
        async with publishing(rival):  # it loses its stream, and helps to fill the new one
            await inspected(rival)
            rebuild = Rebuild(log, where(server), tmp_path)
            assert await rebuild.run(lambda step, *_: steps.add(step)) == COUNT
        assert await contents(server) == before
        assert await standing(server) == stood
        assert steps == {"fill", "compare"}
        assert not (tmp_path / "rebuilding").exists()
        assert (await consume(credentials[0], COUNT - 700)) == list(range(701, COUNT + 1))
        assert (await consume(credentials[1], 1))[0] > eaten[1][-1]

    asyncio.run(run())


class Killed(BaseException):
    """Stands for SIGKILL at a step: nothing after it runs."""


def test_killed_at_any_step_it_goes_on_when_run_again(server, log, tmp_path, monkeypatch):
    """Before the mark, before the deletion, before the filling, before the comparison."""

    def dying(name, after=0):
        calls = iter(range(after + 1))
        whole = getattr(Rebuild, name)

        async def die(self, *args):
            if next(calls, after) == after:
                raise Killed
            return await whole(self, *args)

        return die

    async def run():
        await filled(server, log, Floors(tmp_path / FLOORS))
        before, stood = await contents(server), await standing(server)
        rebuild = Rebuild(log, where(server), tmp_path)
        for step in ("_begin", "_fill", "_compare"):
            with monkeypatch.context() as patched:
                patched.setattr(Rebuild, step, dying(step))
                with pytest.raises(Killed):
                    await rebuild.run(lambda *_: None)
        kept = (tmp_path / FLOORS).read_text()
        assert "subscriber-henan" in kept
        assert await rebuild.run(lambda *_: None) == COUNT
        assert (await contents(server), await standing(server)) == (before, stood)

    asyncio.run(run())


class _Freeing:
    """JetStream whose folder somebody holds until a stream was refused there."""

    def __init__(self, js, held):
        self._js = js
        self._held = held

    async def add_stream(self, config):
        try:
            return await self._js.add_stream(config)
        except nats.js.errors.ServerError:
            self._held.unlink(missing_ok=True)
            raise


def test_a_stream_whose_folder_is_held_is_made_as_soon_as_that_is_free(server):
    folder = server.home / "jetstream" / "jetstream" / ACCOUNT / "streams"
    held = folder / feed.ENTRIES

    async def run():
        connection = await feed.connect(where(server), reconnect=False)
        js = connection.jetstream()
        await feed.ensure_streams(js, 1)
        await js.delete_stream(feed.ENTRIES)
        held.touch()
        await feed.make_stream(_Freeing(js, held), feed.entries_config(1))
        assert not held.is_file()
        await feed.check_streams(js, 1)
        await connection.close()

    asyncio.run(run())


def test_a_store_that_is_lost_with_its_server_comes_back_with_every_subscriber(
    server, log, tmp_path
):
    floors = Floors(tmp_path / FLOORS)
    (everything, _), _ = asyncio.run(filled(server, log, floors))
    stood = asyncio.run(standing(server))
    os.kill(server.pid, signal.SIGKILL)
    (server.home / "jetstream").rename(server.home / "lost")
    server.restart()

    async def run():
        publisher = Publisher(log, where(server), floors=floors)
        async with publishing(publisher):
            await inspected(publisher)
        assert await standing(server) == stood
        assert (await consume(everything, 1)) == [701]

    asyncio.run(run())


def test_a_consumer_that_somebody_edited_or_made_is_an_alarm(server, log, tmp_path):
    async def run():
        floors = Floors(tmp_path / FLOORS)
        await filled(server, log, floors)
        connection = await nats.connect(
            server.url, user=server.admin_user, password=server.admin_password
        )
        js = connection.jetstream()
        config = (await js.consumer_info(feed.ENTRIES, "subscriber-henan")).config
        config.filter_subject = "vax.33.>"
        await js.add_consumer(feed.ENTRIES, config)
        await js.add_consumer(feed.ENTRIES, durable_name="foreign", deliver_subject="stolen")
        for _ in range(2):  # the second publisher's alarms are the first one's
            publisher = Publisher(log, where(server), floors=floors)
            async with publishing(publisher):
                await inspected(publisher)
        state = (await js.stream_info(feed.ALARMS)).state
        told = [(await js.get_msg(feed.ALARMS, seq=n)).data.decode() for n in (1, 2)]
        await connection.close()
        assert state.messages == 2
        assert "foreign" in told[0]
        assert '"drift": ["name"]' in told[0]
        assert "subscriber-henan" in told[1]
        assert "filter_subject" in told[1]

    asyncio.run(run())


def test_a_consumer_that_vanished_comes_back_and_one_that_was_revoked_does_not(
    server, log, tmp_path
):
    floors = Floors.of(server.home)

    async def run():
        await filled(server, log, floors)
        stood = await standing(server)
        connection = await feed.connect(where(server), reconnect=False)
        await connection.jetstream().delete_consumer(feed.ENTRIES, "subscriber-all")
        await connection.close()
        await administrator(server).revoke("henan")
        publisher = Publisher(log, where(server), floors=floors)
        async with publishing(publisher):
            await inspected(publisher)
        assert await standing(server) == [one for one in stood if one[0] == "subscriber-all"]

    asyncio.run(run())
