"""How the feed is, as operators and Prometheus see it, from a real server."""

import asyncio

import nats
import pytest

from api.feed_watch import FeedWatch
from api.metrics import Metrics
from client import feed
from client.errors import UnavailableError
from client.feed import FeedServer
from client.feed_status import look
from tests.integration.feed.own_server import administrator, own_server, where
from tests.unit.client.written_log import WrittenLog, write_entry
from workers.publisher import Publisher

NOTE = b"ledger.example.cn/vax\n30\nAAAA\n\n\xe2\x80\x94 x yyyy\n"


@pytest.fixture(scope="module")
def server():
    with own_server() as server:
        yield server


async def fill(server, log):
    publisher = Publisher(log, where(server))
    stop = asyncio.Event()
    running = asyncio.create_task(publisher.run(stop))
    async with asyncio.timeout(60):
        while publisher.inspections == 0:  # noqa: ASYNC110  it has no event to await
            await asyncio.sleep(0.02)
    stop.set()
    await running


def shown(status):
    metrics = Metrics(queue=int, published=int, projected=int)
    metrics.show_feed(status)
    lines = metrics.text().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_a_feed_that_is_not_there_yet_or_not_there_is_not_up(server):
    nowhere = FeedServer("nats://127.0.0.1:9", monitor_urls=("http://127.0.0.1:9",))
    for place in (where(server), nowhere):
        with pytest.raises(UnavailableError):
            asyncio.run(look(place))
        assert asyncio.run(FeedWatch(place).current()) is None
    assert asyncio.run(FeedWatch(None).current()) is None
    assert shown(None)["vaxledger_feed_up"] == "0.0"


def test_position_checkpoint_lag_and_drift_of_each_subscriber_are_shown(server):
    log = WrittenLog([write_entry(n) for n in range(30)])
    log.note = (30, NOTE)
    subscribers = administrator(server)

    async def run():
        await fill(server, log)
        await subscribers.add("henan", "41", after=10)
        credentials = await subscribers.add("all", "")
        connection = await feed.connect(credentials.server(), reconnect=False)
        js = connection.jetstream(prefix=credentials.api_prefix)
        subscription = await js.pull_subscribe_bind(credentials.durable, feed.ENTRIES)
        for message in (await subscription.fetch(5, timeout=60))[:3]:
            await message.ack_sync()
        await connection.close()
        return await FeedWatch(where(server)).current()

    status = asyncio.run(run())
    assert (status.position, status.messages, status.checkpoint_size) == (30, 30, 30)
    assert status.checkpoint_at is not None
    assert (status.alarms, status.newest_alarm, status.problems) == (0, None, ())
    told = shown(status)
    assert told["vaxledger_feed_up"] == "1.0"
    assert told['vaxledger_subscriber_floor{subscriber="all"}'] == "3.0"
    assert told['vaxledger_subscriber_waiting{subscriber="all"}'] == "25.0"
    assert told['vaxledger_subscriber_unacknowledged{subscriber="all"}'] == "2.0"
    assert told['vaxledger_subscriber_parked{subscriber="henan"}'] == "0.0"
    assert told['vaxledger_subscriber_floor{subscriber="henan"}'] == "10.0"
    assert told['vaxledger_subscriber_drifted{subscriber="henan"}'] == "0.0"


def test_drift_of_the_streams_is_a_problem_in_a_sentence(server):
    async def run():
        connection = await nats.connect(
            server.url, user=server.admin_user, password=server.admin_password
        )
        js = connection.jetstream()
        config = feed.entries_config(1)
        config.max_msgs = 5_000
        await js.update_stream(config)
        status = await look(where(server))
        await js.update_stream(feed.entries_config(1))
        await connection.close()
        return status

    (problem,) = asyncio.run(run()).problems
    assert "max_msgs=5000" in problem
