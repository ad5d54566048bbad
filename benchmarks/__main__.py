"""`python -m benchmarks`: the short form, ten minutes at most, on this machine, side by side."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from benchmarks import (
    appending,
    booking,
    carrying,
    correcting,
    county,
    delivering,
    draining,
    floors,
    following,
    growing,
    growth_page,
    importing,
    judging,
    listing,
    machine,
    opening,
    over_http,
    peers,
    pricing,
    proving,
    reading,
    report,
    tall,
    telling,
)
from benchmarks.contest import Contestant, Pace, hold, reason_of, say
from benchmarks.ground import Ground, prepared
from benchmarks.installation import Served, served
from benchmarks.rows import Book, Failure
from benchmarks.site import Site, founded
from bootstrap.garbage import settle

SHORT = Pace(seconds=0.5, patience=1.0)
QUICK = Pace(rounds=1, seconds=0.2, scale=0.02)
_ENDS = {
    "floors": 45,
    "appends": 150,
    "http": 235,
    "reads": 300,
    "log": 360,
    "views": 405,
    "feed": 440,
    "growth": 490,
    "bookings": 505,
    "schools": 543,
    "rules": 553,
    "credentials": 562,
    "prices": 573,
    "opening": 3_600,
    "population": 3_600,
    "tenmillion": 3_600,
}
"""Seconds of the run after which a group begins no further round: a busy machine costs rounds.

