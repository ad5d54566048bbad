"""A province lives at half the load, is looked at meanwhile, and memory must not grow with it.

`make crash` kills; this does not. What is measured is the slope of resident memory over the second
half of the time, because caches, pools and the allocator fill up in the beginning, and what only a
collection lets go of gathers for up to a quarter of an hour where little is made (the integrator
asks its witness once a second). `make soak` takes an hour, `make soak MINUTES=10` ten minutes.

`--soak-result benchmarks/results/memory/latest.json` keeps it for docs/growth.md (`make docs`).
"""

import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from benchmarks.machine import describe
from benchmarks.wire import connected, request
from tests.crash import load as loading
from tests.crash.campaign import new_installation, settle
from tests.crash.load import Country, Load
from tests.crash.serving import OWN_PROCESSES, Installation

READS_A_SECOND = 20
DOSE = "vaccination-record.dose-administered.v1"
WRITES_A_CHILD = 15  # of a simulated one, in six years; fewer than it really has
SAMPLE_SECONDS = 10.0
FULL_LOAD_SECONDS = 20
PARTS = (*OWN_PROCESSES, "supervisor")

MOST_RESIDENT_BYTES = 200 << 20
# Of all the second half: 100 bytes lost in each of 50 writes a second would be 9 MiB of half an
# hour. What fills up but is bounded makes the slope of a shorter run steeper.
MOST_BYTES = 6 << 20
MOST_NEW_DESCRIPTORS = 16
"""Beside connections that were accepted: the province opens up to 64 as answers become slow."""


@dataclass
class Sample:
    """One part at one moment; descriptors are those beside accepted connections."""

    at: float
    resident: int
    descriptors: int


def callers(process: psutil.Process) -> int:
    """How many connections a process has accepted: as many as its callers hold open."""
    found = process.net_connections("tcp")
    listening = {one.laddr for one in found if one.status == psutil.CONN_LISTEN}
    return sum(one.laddr in listening for one in found if one.status != psutil.CONN_LISTEN)


