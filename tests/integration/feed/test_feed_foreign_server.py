"""Subscribers of a NATS that is not ours: the printed account is included, and the feed works."""

import asyncio
import json
import os
import signal
import time
from http.client import HTTPConnection, HTTPException

import nats.errors
import pytest
from typer.testing import CliRunner

from bootstrap.embedded.binaries import nats_program
from bootstrap.embedded.nats import _free_port
from bootstrap.part import Child, Program
from cli.app import app
from client import feed
from client.credentials import Credentials
from client.durables import ACCOUNT, exports
from client.feed import FeedServer
from tests.integration.feed.own_server import made

COUNT = 24
PASSWORD = "known-to-this-test-only"
CONFIG = """
server_name: foreign
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
jetstream {{ store_dir: {store}, sync_interval: always }}
accounts {{
  {account} {{
    jetstream: enabled
    users: [ {{ user: publisher, password: {password} }} ]
    exports: {exports}
  }}
  include "subscribers.conf"
}}
"""


class Foreign:
    """A server with a configuration that somebody else keeps."""

    def __init__(self, folder):
        self.folder = folder
        client = _free_port(set())
        self._monitor = _free_port({client})
        settings = {
            "client": client,
            "monitor": self._monitor,
            "store": json.dumps(str(folder / "store")),
            "account": ACCOUNT,
            "password": PASSWORD,
            "exports": json.dumps(exports()),
        }
        (folder / "nats.conf").write_text(CONFIG.format(**settings))
        (folder / "subscribers.conf").write_text("")
        self.server = FeedServer(
            f"nats://127.0.0.1:{client}",
            "publisher",
            PASSWORD,
            (f"http://127.0.0.1:{self._monitor}",),
        )
        words = (str(nats_program()), "-c", str(folder / "nats.conf"))
        part = Program(
            name="foreign", argv=words, ready=self.is_ready, death_signal=signal.SIGKILL,
            output=folder / "log",
        )  # fmt: skip
        self.child = Child(part)

    def is_ready(self):
        try:
            return self.told("/healthz")["status"] == "ok"  # monitoring opens before clients
        except HTTPException:
            return False

    def told(self, path):
        monitor = HTTPConnection("127.0.0.1", self._monitor, timeout=60)
        try:
            monitor.request("GET", path)
            return json.loads(monitor.getresponse().read())
        finally:
            monitor.close()

    def include(self, block):
        """What its administrator does with the printed account: include it, reload twice."""
        (self.folder / "subscribers.conf").write_text(block)
        for _ in range(2):
            before = self.loaded_at()
            os.kill(self.child.pid, signal.SIGHUP)
            until(lambda before=before: self.loaded_at() != before)

    def loaded_at(self):
        return self.told("/varz")["config_load_time"]


@pytest.fixture
def foreign(tmp_path):
    found = Foreign(tmp_path)
    found.child.start(60)
    try:
        yield found
    finally:
        found.child.stop(60)


@pytest.fixture
def command(foreign, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAXLEDGER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VAXLEDGER_NATS_URL", foreign.server.url)
    monkeypatch.setenv("VAXLEDGER_NATS_USER", foreign.server.user)
    monkeypatch.setenv("VAXLEDGER_NATS_PASSWORD", foreign.server.password)

    def run(*words):
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


async def fill(server):
    connection = await feed.connect(server, reconnect=False)
    js = connection.jetstream()
    await feed.ensure_streams(js, 1)
    for subject, headers, body in made(COUNT)[1]:
        await js.publish(subject, body, headers=headers)
    await connection.close()


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def block_of(printed):
    """What follows the sentence that says what to do with it."""
    return printed[printed.index("\n", printed.index("reload")) :]


def test_the_printed_account_admits_and_another_ends_the_old_password(foreign, command, tmp_path):
    def admits(credentials):
        async def enter():
            connection = await feed.connect(credentials.server(), reconnect=False)
            try:
                await connection.jetstream(prefix=credentials.api_prefix).consumer_info(
                    feed.ENTRIES, credentials.durable
                )
            finally:
                await connection.close()

        try:
            asyncio.run(enter())
        except (nats.errors.Error, OSError):
            return False
        return True

    def tail():
        words = ("--credentials", "zj.json", "--until", str(COUNT), "--json")
        *rows, last = command("tail", *words).splitlines()
        return [json.loads(row)["position"] for row in rows], json.loads(last)["summary"]["events"]

    asyncio.run(fill(foreign.server))
    block = block_of(command("subscriber", "add", "zj", "--division", "33"))
    first = Credentials.load(tmp_path / "zj.json")
    assert not admits(first), "the command cannot make users there"
    foreign.include(block)
    until(lambda: admits(first))  # its imports begin to work a moment after the reload
    assert tail() == ([5, 11, 17, 23], 4)
    assert tail() == ([], 0), "it goes on where the consumer is"

    foreign.include(block_of(command("subscriber", "rotate", "zj")))
    until(lambda: admits(Credentials.load(tmp_path / "zj.json")))
    assert not admits(first)
