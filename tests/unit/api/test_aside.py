"""Work for whoever has not said who it is, which leaves the interpreter to others."""

import asyncio
import time

import pytest

from api.aside import REST, Aside

RESOLUTION = 0.001
"""Seconds by which the event loop's timers may be early."""


def spend(moments: list[float]) -> None:
    """Note when work began and ended."""
    moments.append(time.monotonic())
    time.sleep(0.02)
    moments.append(time.monotonic())


class Broken(Exception):
    """What a test lets happen."""


def fail() -> None:
    raise Broken


def test_the_place_stays_empty_for_three_times_as_long_as_somebody_had_it():
    moments: list[float] = []

    async def crowd() -> None:
        aside = Aside()
        await asyncio.gather(*(aside.run(lambda: spend(moments)) for _ in range(3)))

    asyncio.run(crowd())
    assert len(moments) == 6
    for begin, end, next_begin in (moments[:3], moments[2:5]):
        assert next_begin - end > REST * (end - begin) - RESOLUTION


def test_the_place_is_free_again_after_a_failure():
    moments: list[float] = []

    async def after_a_failure() -> None:
        aside = Aside()
        with pytest.raises(Broken):
            await aside.run(fail)
        await aside.run(lambda: spend(moments))

    asyncio.run(after_a_failure())
    assert len(moments) == 2
