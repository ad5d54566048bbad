"""The feed while publishers and NATS are killed, and once its power is cut."""

import asyncio
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.embedded.nats_users import NatsUsers
from bootstrap.floors import Floors
from bootstrap.subscribers import Subscribers
from client import durables, feed
from client.feed import FeedServer
from tests.crash.feed_campaign import FeedCampaign, Follower, kill_now, read_back
from tests.crash.feed_log import LogFile
from tests.unit.client.written_log import ORIGIN

SEED = 20261121  # the long campaign draws another
DIVISIONS = {"all": "", "henan": "41", "kaifeng": "4102", "county": "410203", "zhejiang": "33"}


@pytest.fixture
def server():
    with tempfile.TemporaryDirectory() as home:
        embedded = EmbeddedNats.start(Path(home) / "data")
        try:
            yield embedded
        finally:
            embedded.stop()


async def prepare(server, folder, count, seed):
    place = FeedServer(server.url, server.user, server.password, (server.monitor_url,))
    connection = await feed.connect(place, reconnect=False)
    await feed.ensure_streams(connection.jetstream(), 1)
    await connection.close()
    subscribers = Subscribers(place, ORIGIN, Floors.of(server.home), NatsUsers(server.home))
    log = LogFile.write(folder, count)
    campaign = FeedCampaign(folder, place, log, random.Random(seed))
    for name, division in DIVISIONS.items():
        campaign.followers.append(Follower(await subscribers.add(name, division), log))
    return campaign


def cut_power(server):
    """Copy the store while it is written to, as a dying machine leaves it, and go on from that."""
    store = server.home / "jetstream"
    copy = server.home / "copy"
    # cp tells of files that vanish while it copies; what it has is what a disk would have
    subprocess.run(["cp", "-a", store, copy], check=False, capture_output=True)
    kill_now(server.pid)
    shutil.rmtree(store)
    copy.rename(store)
    server.restart()


@pytest.mark.parametrize(
    ("count", "kills"),
    [
        (2_000, (2, 2)),
        pytest.param(100_000, (50, 21), marks=[pytest.mark.long, pytest.mark.timeout(1_800)]),
    ],
)
def test_nothing_is_missing_doubled_or_out_of_order(
    server, tmp_path, monkeypatch, seed, count, kills
):
    monkeypatch.setattr(durables, "ACK_SECONDS", 2.0)  # so that what a kill lost comes again soon
    publisher_kills, server_kills = kills
    seed = SEED if count < 10_000 else seed

    async def run():
        campaign = await prepare(server, tmp_path, count, seed)

        async def kill_servers():
            for number in range(server_kills):
                await asyncio.sleep(campaign.chance.uniform(0.2, 3.0))
                if number == server_kills // 2:
                    cut_power(server)
                else:
                    kill_now(server.pid)
                    server.restart()  # in this thread, with which it would die

        async def troubles():
            await asyncio.gather(campaign.kill_publishers(publisher_kills), kill_servers())

        await campaign.run(troubles)
        await read_back(campaign.server, campaign.log)
        for follower in campaign.followers:
            assert follower.positions == follower.wanted
        print("repaired", {f.credentials.durable: f.repaired for f in campaign.followers})
        assert sum(rival.kills for rival in campaign.rivals) == publisher_kills

    asyncio.run(run())
