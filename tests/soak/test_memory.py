"""Hours in minutes: a steady half load, and memory that must not grow with it.

`make crash` kills; this does not. What is measured is the slope of resident memory over time once
the first minutes are over, because caches, pools and the allocator fill up in the beginning.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from tests.crash import load as loading
from tests.crash.campaign import Campaign, count, new_installation, settle
from tests.crash.load import Country, Load
from tests.crash.serving import OWN_PROCESSES, Installation

SECONDS = 300
WARM_UP_SECONDS = 90
SAMPLE_SECONDS = 2.0
FULL_LOAD_SECONDS = 20
PARTS = (*OWN_PROCESSES, "supervisor")

MOST_RESIDENT_BYTES = 200 << 20
# Caches that fill with the log (tiles, records) are bounded but not full after minutes; a leak
# of 1 KiB a request would show as about 4 MiB a minute.
MOST_BYTES_A_MINUTE = 2 << 20
MOST_NEW_DESCRIPTORS = 16


@dataclass
class Sample:
    """One part at one moment."""

    at: float
    resident: int
    descriptors: int


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
                sample = Sample(time.monotonic(), process.memory_info().rss, process.num_fds())
                self.samples[name].append(sample)
            await asyncio.sleep(SAMPLE_SECONDS)

    def settled(self, name: str) -> list[Sample]:
        """The samples after the warm-up."""
        first = self.samples[name][0].at
        return [one for one in self.samples[name] if one.at - first > WARM_UP_SECONDS]

    def bytes_a_minute(self, name: str) -> float:
        """The slope of resident memory: median of the slopes between far points (Theil-Sen)."""
        found = self.settled(name)
        half = len(found) // 2
        pairs = zip(found, found[half:], strict=False)
        slopes = [(b.resident - a.resident) / (b.at - a.at) for a, b in pairs]
        return 60 * statistics.median(slopes)

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


async def watched(watch: Watch, country: Country, load: Load, pace: float) -> None:
    watching = asyncio.create_task(watch.run())
    try:
        await load_for(country, load, SECONDS, pace)
    finally:
        watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_under_half_the_load(installation, record_property):
    country = Country(installation.settings, installation.addresses().http_url)
    full, half = Load(), Load()
    asyncio.run(load_for(country, full, FULL_LOAD_SECONDS, 0.0))
    family_seconds = FULL_LOAD_SECONDS * loading.QUEUES / (full.doses / loading.DOSES_A_CHILD)
    watch = Watch(installation)
    asyncio.run(watched(watch, country, half, 2 * family_seconds))

    rates = full.doses / full.seconds, half.doses / half.seconds
    print(f"doses a second: {rates[0]:.0f} at full load, {rates[1]:.0f} at half")
    slopes = {name: watch.bytes_a_minute(name) for name in PARTS}
    descriptors = {name: watch.new_descriptors(name) for name in PARTS}
    largest = {name: max(one.resident for one in watch.samples[name]) for name in PARTS}
    for name in PARTS:
        print(
            f"{name}: {largest[name] >> 20} MiB at most, {slopes[name] / 1024:.0f} KiB a minute, "
            f"{descriptors[name]:+d} descriptors"
        )
        record_property(f"kib_a_minute_{name}", round(slopes[name] / 1024))
    assert {n: size for n, size in largest.items() if size > MOST_RESIDENT_BYTES} == {}
    assert {n: slope for n, slope in slopes.items() if slope > MOST_BYTES_A_MINUTE} == {}
    assert {n: more for n, more in descriptors.items() if more > MOST_NEW_DESCRIPTORS} == {}

    campaign = Campaign(0, installation)
    campaign.load.acknowledged = full.acknowledged + half.acknowledged
    settle(installation)
    count(campaign)
    assert not campaign.findings.wrong, str(campaign)
