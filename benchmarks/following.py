"""What follows the log in PostgreSQL: projections, live and made anew."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from benchmarks.contest import Contestant, Pace
from benchmarks.measuring import once
from benchmarks.proving import ENTRIES_A_SECOND
from benchmarks.site import Site
from projections.loop import LOG_PROJECTIONS, Projector

LIVE = "all projections, live"
REBUILD = "rebuild of "
_AMOUNT = 8_000


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """All projections live, and each of them anew."""
    amount = pace.amount(_AMOUNT)

    def more() -> None:
        site.grow(site.head + amount)
        site.integrate()

    def catch_up() -> int:
        with projector(site) as running:
            return running.catch_up()

    def behind() -> None:
        catch_up()
        more()

    def current() -> None:
        catch_up()

    names = [*(one.name for one in LOG_PROJECTIONS), "people"]
    return [
        Contestant(
            LIVE,
            ENTRIES_A_SECOND,
            lambda _: once(catch_up),
            behind,
            note=f"{len(names)} of them in one process, batches of 1,000",
        ),
        *(_rebuilt(site, name, current) for name in names),
    ]


@contextmanager
def projector(site: Site) -> Iterator[Projector]:
    """Lend a projector of a log."""
    settings = site.parts.settings
    assert settings.database_url is not None
    assert settings.keys_url is not None
    running = Projector(
        site.parts.reader, settings.database_url, settings.keys_url, site.parts.vault
    )
    with closing(running):
        yield running


def _rebuilt(site: Site, name: str, prepare: Callable[[], None]) -> Contestant:
    def work() -> int:
        with projector(site) as running:
            return running.rebuild(name)

    return Contestant(
        f"{REBUILD}{name}", ENTRIES_A_SECOND, lambda _: once(work), prepare, note="from entry 1"
    )
