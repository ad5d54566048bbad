"""The years of a whole province, day by day: what happens to all children, merged in order.

A life is drawn once, when the child is born, and what is still to come of it waits in a few bytes;
the child itself is made again where too many others were heard of since. So a million children
cost memory only for their futures, and those of one county at a time hardly any.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache, partial
from struct import Struct

from domain.schedules.schedule import Schedule
from simulation.child import Child, child
from simulation.life import Event, Happening, life
from simulation.province import Province

_EVENT = Struct("<HHBBB")
"""Days since the first one, clinic, kind, word, dose."""
_KINDS = tuple(Happening)
_Waiting = tuple[int, int, bytes]
"""The day on which a child is next heard of, the child's number, its future from then on."""


_KNOWN = 32_768
"""Children that are not made again: all of a county, while counties have at most 30,000."""
_Find = Callable[[int], Child]


def years(
    province: Province, schedule: Schedule, county: int | None = None
) -> Iterator[tuple[Child, Event]]:
    """Yield everything that happens, in order of days; within a day in order of birth.

    Args:
        province: Where.
        schedule: By which the clinics vaccinate.
        county: Only there, in the same order; nobody moves from one to another.
    """
    numbers = range(province.children)
    if county is not None:
        numbers = numbers[county :: province.counties]
    find = lru_cache(_KNOWN)(partial(child, province))
    waiting: list[_Waiting] = []
    futures = _Futures(province.first_day)
    for number in numbers:
        newborn = find(number)
        yield from _until(newborn.birth_date.toordinal(), find, futures, waiting)
        future = futures.packed(life(province, schedule, newborn))
        yield from _next_day(newborn, future, futures, waiting)
    yield from _until(province.last_day.toordinal(), find, futures, waiting)


class _Futures:
    """Writes events in seven bytes each and reads them back one by one.

    Args:
        first_day: Of the province.
    """

    def __init__(self, first_day: date) -> None:
        self._first = first_day.toordinal()
        self._words: list[str] = []
        self._numbers: dict[str, int] = {}

    def packed(self, events: Sequence[Event]) -> bytes:
        """Return events as bytes."""
        return b"".join(
            _EVENT.pack(
                event.day.toordinal() - self._first,
                event.clinic,
                _KINDS.index(event.kind),
                self._number(event.what),
                event.dose,
            )
            for event in events
        )

    def day(self, future: bytes) -> int:
        """Return the ordinal of the day of the first event."""
        return self._first + int.from_bytes(future[:2], "little")

    def first(self, future: bytes) -> Event:
        """Return the first event."""
        day, clinic, kind, word, dose = _EVENT.unpack_from(future)
        on = date.fromordinal(self._first + day)
        return Event(on, _KINDS[kind], clinic, self._words[word], dose)

    def _number(self, word: str) -> int:
        if word not in self._numbers:
            self._numbers[word] = len(self._words)
            self._words.append(word)
        return self._numbers[word]


def _until(
    day: int, find: _Find, futures: _Futures, waiting: list[_Waiting]
) -> Iterator[tuple[Child, Event]]:
    while waiting and waiting[0][0] < day:
        _, number, future = heapq.heappop(waiting)
        yield from _next_day(find(number), future, futures, waiting)


def _next_day(
    known: Child, future: bytes, futures: _Futures, waiting: list[_Waiting]
) -> Iterator[tuple[Child, Event]]:
    """All that happens to a child on one day; then it waits for its next one."""
    day = futures.day(future)
    while future:
        if futures.day(future) > day:
            heapq.heappush(waiting, (futures.day(future), known.number, future))
            return
        yield known, futures.first(future)
        future = future[_EVENT.size :]
