"""What each safeguard costs: the same appends with one left out, in turns of some hundred.

A safeguard costs less than the machine wavers within a second, so all kinds take turns within one
turn of the run, and what disturbs one disturbs the next as well.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import uvloop

from benchmarks import peers
from benchmarks.appending import Pile, append
from benchmarks.contest import Contestant, Pace
from benchmarks.measuring import Measured
from benchmarks.site import Site
from ledger.entry import Entry
from ledger.store.append import Append, NewEvent

_AMOUNT = 2_048
_AT_ONCE = 512


def _bare(append: Append, **changes: Any) -> Append:
    """Return a submission without its sealed part: entry and blobs go together."""
    (event,) = append.events
    entry = replace(Entry.decode(event.entry), sealed=())
    return replace(append, events=(NewEvent.of(entry),), blobs=(), **changes)


WHOLE = "append with every safeguard"
_CHANGES: dict[str, Callable[[Append], Append]] = {
    WHOLE: lambda append: append,
    "append without sealed values": _bare,
    "append without envelope": lambda append: replace(append, envelopes=()),
    "append without claim and guard": lambda append: replace(append, claims=(), guards=()),
    "append of the bare entry": lambda append: _bare(append, envelopes=(), claims=(), guards=()),
}

KINDS = tuple(_CHANGES)


def contestants(site: Site, pace: Pace) -> list[Contestant]:
    """Each safeguard left out, at the most callers; the log holds no longer afterwards."""
    turns, callers = _Turns(site, pace.amount(_AMOUNT)), peers.CALLERS[-1]
    return [
        Contestant(
            peers.name_of(name, callers),
            peers.EVENTS,
            partial(turns.measured, name),
            turns.prepare,
            beside="" if name == WHOLE else peers.name_of(WHOLE, callers),
            callers=callers,
            has_latency=True,
        )
        for name in _CHANGES
    ]


class _Turns:
    """All kinds in turns; whoever is asked first in a round runs them all."""

    def __init__(self, site: Site, amount: int) -> None:
        self._site = site
        self._amount = amount
        self._waiting: dict[str, list[Append]] = {}
        self._measured: dict[str, Measured] = {}

    def prepare(self) -> None:
        """Make everybody's submissions, once a round."""
        if self._measured:
            return
        piles = [Pile(self._site, self._amount) for _ in _CHANGES]
        for pile in piles:
            pile.prepare()
        now = self._site.parts.services.clock()  # of all: in turns they must not go back in time
        for pile, (name, change) in zip(piles, _CHANGES.items(), strict=True):
            self._waiting[name] = [change(append) for append in pile.appends(now)]

    def measured(self, name: str, _seconds: float) -> Measured:
        """Tell how one kind did."""
        if not self._measured:
            self._measured = self._run()
        return self._measured.pop(name)

    def _run(self) -> dict[str, Measured]:
        found: dict[str, list[Measured]] = {name: [] for name in self._waiting}
        for start in range(0, self._amount, _AT_ONCE):
            for name, waiting in self._waiting.items():
                some = waiting[start : start + _AT_ONCE]
                work = append(self._site.writer, some, peers.CALLERS[-1])
                found[name].append(uvloop.run(work))
        return {name: _sum(parts) for name, parts in found.items()}


def _sum(parts: list[Measured]) -> Measured:
    return Measured(
        sum(part.count for part in parts),
        sum(part.seconds for part in parts),
        list(chain.from_iterable(part.latencies for part in parts)),
    )
