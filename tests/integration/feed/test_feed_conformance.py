"""The conformance kit over a real NATS: our own consumers cope, a naive one fails where it must."""

import asyncio
import json
import runpy
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import nats
import psycopg
import pytest

from cli.conformance.consumer import CommandConsumer, Effect
from cli.conformance.playing import play
from cli.conformance.scenarios import SCENARIOS
from client import feed
from client.access import Access
from client.credentials import Credentials
from client.errors import RefutedError
from client.follow import Follower
from client.remembering import Memory
from tests.integration.feed.own_server import own_server

EXAMPLES = Path(__file__).parents[3] / "examples"
PATIENCE = 60.0
UNREACHABLE = ("ENOTFOUND", "ECONN", "TIMEOUT", "TIMEDOUT", "EAI_AGAIN", "E429", "E50")
"""What npm says of a registry that is not there, or not now."""


@pytest.fixture(scope="module")
def server():
    with own_server() as server:
        yield server


class TaskConsumer:
    """A consumer within this process; what it stored outlives its task, as a database would."""

    def __init__(self):
        self.kept = {}
        self.task = None

    async def start(self, access):
        self.task = asyncio.create_task(self.run(access))

    async def kill(self):
        if self.task is None:
            return
        while not self.task.done():  # the library may swallow a cancellation that meets an answer
            self.task.cancel()
            await asyncio.wait([self.task], timeout=0.2)
        with suppress(asyncio.CancelledError, RefutedError):
            await self.task
        self.task = None

    async def effect(self, access):
        _, applied, alarms = self.kept.get(access, (None, [], []))
        return Effect(tuple(applied), tuple(alarms))


class OurConsumer(TaskConsumer):
    async def run(self, path):
        stored, applied, alarms = self.kept.get(path, (None, [], []))
        self.kept[path] = stored, applied, alarms
        memory = Memory.decode(stored) if stored else None
        follower = Follower(Access.load(path), memory, lambda alarm: alarms.append(alarm.kind))
        async for batch in follower.batches():
            applied += [(event.position, event.leaf.hex()) for event in batch.events]
            self.kept[path] = batch.memory.encode(), applied, alarms


class NaiveConsumer(TaskConsumer):
    """Believes whatever comes, as the first draft of most consumers does."""

    async def run(self, path):
        _, applied, _ = self.kept.setdefault(path, (None, [], []))
        given = Credentials.load(path.with_name("credentials.json"))
        connection = await feed.connect(given.server(), reconnect=True)
        try:
            js = connection.jetstream(prefix=given.api_prefix)
            subscription = await js.pull_subscribe_bind(given.durable, given.stream)
            while True:
                with suppress(nats.errors.Error, TimeoutError):
                    for message in await subscription.fetch(10, timeout=1):
                        event = json.loads(message.data)
                        raw = message.data[message.data.index(b',"data":') + 8 : -1]
                        leaf = sha256(b"\0" + raw).hexdigest()
                        applied.append((int(event["id"]), leaf))
                        await message.ack()
        finally:
            await feed.close(connection)


def judged(server, consumer, names, seconds=PATIENCE):
    chosen = [one for one in SCENARIOS if one.name in names]
    assert len(chosen) == len(names)
    verdicts = asyncio.run(play(server, consumer, chosen, seconds))
    return {verdict.scenario.name: verdict.reason for verdict in verdicts}


@pytest.mark.parametrize("name", [one.name for one in SCENARIOS])
def test_a_consumer_on_our_client_copes_with(server, name):
    assert judged(server, OurConsumer(), [name]) == {name: ""}


def test_a_naive_consumer_copes_with_an_honest_feed_only(server):
    fine = ["in-order", "unknown-type", "newer-version"]
    assert judged(server, NaiveConsumer(), fine) == dict.fromkeys(fine, "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("duplicates", "applied more than once"),
        ("reordered", "applied out of order"),
        ("wrongly-hashed", "applied what the log has not"),
        ("forged", "applied what the log has not"),
    ],
)
def test_a_naive_consumer_fails_at(server, name, reason):
    assert reason in judged(server, NaiveConsumer(), [name])[name]


@pytest.mark.parametrize("name", ["missing", "forked"])
def test_a_naive_consumer_never_hears_of(server, name):
    assert judged(server, NaiveConsumer(), [name], seconds=1)[name]


@pytest.fixture(scope="module")
def sqlite():
    return CommandConsumer([sys.executable, str(EXAMPLES / "consumers" / "sqlite.py")])


@pytest.fixture
def postgresql(fresh_database):
    script = EXAMPLES / "consumers" / "postgresql.py"
    return CommandConsumer([sys.executable, str(script), fresh_database().log])


@pytest.fixture(scope="module")
def typescript(tmp_path_factory):
    """The TypeScript consumer, built from its locked packages."""
    if shutil.which("npm") is None:
        pytest.skip("node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("consumer") / "typescript"
    source = EXAMPLES / "consumer-typescript"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    try:
        had = subprocess.run(
            ["npm", "ci", *options, "--fetch-retries=1", "--fetch-timeout=60000"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("no package registry answers in time")
    if any(code in had.stderr for code in UNREACHABLE):
        pytest.skip("no package registry can be reached")
    assert had.returncode == 0, had.stderr
    subprocess.run(["npx", "--no-install", "tsc"], cwd=folder, check=True, timeout=200)
    return CommandConsumer(["node", str(folder / "dist" / "main.js")])


def test_consumers_that_begin_at_once_make_their_tables_once(fresh_database):
    """The follower, and whoever asks for its report before it has begun."""
    database, barrier = fresh_database().log, Barrier(4)
    tables = runpy.run_path(str(EXAMPLES / "consumers" / "postgresql.py"))["TABLES"]

    def make(_: int) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            barrier.wait(60)
            connection.execute(tables)

    with ThreadPoolExecutor(barrier.parties) as pool:
        list(pool.map(make, range(barrier.parties)))


@pytest.mark.parametrize(
    ("language", "name"),
    [("postgresql", "crash"), ("typescript", "forged-in-division")],
)
def test_an_example_copes_as_a_command_with(server, request, language, name):
    assert judged(server, request.getfixturevalue(language), [name]) == {name: ""}


@pytest.mark.long
@pytest.mark.parametrize("name", [one.name for one in SCENARIOS])
@pytest.mark.parametrize("language", ["sqlite", "postgresql", "typescript"])
def test_each_example_copes_as_a_command_with(server, request, language, name):
    assert judged(server, request.getfixturevalue(language), [name]) == {name: ""}
