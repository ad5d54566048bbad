"""The years of a whole province, day by day: what happens to all children, merged in order.

Children are made when they are born and made again for each thing that happens, so that a million
of them cost memory only for the day on which each is next heard of.
"""

import heapq
from collections.abc import Iterator

from domain.schedules.schedule import Schedule
from simulation.child import Child, child
from simulation.life import Event, life
from simulation.province import Province


def years(province: Province, schedule: Schedule) -> Iterator[tuple[Child, Event]]:
    """Yield everything that happens, in order of days; within a day in order of birth."""
    waiting: list[tuple[int, int, int]] = []
    for number in range(province.children):
        newborn = child(province, number)
        yield from _until(newborn.birth_date.toordinal(), province, schedule, waiting)
        yield from _next_day(province, schedule, waiting, number, 0)
    yield from _until(province.last_day.toordinal(), province, schedule, waiting)


def _until(
    day: int, province: Province, schedule: Schedule, waiting: list[tuple[int, int, int]]
) -> Iterator[tuple[Child, Event]]:
    while waiting and waiting[0][0] < day:
        _, number, index = heapq.heappop(waiting)
        yield from _next_day(province, schedule, waiting, number, index)


def _next_day(
    province: Province,
    schedule: Schedule,
    waiting: list[tuple[int, int, int]],
    number: int,
    index: int,
) -> Iterator[tuple[Child, Event]]:
    """All that happens to a child on one day; then it waits for its next one."""
    known = child(province, number)
    events = life(province, schedule, known)
    day = events[index].day
    for event in events[index:]:
        if event.day > day:
            heapq.heappush(waiting, (event.day.toordinal(), number, index))
            return
        yield known, event
        index += 1
