"""The embedded NATS under real kills; messages are counted after each."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from urllib.request import urlopen

import nats
import pytest

from bootstrap.embedded import directory
from bootstrap.embedded.nats import EmbeddedNats
from bootstrap.errors import DirectoryInUseError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path):
    return tmp_path


@pytest.fixture
def server(place):
    server = EmbeddedNats.start(place)
    yield server
    server.stop()


async def publish(server, count, after=0):
    """Publish and return the acknowledged sequences."""
    connection = await nats.connect(server.url, user=server.user, password=server.password)
    stream = connection.jetstream()
    await stream.add_stream(name="KILLED", subjects=["vax.killed"])
    acked = [
        (await stream.publish("vax.killed", str(n).encode())).seq
        for n in range(after, after + count)
    ]
    await connection.close()
    return acked


async def contents(server):
    connection = await nats.connect(server.url, user=server.user, password=server.password)
    stream = connection.jetstream()
    last = (await stream.stream_info("KILLED")).state.last_seq
    found = [int((await stream.get_msg("KILLED", n)).data) for n in range(1, last + 1)]
    await connection.close()
    return found


def answer_to(server, **credentials):
    """What the server says to a client's CONNECT, in its own protocol."""
    host, port = server.url.removeprefix("nats://").split(":")
    with socket.create_connection((host, int(port)), 60) as connection:
        lines = connection.makefile("rb")
        lines.readline()
        hello = json.dumps({"verbose": False, "pedantic": False, **credentials})
        connection.sendall(f"CONNECT {hello}\r\nPING\r\n".encode())
        return lines.readline()


def is_answering(server):
    try:
        return server.is_ready()
    except OSError:
        return False


def test_every_acknowledged_message_is_synced_and_the_server_is_local(server):
    with urlopen(f"{server.monitor_url}/varz") as answer:
        found = json.load(answer)
    assert found["jetstream"]["config"]["sync_always"] is True
    assert found["jetstream"]["config"]["store_dir"].startswith(str(server.home))
    assert found["max_payload"] == 1 << 20
    assert found["host"] == found["http_host"] == "127.0.0.1"


def test_kill_loses_no_acknowledged_message_and_the_address_stays(server):
    acked = []
    url = server.url
    for _ in range(3):
        acked += asyncio.run(publish(server, 200, after=len(acked)))
        os.kill(server.pid, signal.SIGKILL)
        server.restart()
    assert server.url == url
    assert acked == list(range(1, 601))
    assert asyncio.run(contents(server)) == list(range(600))


def test_a_frozen_server_is_replaced(server):
    asyncio.run(publish(server, 5))
    os.kill(server.pid, signal.SIGSTOP)
    server.restart()
    assert asyncio.run(contents(server)) == list(range(5))


def test_only_users_with_their_password_get_in(server):
    assert b"Authorization Violation" in answer_to(server)
    assert b"Authorization Violation" in answer_to(server, user=server.user, **{"pass": "guess"})
    assert answer_to(server, user=server.user, **{"pass": server.password}) == b"PONG\r\n"
    for name in ("passwords.json", "accounts.conf", "nats.conf"):
        assert stat.S_IMODE((server.home / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(server.home.stat().st_mode) == 0o700


def test_the_publisher_writes_below_its_subjects_only(server):
    async def attempt():
        told = asyncio.Queue()

        async def note(error):
            told.put_nowait(str(error))

        connection = await nats.connect(
            server.url, user=server.user, password=server.password, error_cb=note
        )
        await connection.publish("elsewhere", b"")
        async with asyncio.timeout(60):
            error = await told.get()
        await connection.close()
        return error

    assert "elsewhere" in asyncio.run(attempt())


def test_the_admin_may_do_everything(server):
    async def attempt():
        connection = await nats.connect(
            server.url, user=server.admin_user, password=server.admin_password
        )
        inbox = await connection.subscribe("anything.at.all")
        await connection.publish("anything.at.all", b"x")
        message = await inbox.next_msg(60)
        await connection.close()
        return message.data

    assert asyncio.run(attempt()) == b"x"


def test_ports_and_passwords_are_remembered(place):
    first = EmbeddedNats.start(place)
    first.stop()
    second = EmbeddedNats.start(place)
    second.stop()
    assert (second.url, second.monitor_url, second.password) == (
        first.url,
        first.monitor_url,
        first.password,
    )


def test_a_port_that_a_stranger_took_is_given_up(place):
    server = EmbeddedNats.start(place)
    server.stop()
    port = int(server.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        again = EmbeddedNats.start(place)
        assert again.url != server.url
        assert again.monitor_url == server.monitor_url
        again.stop()


def test_a_stranger_on_our_port_is_not_taken_for_our_server(place, server):
    other = EmbeddedNats.prepare(place / "other")
    other._ports = server._ports
    assert server.is_ready()
    assert not other.is_ready()
    other.stop()


def test_ports_are_outside_the_range_of_outgoing_connections(server):
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(port < max(first, 13_000) for port in server._ports.values())


def test_the_second_of_two_owners_is_refused(place, server):
    with pytest.raises(DirectoryInUseError):
        EmbeddedNats.start(place)
    assert server.is_ready()


OWNER = dedent("""
    import sys, time
    from pathlib import Path
    from bootstrap.embedded.nats import EmbeddedNats
    server = EmbeddedNats.start(Path(sys.argv[1]))
    print(server.pid, flush=True)
    time.sleep(600)
""")


@pytest.mark.parametrize("frozen", [False, True], ids=["running", "frozen"])
def test_kill_of_the_owner_ends_the_server(place, frozen):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place)], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    pid = int(owner.stdout.readline())
    if frozen:
        os.kill(pid, signal.SIGSTOP)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    server = EmbeddedNats.start(place)
    assert server.pid != pid
    assert directory.processes_of("nats-server", str(place)) == [server.pid]
    server.stop()


def test_a_server_that_somebody_started_by_hand_is_stopped_before_ours_starts(place):
    server = EmbeddedNats.start(place)
    asyncio.run(publish(server, 7))
    server.stop()
    by_hand = subprocess.Popen(
        [server._program, "-c", server.home / "nats.conf"], stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not is_answering(server):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    again = EmbeddedNats.start(place)
    by_hand.wait(60)
    assert asyncio.run(contents(again)) == list(range(7))
    again.stop()


@pytest.mark.parametrize(
    "name", ["with space", 'it\'s "quoted" #1 $HOME', "接种 账本", "long-" * 30]
)
def test_any_directory_name_works(place, name):
    server = EmbeddedNats.start(place / name)
    assert asyncio.run(publish(server, 1)) == [1]
    server.stop()
