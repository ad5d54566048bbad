"""A clock is believed while it goes its steady way, and after a jump only if its server agrees."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.store.errors import ClockApart
from ledger.store.pace import Pace

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


class World:
    """True time, and a clock that is set wrong by so much."""

    def __init__(self):
        self.passed = timedelta()
        self.wrong = timedelta()
        self.apart = None
        self.asked = 0
        self.pace = Pace(lambda: START + self.passed + self.wrong, self.steady)

    def steady(self):
        return 1_000 + self.passed.total_seconds()

    def ask(self):
        self.asked += 1
        return START + self.passed

    def is_believed(self):
        try:
            self.pace.check(self.ask)
        except ClockApart as refused:
            self.apart = refused.apart
            return False
        return True


@pytest.fixture
def world():
    return World()


def test_the_server_is_asked_once_and_not_again_while_the_clock_goes_on(world):
    for _ in range(100):
        assert world.pace.check(world.ask) == START + world.passed
        world.passed += HOUR
    assert world.asked == 1


@pytest.mark.parametrize("jump", [DAY, -DAY, 3 * SECOND, -3 * SECOND])
def test_a_jump_is_refused_until_the_clock_is_put_right(world, jump):
    assert world.is_believed()
    world.wrong = jump
    for _ in range(3):
        world.passed += HOUR
        assert not world.is_believed()
        assert world.apart == -jump
    world.wrong = timedelta()
    assert world.is_believed()


def test_a_clock_that_was_wrong_from_the_start_is_refused(world):
    world.wrong = DAY
    assert not world.is_believed()


def test_a_jump_that_the_server_made_too_is_believed(world):
    assert world.is_believed()
    world.pace = Pace(lambda: START + world.passed, lambda: 0)  # the steady one stands
    assert world.is_believed()
    world.passed += HOUR
    assert world.is_believed()
    assert world.asked == 3


def test_what_creeps_is_noticed_at_two_seconds(world):
    assert world.is_believed()
    world.wrong = 2 * SECOND
    assert world.is_believed()
    world.wrong += timedelta(microseconds=1)
    assert not world.is_believed()


def test_a_slow_answer_is_no_difference(world):
    def ask():
        found = world.ask()
        world.passed += HOUR
        return found

    world.pace.check(ask)


@given(st.lists(st.tuples(st.integers(0, 7200), st.integers(-10, 10)), max_size=30))
def test_whoever_is_believed_is_within_two_tolerances_of_the_server(steps):
    world = World()
    for passed, wrong in steps:
        world.passed += passed * SECOND
        world.wrong = wrong * SECOND
        if world.is_believed():
            assert abs(wrong) <= 4