At rest each has its three, with a few seconds to spare; what runs by itself has them always.
"""


class Run:
    """One run: what its groups share is made when the first of them needs it."""

    def __init__(self, ground: Ground, stack: ExitStack, pace: Pace) -> None:
        self.ground = ground
        self.pace = pace
        self._stack = stack

    @cached_property
    def site(self) -> Site:
        """A log that holds at every moment."""
        return self._stack.enter_context(founded(self.ground))

    @cached_property
    def proved(self) -> Site:
        """Another, whose size is that of its own groups."""
        return self._stack.enter_context(founded(self.ground))

    @cached_property
    def served(self) -> Served:
        """A whole installation."""
        return self._stack.enter_context(served(self.ground))

    def sizes(self) -> list[str]:
        """How long the logs have become."""
        found = [("append", "site"), ("log", "proved")]
        sizes = [f"{name} {getattr(self, at).head:,}" for name, at in found if at in vars(self)]
        return sizes + ([f"served {self.served.site.head:,}"] if "served" in vars(self) else [])

    def floors(self) -> list[Contestant]:
        """What the machine can at all."""
        return floors.contestants(self.ground, self.pace)

    def appends(self) -> list[Contestant]:
        """Peers and ours."""
        return [*peers.contestants(self.ground), *appending.contestants(self.site, self.pace)]

    def prices(self) -> list[Contestant]:
        """Safeguards left out, in a log of their own."""
        return pricing.contestants(self._stack.enter_context(founded(self.ground)), self.pace)

    def log(self) -> list[Contestant]:
        """Integrating and verifying."""
        return proving.contestants(self.proved, self.pace)

    def views(self) -> list[Contestant]:
        """Projections."""
        return following.contestants(self.proved, self.pace)

    def feed(self) -> list[Contestant]:
        """A backlog drained, and from the commit to the subscribers."""
        return [
            *draining.contestants(self.proved, self.pace),
            *delivering.contestants(self.ground, self.pace),
        ]

    def growth(self) -> list[Contestant]:
        """Appends to logs that are long already."""
        return growing.contestants(self.ground, self._stack, self.pace)

    def tenmillion(self) -> list[Contestant]:
        """Appends to a log that is very long."""
        return growing.contestants(self.ground, self._stack, self.pace, growing.LONG)

    def bookings(self) -> list[Contestant]:
        """The rush for seats."""
        return booking.contestants(self.site, self._stack, self.pace)

    def opening(self) -> list[Contestant]:
        """The minute at which seats open, over HTTP."""
        return opening.contestants(self.served, self._stack, self.pace)

    def schools(self) -> list[Contestant]:
        """A county's class pages and roll-ups, and a school's class list."""
        return [
            *county.contestants(self.ground, self._stack, self.pace),
            *correcting.contestants(self.served, self._stack, self.pace),
            *listing.contestants(self.served, self.pace),
        ]

    def http(self) -> list[Contestant]:
        """Doses over HTTP, single, in bulk and from a file."""
        return [
            *over_http.contestants(self.served, self.pace),
            *importing.contestants(self.served, self.pace),
        ]

    def reads(self) -> list[Contestant]:
        """Reads over HTTP."""
        return [
            *reading.contestants(self.served, self.pace),
            *tall.contestants(self.ground, self._stack, self.pace),
        ]

    def population(self) -> list[Contestant]:
        """Reads over HTTP among a million children."""
        return reading.population(self.served, self.pace)

    def groups(self) -> dict[str, Callable[[], list[Contestant]]]:
        """Every group by its name, in the order of the run."""
        return {
            "floors": self.floors,
            "appends": self.appends,
            "http": self.http,
            "reads": self.reads,
            "log": self.log,
            "views": self.views,
            "feed": self.feed,
            "growth": self.growth,
            "tenmillion": self.tenmillion,
            "bookings": self.bookings,
            "opening": self.opening,
            "population": self.population,
            "schools": self.schools,
            "rules": judging.contestants,
            "credentials": carrying.contestants,
            "prices": self.prices,
        }


def main() -> int:
    """Run what was asked for.

    Returns:
        0 if all rows were measured, 1 if some were not; they are named in the table.
    """
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through every `with` on the way out
    settle()  # as every process of an installation does
    started = time.monotonic()
    pace = QUICK if asked.quick else SHORT
    book = Book()
    book.facts.update(machine.describe())
    book.facts["load before"] = machine.load()
    with prepared() as ground, ExitStack() as stack:
        book.facts["durability"] = machine.durability(ground.postgres.superuser_url("postgres"))
        run = Run(ground, stack, pace)
        for name, group in run.groups().items():
            if name in asked.only or not (asked.only or name in report.ASKED_FOR):
                _hold(book, name, group, replace(pace, until=started + _ENDS[name]))
            if name == "http" and "served" in vars(run):  # the next put others into its read models
                book.facts[growth_page.BYTES_IN_ALL] = f"{run.served.bytes_an_entry():,}"
        book.facts["load after"] = machine.load()
        book.facts["entries in the end"] = ", ".join(run.sizes())
        if "site" in vars(run) and (size := run.site.bytes_an_entry()):
            book.facts[growth_page.BYTES_AN_ENTRY] = f"{size:,}"
    book.facts["payload"] = _PAYLOAD
    book.facts["run"] = (
        f"up to {pace.rounds} interleaved rounds in {time.monotonic() - started:.0f} s; "
        f"{book.quiet_turns} of {book.turns} turns began on a quiet machine"
    )
    folder = asked.results or report.place(book, asked.only, is_quick=asked.quick)
    report.write(book, folder)
    telling.tell()
    say(f"{folder / 'latest.md'}: {report.headline(book)}")
    return 1 if book.failures else 0


_PAYLOAD = (
    "one dose: peers store 388 B of JSON; ours an entry of 950 B, a signed envelope of 1,160 B and "
    "a sealed value of 270 B, with idempotency key, claim and guard; at the desk and over HTTP, of "
    "simulated families, 1,050, 1,290 and 270 B"
)


def _hold(book: Book, name: str, group: Callable[[], list[Contestant]], pace: Pace) -> None:
    say(name)
    try:
        contestants = group()
    except Exception as error:  # noqa: BLE001  one group must not cost the others
        book.failures.append(Failure(name, f"all of {name}", reason_of(error)))
        say(f"  failed: {reason_of(error)}")
        return
    hold(book, name, pace, contestants)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=list(report.TITLES),
        help="a group; may be repeated",
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny amounts: shows that all of it works"
    )
    parser.add_argument("--results", type=Path, help="where the results go instead")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