@dataclass
class Watch:
    """Samples of all parts, taken while a load runs."""

    installation: Installation
    samples: dict[str, list[Sample]] = field(default_factory=lambda: {name: [] for name in PARTS})

    async def run(self) -> None:
        while True:
            for name in PARTS:
                pid = self.installation.pid_of(name)
                assert pid is not None, f"{name} does not run"
                process = psutil.Process(pid)
                beside = process.num_fds() - callers(process)
                sample = Sample(time.monotonic(), process.memory_info().rss, beside)
                self.samples[name].append(sample)
            await asyncio.sleep(SAMPLE_SECONDS)

    def settled(self, name: str) -> list[Sample]:
        """The samples of the second half."""
        found = self.samples[name]
        return found[len(found) // 2 :]

    def bytes_an_hour(self, name: str) -> float:
        """The slope of resident memory: median of the slopes between far points (Theil-Sen)."""
        found = self.settled(name)
        half = len(found) // 2
        pairs = zip(found, found[half:], strict=False)
        slopes = [(b.resident - a.resident) / (b.at - a.at) for a, b in pairs]
        return 3_600 * statistics.median(slopes)

    def new_descriptors(self, name: str) -> int:
        """By how much the number of open descriptors grew from the first to the last third."""
        found = [one.descriptors for one in self.settled(name)]
        third = len(found) // 3
        return max(found[-third:]) - max(found[:third])


@pytest.fixture
def installation(servers_dir) -> Iterator[Installation]:
    installation = new_installation(servers_dir)
    installation.start()
    installation.until_ready()
    yield installation
    installation.stop()


async def load_for(country: Country, load: Load, seconds: float, pace: float) -> None:
    """Record doses for some seconds."""
    end = time.monotonic() + seconds
    families = loading.families(0, lambda: time.monotonic() < end)
    await loading.run(country, families, load, pace)


@contextmanager
def living(installation: Installation, rate: float, seconds: float) -> Iterator[None]:
    """Let a simulated province live in the installation; each of its writes is proven."""
    children = int(rate * seconds / WRITES_A_CHILD) + 100
    words = ("simulate", "--rate", f"{rate:.1f}", "--children", str(children), "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *words],
        cwd=installation.folder,
        env=installation.settings.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield
        assert process.poll() is None, "the province has ended too early"
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        print(f"the province: {json.loads(told.splitlines()[-1])}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


async def look(country: Country, port: int, records: list[str]) -> None:
    """Ask for records and timelines for ever, at a fixed rate."""
    regulator = country.regulator().client.caller.token
    async with connected(port, 4) as lines:
        while True:
            path = f"/v1/records/{random.choice(records)}{random.choice(('', '/timeline'))}"
            answer = await lines.call(request("GET", path, regulator))
            assert answer.status == 200, f"{answer.status}: {answer.body[:200]!r}"
            await asyncio.sleep(1 / READS_A_SECOND)


async def watched(watch: Watch, looking: Coroutine[None, None, None], seconds: float) -> None:
    """Watch while somebody looks; neither ends by itself."""
    both = [asyncio.ensure_future(watch.run()), asyncio.ensure_future(looking)]
    done, waiting = await asyncio.wait(both, timeout=seconds, return_when="FIRST_EXCEPTION")
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    for one in done:
        one.result()


def keep(path: Path, watch: Watch, rate: float, seconds: float) -> None:
    """Write what docs/growth.md tells of it (benchmarks/kept.py)."""
    mebibyte = 1 << 20
    parts = {
        name: {
            "half-way": watch.settled(name)[0].resident / mebibyte,
            "at the end": watch.settled(name)[-1].resident / mebibyte,
            "at most": max(one.resident for one in watch.samples[name]) / mebibyte,
            "an hour": watch.bytes_an_hour(name) / mebibyte,
        }
        for name in PARTS
    }
    facts = {
        "date": describe()["date"],
        "commit": describe()["commit"],
        "minutes": seconds / 60,
        "writes a second": round(rate, 1),
        "reads a second": READS_A_SECOND,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"facts": facts, "parts": parts}, indent=1) + "\n", encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_memory_does_not_grow_under_half_the_load(installation, record_property, pytestconfig):
    seconds = 60 * pytestconfig.getoption("--soak-minutes")
    country = Country(installation.settings, installation.addresses().http_url)
    full = Load()
    asyncio.run(load_for(country, full, FULL_LOAD_SECONDS, 0.0))
    doses = (one.write.statement for one in full.acknowledged if one.topic == DOSE)
    records = sorted({str(dose.stream) for dose in doses})
    half = pytestconfig.getoption("--soak-rate") or full.doses / full.seconds / 2
    print(f"{full.doses / full.seconds:.0f} doses a second at full load, {half:.0f} now")
    watch = Watch(installation)
    with living(installation, half, seconds):
        looking = look(country, installation.settings.port, records)
        asyncio.run(watched(watch, looking, seconds))
    slopes = {name: watch.bytes_an_hour(name) for name in PARTS}
    descriptors = {name: watch.new_descriptors(name) for name in PARTS}
    if (kept := pytestconfig.getoption("--soak-result")) is not None:
        keep(kept, watch, half, seconds)
    largest = {name: max(one.resident for one in watch.samples[name]) for name in PARTS}
    for name in PARTS:
        print(
            f"{name}: {watch.settled(name)[0].resident >> 20} MiB half-way, "
            f"{largest[name] >> 20} at most, {slopes[name] / (1 << 20):.1f} MiB an hour, "
            f"{descriptors[name]:+d} descriptors"
        )
        record_property(f"mib_an_hour_{name}", round(slopes[name] / (1 << 20), 1))
    assert {n: size for n, size in largest.items() if size > MOST_RESIDENT_BYTES} == {}
    steepest = MOST_BYTES / (seconds / 2 / 3_600)
    assert {n: slope for n, slope in slopes.items() if slope > steepest} == {}
    assert {n: more for n, more in descriptors.items() if more > MOST_NEW_DESCRIPTORS} == {}

    settle(installation)
