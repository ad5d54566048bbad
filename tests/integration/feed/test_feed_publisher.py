"""The publisher against a real NATS server: in order, once, whatever is killed or altered."""

import asyncio
import contextlib
import os
import random
import signal

import nats
import pytest

from client import feed
from client.errors import FeedRefusedError
from client.feed import FeedServer
from client.message import Previous, build, parse
from tests.integration.feed.own_server import own_server
from tests.unit.client.written_log import WrittenLog, write_entry
from workers.publisher import Publisher
from workers.stream import FeedStream


@pytest.fixture
def server():
    with own_server() as server:
        yield server


def where(server, **changes):
    given = {
        "url": server.url,
        "user": server.user,
        "password": server.password,
        "monitor_urls": (server.monitor_url,),
    }
    return FeedServer(**(given | changes))


async def admin(server):
    return await nats.connect(
        server.url, user=server.admin_user, password=server.admin_password, allow_reconnect=False
    )


@contextlib.asynccontextmanager
async def publishing(*publishers):
    stop = asyncio.Event()
    tasks = [asyncio.create_task(publisher.run(stop)) for publisher in publishers]
    try:
        yield tasks
    finally:
        stop.set()
        await asyncio.gather(*tasks)  # a publisher that gave up says why here


async def until(condition, seconds=60.0):
    for _ in range(round(seconds / 0.02)):
        if await condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"not within {seconds} s")


async def kill(task):
    """Cancel until it is gone: a library may swallow one cancellation that meets an answer."""
    for _ in range(30):
        task.cancel()  # not at once again: that would interrupt the closing of its connection
        done, _ = await asyncio.wait([task], timeout=2.0)
        if done:
            return
    pytest.fail("the publisher does not end")


def reached(publisher, position):
    async def condition():
        return publisher.position >= position

    return condition


async def stored(server, log):
    """Every message of the stream as it lies there, each proven to be what the log says."""
    connection = await admin(server)
    js = connection.jetstream()
    subscription = await js.subscribe(feed.ENTRY_SUBJECTS, ordered_consumer=True)
    state = (await js.stream_info(feed.ENTRIES)).state
    assert (state.first_seq, state.messages) == (1, state.last_seq)
    previous = log.previous_many(1, state.last_seq)
    for position in range(1, state.last_seq + 1):
        message = await subscription.next_msg(timeout=60)
        assert message.metadata.sequence.stream == position
        expected = build(log.raws[position - 1], position, Previous(*previous[position]))
        assert (message.subject, message.data) == (expected.subject, expected.body)
        assert parse(message.subject, message.headers, message.data).position == position
    await connection.close()
    return state.last_seq


def test_every_published_entry_lies_at_the_sequence_that_is_its_position(server):
    log = WrittenLog([write_entry(n) for n in range(1_203)])
    log.publish(1_200)

    async def run():
        publisher = Publisher(log, where(server))
        async with publishing(publisher):
            await until(reached(publisher, 1_200))
            assert await stored(server, log) == 1_200  # not one beyond what is published
            log.publish()
            await until(reached(publisher, 1_203))
        assert await stored(server, log) == 1_203

    asyncio.run(run())


def test_a_new_publisher_resumes_from_the_tail_alone(server):
    log = WrittenLog([write_entry(n) for n in range(700)])

    async def run():
        for size in (1, 2, 501, 700):
            log.publish(size)
            publisher = Publisher(log, where(server))
            async with publishing(publisher):
                await until(reached(publisher, size))
        assert await stored(server, log) == 700

    asyncio.run(run())


def test_two_rivals_with_random_kills_store_each_entry_once_and_in_order(server):
    chance = random.Random(20260901)
    log = WrittenLog([write_entry(n) for n in range(2_000)])
    log.publish(0)

    async def rival():
        for _ in range(10):
            publisher = Publisher(log, where(server))
            task = asyncio.create_task(publisher.run(asyncio.Event()))
            await asyncio.sleep(chance.uniform(0.02, 0.3))
            await kill(task)  # at whatever await it stands: mid-batch included
        publisher = Publisher(log, where(server))
        async with publishing(publisher):
            await until(reached(publisher, 2_000))

    async def grow():
        while log.published() < 2_000:
            log.publish(min(2_000, log.published() + chance.randrange(1, 120)))
            await asyncio.sleep(0.08)

    async def run():
        await asyncio.gather(rival(), rival(), grow())
        assert await stored(server, log) == 2_000

    asyncio.run(run())


def test_of_two_who_know_the_same_tail_one_loses_and_goes_on_behind_the_winner(server):
    log = WrittenLog([write_entry(n) for n in range(3)])

    async def run():
        connections = [await feed.connect(where(server), reconnect=False) for _ in range(2)]
        winner, loser = (FeedStream(connection, log, 1) for connection in connections)
        log.publish(2)
        await winner.resume()
        await loser.resume()
        assert await winner.advance()
        assert (winner.tail, loser.tail) == (2, 0)
        assert await loser.advance()
        assert (loser.tail, loser.lost_races, winner.lost_races) == (2, 1, 0)
        log.publish(3)
        assert await loser.advance()
        assert await stored(server, log) == 3
        for connection in connections:
            await connection.close()

    asyncio.run(run())


