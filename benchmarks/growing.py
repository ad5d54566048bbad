"""How the rate of appends holds while the log grows: the same load beside many earlier entries."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
import uvloop

from benchmarks import peers
from benchmarks.appending import Pile, append
from benchmarks.contest import Contestant, Pace
from benchmarks.ground import Ground
from benchmarks.measuring import Measured
from benchmarks.site import Site, founded
from ledger.store.append import Append

SIZES = (10_000, 100_000, 1_000_000)
LONG = (10_000, 10_000_000)
"""What takes minutes and some 20 GB of disk to plant."""
CALLERS = 256
_AMOUNT = 4_000
_PLANT = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")


def name_of(size: int) -> str:
    """The name of the row of a size."""
    return f"append beside {size:,} entries, {peers.callers_text(CALLERS)}"


def contestants(
    ground: Ground, stack: ExitStack, pace: Pace, sizes: Sequence[int] = SIZES
) -> list[Contestant]:
    """A log of each size, all planted before the first turn: planting fills disks and buffers."""
    sites = {size: stack.enter_context(founded(ground)) for size in sizes}
    for size, site in sites.items():
        _plant(site, pace.amount(size))
    return [_of_size(site, pace, size, beside=name_of(sizes[0])) for size, site in sites.items()]


def _of_size(site: Site, pace: Pace, size: int, beside: str) -> Contestant:
    pile = Pile(site, pace.amount(_AMOUNT))
    waiting: list[Append] = []

    def prepare() -> None:
        pile.sign()
        waiting[:] = pile.appends()

    def run(_seconds: float) -> Measured:
        ready, waiting[:] = list(waiting), ()
        return uvloop.run(append(site.writer, ready, CALLERS))

    name = name_of(size)
    return Contestant(
        name,
        peers.EVENTS,
        run,
        prepare,
        beside="" if name == beside else beside,
        callers=CALLERS,
        has_latency=True,
    )


def _plant(site: Site, size: int) -> None:
    """Give a log so many entries, with all that the store keeps beside each."""
    author = site.clinic.key.organisation  # founds the county, before positions are taken
    url = site.parts.settings.database_url
    assert url is not None
    unhurried = "-c statement_timeout=0 -c transaction_timeout=0"
    with psycopg.connect(url, options=unhurried) as connection:
        psycopg.ClientCursor(connection).execute(_PLANT.encode(), {"size": size, "author": author})
