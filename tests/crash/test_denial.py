"""An installation under clients that mean no good: others are served, memory stays bounded."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
import pytest

from bootstrap.settings import Settings
from tests.crash.serving import Installation, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

CROWD = 500
ASKED = 50
SECONDS = 5.0
MOST_MORE_BYTES = 100 << 20
HEAD = b"POST /v1/evaluations/roll-up HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
DEEP = b"[" * 30_000 + b"]" * 30_000
WIDE = json.dumps({f"member-{number}": [] for number in range(3_000)}).encode()
Address = tuple[str, int]
Attack = Callable[[Address], None]


@pytest.fixture(scope="module")
def running(servers_dir: Path) -> Iterator[Installation]:
    installation = Installation(Settings(data_dir=servers_dir / "denial", port=free_port()))
    installation.start()
    try:
        installation.until_ready()
        yield installation
    finally:
        installation.stop()


def speak(address: Address, *words: bytes) -> None:
    """Say all of it, and read until the server hangs up."""
    with suppress(OSError), socket.create_connection(address, timeout=60) as client:
        for word in words:
            client.sendall(word)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65_536):
            pass


def body(content: bytes) -> tuple[bytes, bytes]:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(content), content


ATTACKS: dict[str, Attack] = {
    "many headers": lambda at: speak(at, HEAD, b"X-Many: 1\r\n" * 200_000),
    "one header without end": lambda at: speak(at, HEAD, b"X-Long: ", b"a" * (4 << 20)),
    "many ranges": lambda at: speak(
        at, b"GET /style.css HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b"0-0," * 10_000 + b"\r\n\r\n"
    ),
    "a body that says it is small": lambda at: speak(
        at,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b"a" * 65_536,
    ),
    "a body that says it is large": lambda at: speak(
        at, HEAD + b"Content-Length: 99999999999\r\n\r\n", b"a" * (1 << 20)
    ),
    "deep": lambda at: speak(at, *body(DEEP)),
    "wide": lambda at: speak(at, *body(WIDE)),
    "a bomb": lambda at: speak(
        at, HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + b"\x1f\x8b" * 10
    ),
    "a batch without a token": lambda at: speak(
        at,
        b"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        b"Content-Length: 16000000\r\n\r\n",
        b"{}\n" * 500_000,
    ),
    "requests in a pipeline": lambda at: speak(at, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 500),
}


def asked(url: str) -> list[float]:
    """Seconds of requests that mean well; each is answered."""
    taken = []
    with httpx.Client(base_url=url, timeout=60) as http:
        for _ in range(ASKED):
            started = time.perf_counter()
            assert http.get("/version").status_code == 200
            taken.append(time.perf_counter() - started)
    return taken


def api_of(running: Installation) -> psutil.Process:
    pid = running.pid_of("api")
    assert pid is not None
    return psutil.Process(pid)


def test_a_silent_crowd_costs_nothing(running: Installation):
    """500 clients that send a byte of a body and wait."""
    url = running.addresses().http_url
    address = ("127.0.0.1", running.settings.port)
    before, quiet = api_of(running).memory_info().rss, asked(url)
    with ExitStack() as crowd:
        for _ in range(CROWD):
            client = crowd.enter_context(socket.create_connection(address, timeout=60))
            client.sendall(HEAD + b"Content-Length: 60000\r\n\r\n{")
        crowded = asked(url)
    report("a silent crowd", quiet, crowded)
    assert api_of(running).memory_info().rss < before + MOST_MORE_BYTES


@pytest.mark.parametrize("kind", ATTACKS)
def test_others_are_served_and_memory_stays(running: Installation, kind: str):
    url = running.addresses().http_url
    address = ("127.0.0.1", running.settings.port)
    process, quiet = api_of(running), asked(url)
    before, most, stop = process.memory_info().rss, 0, threading.Event()

    def attack() -> None:
        while not stop.is_set():
            ATTACKS[kind](address)

    attackers = [threading.Thread(target=attack) for _ in range(4)]
    for attacker in attackers:
        attacker.start()
    try:
        until, attacked = time.monotonic() + SECONDS, []
        while time.monotonic() < until:
            attacked += asked(url)
            most = max(most, process.memory_info().rss)
    finally:
        stop.set()
        for attacker in attackers:
            attacker.join()
    report(kind, quiet, attacked)
    assert most < before + MOST_MORE_BYTES
    assert api_of(running).pid == process.pid, "it was ended and started again"


def report(kind: str, quiet: list[float], attacked: list[float]) -> None:
    """Print p99 without and with; what they may be is for a machine at rest to judge."""
    shown = [f"{quantiles(one, n=100)[98] * 1000:.1f} ms" for one in (quiet, attacked)]
    print(f"{kind}: p99 {shown[0]} before, {shown[1]} under it")
