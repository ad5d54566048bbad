"""What follows the log in PostgreSQL: projections, live and made anew."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from benchmarks.contest import Contestant, Pace
from benchmarks.measuring import once
from benchmarks.proving import ENTRIES_A_SECOND
from benchmarks.site import Site
from projections import people
from projections.change import ReadAhead
from projections.collecting import rare_collections
from projections.connection import PROJECT, PROJECT_PEOPLE
from projections.loop import BATCH_LIMIT, LOG_PROJECTIONS, Projector
from projections.target import Target

LIVE = "all projections, live"
ALONE = ", live and alone"
REBUILD = "rebuild of all projections"
_AMOUNT = 8_000


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """All projections live, each of them alone, and all of them anew."""
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

    names = [*(one.name for one in LOG_PROJECTIONS), people.NAME]
    return [
        Contestant(
            LIVE,
            ENTRIES_A_SECOND,
            lambda _: once(catch_up),
            behind,
            note=f"{len(names)} of them in one process, batches of 1,000",
        ),
        *(_alone(site, name, more) for name in names),
        _rebuilt(site, names, current),
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


def _alone(site: Site, name: str, more: Callable[[], None]) -> Contestant:
    """One projection over entries that the others may have behind them, or still before them."""
    target = _target(site, name)

    def behind() -> None:
        if target.positions()[name] >= site.head:
            more()

    def work() -> int:
        first = at = target.positions()[name]
        with rare_collections(), closing(ReadAhead(site.parts.reader, BATCH_LIMIT)) as ahead:
            while (batch := ahead.read(at)).changes:
                target.advance([name], batch)
                at = batch.last
        target.close()
        return at - first

    return Contestant(f"{name}{ALONE}", ENTRIES_A_SECOND, lambda _: once(work), behind)


def _target(site: Site, name: str) -> Target:
    settings = site.parts.settings
    assert settings.database_url is not None
    assert settings.keys_url is not None
    if name == people.NAME:
        shown = [people.projection(site.parts.vault)]
        return Target(settings.keys_url, PROJECT_PEOPLE, "people", shown)
    return Target(settings.database_url, PROJECT, "views", LOG_PROJECTIONS)


def _rebuilt(site: Site, names: list[str], prepare: Callable[[], None]) -> Contestant:
    def work() -> int:
        with projector(site) as running:
            return running.rebuild(*names)

    note = f"{len(names)} of them from entry 1, swapped in"
    return Contestant(REBUILD, ENTRIES_A_SECOND, lambda _: once(work), prepare, note=note)
