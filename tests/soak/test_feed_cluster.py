"""The feed on three NATS nodes, of which one after the other is killed."""

import asyncio
import json
import random
import signal
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from bootstrap.embedded.binaries import nats_program
from bootstrap.embedded.nats import _free_port
from bootstrap.part import Child, Program
from client import durables, feed
from client.credentials import Credentials, inbox_prefix_of
from client.durables import ACCOUNT, account_of, durable_config, exports
from client.feed import FeedServer
from tests.crash.feed_campaign import FeedCampaign, Follower, kill_now, read_back
from tests.crash.feed_log import LogFile
from tests.unit.client.written_log import ORIGIN

NODES = 3
COUNT = 20_000
KILLS = 9
START_SECONDS = 60
DIVISIONS = {"subscriber-all": "", "subscriber-henan": "41", "subscriber-zhejiang": "33"}
PASSWORD = "known-to-this-test-only"


class Node:
    """One server of the cluster."""

    def __init__(self, folder: Path, name: str, ports: dict[str, int], routes: list[int]) -> None:
        self.ports = ports
        self.config = folder / f"{name}.conf"
        settings = {
            "server_name": name,
            "listen": f"127.0.0.1:{ports['client']}",
            "http": f"127.0.0.1:{ports['monitor']}",
            "jetstream": {"store_dir": str(folder / name), "sync_interval": "always"},
            "cluster": {
                "name": "feed",
                "listen": f"127.0.0.1:{ports['route']}",
                "routes": [f"nats://127.0.0.1:{port}" for port in routes],
            },
            "accounts": accounts(),
        }
        lines = (f"{key}: {json.dumps(value)}" for key, value in settings.items())
        self.config.write_text("\n".join(lines))
        self.child = Child(
            Program(
                name=name,
                argv=(str(nats_program()), "-c", str(self.config)),
                ready=self.is_ready,
                death_signal=signal.SIGKILL,
                output=folder / f"{name}.log",
            )
        )

    def is_ready(self) -> bool:
        monitor = HTTPConnection("127.0.0.1", self.ports["monitor"], timeout=1)
        try:
            monitor.request("GET", "/varz")
            return monitor.getresponse().status == 200
        except HTTPException:
            return False
        finally:
            monitor.close()

    def is_healthy(self) -> bool:
        """Whether its streams and consumers have caught up with the others'."""
        monitor = HTTPConnection("127.0.0.1", self.ports["monitor"], timeout=1)
        try:
            monitor.request("GET", "/healthz")
            return monitor.getresponse().status == 200
        except (HTTPException, OSError):
            return False
        finally:
            monitor.close()


def accounts():
    users = [{"user": "publisher", "password": PASSWORD}]
    own = {"jetstream": "enabled", "users": users, "exports": exports()}
    return {ACCOUNT: own} | {name: account_of(name, PASSWORD) for name in DIVISIONS}


@pytest.fixture
def nodes(tmp_path):
    taken: set[int] = set()
    ports = []
    for _ in range(NODES):
        mine = {}
        for kind in ("client", "monitor", "route"):
            mine[kind] = _free_port(taken)
            taken.add(mine[kind])
        ports.append(mine)
    routes = [one["route"] for one in ports]
    made = [Node(tmp_path, f"node{n}", mine, routes) for n, mine in enumerate(ports)]
    try:
        for node in made:
            node.child.start(START_SECONDS)
        yield made
    finally:
        for node in made:
            node.child.stop(START_SECONDS)


async def until(condition):
    async with asyncio.timeout(START_SECONDS):
        while not condition():  # noqa: ASYNC110  a server has no event to await
            await asyncio.sleep(0.1)


async def prepare(nodes, folder, seed):
    url = ",".join(f"nats://127.0.0.1:{node.ports['client']}" for node in nodes)
    monitors = tuple(f"http://127.0.0.1:{node.ports['monitor']}" for node in nodes)
    place = FeedServer(url, "publisher", PASSWORD, monitors, replicas=NODES)
    await until(lambda: all(node.is_healthy() for node in nodes))
    connection = await feed.connect(place, reconnect=False)
    js = connection.jetstream(timeout=START_SECONDS)
    await feed.ensure_streams(js, NODES)
    log = LogFile.write(folder, COUNT)
    campaign = FeedCampaign(folder, place, log, random.Random(seed))
    for name, division in DIVISIONS.items():
        await js.add_consumer(feed.ENTRIES, durable_config(name, division))
        mine = Credentials(url, name, PASSWORD, name, inbox_prefix_of(name), ORIGIN, division)
        campaign.followers.append(Follower(mine, log))
    await connection.close()
    return campaign


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_one_node_killed_at_a_time_loses_and_doubles_nothing(nodes, tmp_path, monkeypatch, seed):
    monkeypatch.setattr(durables, "ACK_SECONDS", 2.0)

    async def run():
        campaign = await prepare(nodes, tmp_path, seed)

        async def kill_nodes():
            for _ in range(KILLS):
                await asyncio.sleep(campaign.chance.uniform(0.5, 2.0))
                node = campaign.chance.choice(nodes)
                kill_now(node.child.pid)
                await asyncio.sleep(campaign.chance.uniform(0.0, 2.0))
                node.child.start(START_SECONDS)  # in this thread, with which it would die
                await until(node.is_healthy)

        await campaign.run(kill_nodes)
        await read_back(campaign.server, campaign.log)
        for follower in campaign.followers:
            assert follower.positions == follower.wanted
        print("repaired", {f.credentials.durable: f.repaired for f in campaign.followers})

    asyncio.run(run())
