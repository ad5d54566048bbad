"""An installation under clients that mean no good: others are served, memory stays bounded.

Whether others wait at most twice as long is judged with `--at-rest`, on a machine that does nothing
else. Attackers have a process of their own at the lowest priority: they share the processors with
what they attack, as they would not elsewhere. What one attack costs is measured apart from that, in
the server's CPU time, which says something on a busy machine too.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
import pytest

from bootstrap.settings import Settings
from tests.crash.attacks import ATTACKS, HEAD
from tests.crash.serving import REPOSITORY, Installation, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

CROWD = 500
ASKED = 200
SECONDS = 5.0
REPEATED = 20
SETTLED_SECONDS = 0.3
MOST_TIMES = 2
LEAST_MS = 10.0  # what anybody may wait for; below it a doubling says nothing
MOST_MORE_BYTES = 100 << 20


@pytest.fixture(scope="module")
def running(servers_dir: Path) -> Iterator[Installation]:
    installation = Installation(Settings(data_dir=servers_dir / "denial", port=free_port()))
    installation.start()
    try:
        installation.until_ready()
        yield installation
    finally:
        installation.stop()


def asked(url: str) -> list[float]:
    """Seconds of requests that mean well; each is answered."""
    taken = []
    with httpx.Client(base_url=url, timeout=60) as http:
        for _ in range(ASKED):
            started = time.perf_counter()
            assert http.get("/version").status_code == 200
            taken.append(time.perf_counter() - started)
    return taken


def cost(running: Installation, kind: str) -> float:
    """Milliseconds of the server's CPU time that one attack takes."""
    process, address = api_of(running), ("127.0.0.1", running.settings.port)
    before = process.cpu_times()
    for _ in range(REPEATED):
        ATTACKS[kind](address)
    time.sleep(SETTLED_SECONDS)  # what it still does for them
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / REPEATED * 1000


def api_of(running: Installation) -> psutil.Process:
    pid = running.pid_of("api")
    assert pid is not None
    return psutil.Process(pid)


def test_a_silent_crowd_costs_nothing(running: Installation, pytestconfig: pytest.Config):
    """500 clients that send a byte of a body and wait."""
    url = running.addresses().http_url
    address = ("127.0.0.1", running.settings.port)
    before, quiet = api_of(running).memory_info().rss, asked(url)
    with ExitStack() as crowd:
        for _ in range(CROWD):
            client = crowd.enter_context(socket.create_connection(address, timeout=60))
            client.sendall(HEAD + b"Content-Length: 60000\r\n\r\n{")
        crowded = asked(url)
    judge("a silent crowd", quiet, crowded, is_at_rest=pytestconfig.getoption("--at-rest"))
    assert api_of(running).memory_info().rss < before + MOST_MORE_BYTES


@pytest.mark.parametrize("kind", ATTACKS)
def test_others_are_served_and_memory_stays(
    running: Installation, kind: str, pytestconfig: pytest.Config
):
    url, most, attacked = running.addresses().http_url, 0, []
    process, quiet = api_of(running), asked(url)
    before = process.memory_info().rss
    print(f"{kind}: {cost(running, kind):.1f} ms of CPU each")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.attacks", kind, str(running.settings.port)],
        cwd=REPOSITORY,
    ) as attackers:
        try:
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                attacked += asked(url)
                most = max(most, process.memory_info().rss)
            assert attackers.poll() is None
        finally:
            attackers.kill()
    judge(kind, quiet, attacked, is_at_rest=pytestconfig.getoption("--at-rest"))
    assert most < before + MOST_MORE_BYTES
    assert api_of(running).pid == process.pid, "it was ended and started again"


def judge(kind: str, quiet: list[float], attacked: list[float], *, is_at_rest: bool) -> None:
    """Print p99 without and with an attack; on a machine at rest, expect at most twice its own."""
    alone, under = (quantiles(one, n=100)[98] * 1000 for one in (quiet, attacked))
    print(f"{kind}: p99 {alone:.1f} ms before, {under:.1f} ms under it")
    assert under <= MOST_TIMES * max(alone, LEAST_MS) or not is_at_rest