def test_a_server_killed_in_the_middle_loses_and_doubles_nothing(server):
    chance = random.Random(7)
    log = WrittenLog([write_entry(n) for n in range(2_000)])
    log.publish(0)

    async def run():
        rivals = Publisher(log, where(server)), Publisher(log, where(server))
        async with publishing(*rivals):
            for size in range(100, 2_001, 100):
                log.publish(size)
                await asyncio.sleep(chance.uniform(0, 0.05))
                if size % 400 == 0:
                    os.kill(server.pid, signal.SIGKILL)
                    server.restart()  # here: the server dies with the thread that started it
            await until(reached(rivals[0], 2_000))
            await until(reached(rivals[1], 2_000))
        assert await stored(server, log) == 2_000

    asyncio.run(run())


def refusal(log, place):
    async def run():
        await Publisher(log, place).run(asyncio.Event())

    with pytest.raises(FeedRefusedError) as caught:
        asyncio.run(asyncio.wait_for(run(), 60))
    return caught.value


def published_once(server, log):
    async def run():
        publisher = Publisher(log, where(server))
        async with publishing(publisher):
            await until(reached(publisher, log.published()))

    asyncio.run(run())


def alarms(server):
    async def run():
        connection = await admin(server)
        message = await connection.jetstream().get_last_msg(feed.ALARMS, feed.ALARM_SUBJECT)
        await connection.close()
        return message.data.decode()

    return asyncio.run(run())


def test_a_stream_ahead_of_the_log_is_refused_with_an_alarm(server):
    log = WrittenLog([write_entry(n) for n in range(20)])
    published_once(server, log)
    log.publish(19)  # a log restored from an older backup
    assert "ahead of the log" in str(refusal(log, where(server)))
    assert "ahead of the log" in alarms(server)


def test_a_stream_that_ends_with_another_entry_is_refused_with_an_alarm(server):
    log = WrittenLog([write_entry(n) for n in range(20)])
    published_once(server, log)
    log.raws[19] = write_entry(99)
    log.append(write_entry(21))
    log.publish()
    assert "another message" in str(refusal(log, where(server)))
    assert "another message" in alarms(server)


def test_a_foreign_message_in_the_stream_is_refused(server):
    log = WrittenLog([write_entry(n) for n in range(20)])
    published_once(server, log)

    async def intrude():
        connection = await admin(server)
        await connection.jetstream().publish("vax.41.02.05.forged.v1", b"{}")
        await connection.close()

    asyncio.run(intrude())
    log.append(write_entry(20))
    log.publish()
    assert "another message" in str(refusal(log, where(server)))


def test_a_limit_that_drops_history_is_refused_as_drift(server):
    log = WrittenLog([write_entry(n) for n in range(20)])
    published_once(server, log)

    async def limit():
        connection = await admin(server)
        config = feed.entries_config(1)
        config.max_msgs = 5
        await connection.jetstream().update_stream(config)
        await connection.close()

    asyncio.run(limit())
    found = refusal(log, where(server))
    assert found.fields["stream"] == "VAX"
    assert found.fields["max_msgs"] == 5


def test_a_server_of_which_nobody_knows_whether_it_syncs_is_refused(server):
    place = where(server, monitor_urls=())
    assert "nobody knows" in str(refusal(WrittenLog(), place))


def test_our_own_embedded_server_needs_no_monitor(server):
    log = WrittenLog([write_entry(1)])

    async def run():
        publisher = Publisher(log, where(server, monitor_urls=(), embedded=True))
        async with publishing(publisher):
            await until(reached(publisher, 1))

    asyncio.run(run())


def test_a_server_that_acknowledges_before_it_syncs_is_refused(server):
    config = server.home / "nats.conf"
    config.write_text(config.read_text().replace("sync_interval: always", 'sync_interval: "2m"'))
    server.restart()
    assert "sync_interval" in str(refusal(WrittenLog(), where(server)))


def test_checkpoints_go_to_their_own_stream_once_a_size_and_never_ahead_of_the_entries(server):
    log = WrittenLog([write_entry(n) for n in range(10)])
    log.note = (10, b"ledger.example.cn/vax\n10\nAAAA\n\n\xe2\x80\x94 x yyyy\n")

    async def newest(js):
        try:
            return await js.get_last_msg(feed.CHECKPOINTS, feed.CHECKPOINT_SUBJECT)
        except nats.js.errors.NotFoundError:
            return None

    async def run():
        connection = await admin(server)
        js = connection.jetstream()
        for _ in range(2):  # the second publisher finds the first one's checkpoint
            publisher = Publisher(log, where(server))
            async with publishing(publisher):
                await until(reached(publisher, 10))

                async def arrived():
                    return await newest(js) is not None

                await until(arrived)
                await asyncio.sleep(0.3)
        found = await newest(js)
        assert (found.seq, found.data) == (1, log.note[1])
        assert found.headers["Content-Type"] == "text/plain; charset=utf-8"
        log.note = (12, b"ledger.example.cn/vax\n12\nAAAA\n\n\xe2\x80\x94 x yyyy\n")
        publisher = Publisher(log, where(server))
        async with publishing(publisher):
            await until(reached(publisher, 10))
            await asyncio.sleep(0.3)
        assert (await newest(js)).seq == 1
        await connection.close()

    asyncio.run(run())
