"""Clocks of two writers jump: the order is kept, and what was known when never goes back."""

import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.store.errors import ClockApart, ClockBehind
from ledger.store.pace import Pace
from ledger.store.writer import Writer

WAIT = 60
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Part:
    """A process that writes, and whose clock is wrong by so much."""

    def __init__(self, url, make_append, make_event):
        self.wrong = timedelta()
        self.decide = lambda: make_append(make_event(uuid4(), recorded_at=self.clock()))
        self.writer = Writer(url, pace=Pace(self.clock, time.monotonic))

    def clock(self):
        return datetime.now(UTC) + self.wrong

    def write(self):
        return self.append(self.decide())

    def append(self, decided):
        return self.writer.submit(decided).result(WAIT)


@pytest.fixture
def part(log_url, make_append, make_event):
    """Makes parts; closes them in the end."""
    made = []

    def make():
        made.append(Part(log_url, make_append, make_event))
        return made[-1]

    yield make
    for one in made:
        one.writer.close()


@pytest.mark.parametrize("jump", [DAY, -DAY, HOUR, -HOUR])
def test_a_part_whose_clock_jumps_writes_nothing_until_it_is_right_and_holds_nobody_up(
    part, rows, jump
):
    jumping, other = part(), part()
    told = [jumping.write(), other.write()]
    jumping.wrong = jump
    for _ in range(2):
        with pytest.raises(ClockApart):
            jumping.write()
        told.append(other.write())
    jumping.wrong = timedelta()
    told += [jumping.write(), other.write()]
    assert [one.first_position for one in told] == list(range(1, len(told) + 1))
    stored = rows("SELECT position, known_at FROM ledger.entries ORDER BY position")
    assert [position for position, _ in stored] == [one.first_position for one in told]
    assert abs(stored[-1][1] - datetime.now(UTC)) < HOUR


def test_what_was_decided_while_the_clock_was_ahead_is_refused_although_it_is_right_again(
    part, rows
):
    jumped, other = part(), part()
    told = [jumped.write(), other.write()]
    jumped.wrong = HOUR
    decided = jumped.decide()
    jumped.wrong = timedelta()
    right = jumped.writer.submit(jumped.decide())
    with pytest.raises(ClockApart):
        jumped.append(decided)
    told += [right.result(WAIT), other.write(), jumped.write()]
    assert [one.first_position for one in told] == list(range(1, 6))
    ((newest,),) = rows("SELECT recorded_at FROM ledger.head")
    assert newest <= datetime.now(UTC)


def test_clocks_a_little_apart_keep_the_order_and_knownness_never_falls(part, rows):
    early, late = part(), part()
    early.wrong, late.wrong = timedelta(seconds=-0.9), timedelta(seconds=0.9)
    told = [one.write().first_position for one in (early, late) * 5]
    assert told == list(range(1, 11))
    known = [moment for (moment,) in rows("SELECT known_at FROM ledger.entries ORDER BY position")]
    assert known == sorted(known)
    asked = "SELECT ledger.position_known_at(%s, 10)"
    found = [rows(asked, moment)[0][0] for moment in (known[0] - DAY, *known, known[-1] + DAY)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 10)


def test_a_log_that_is_ahead_of_every_clock_takes_nothing_until_they_are_there(
    log_url, make_append, make_event, part
):
    with closing(Writer(log_url)) as believing:
        ahead = make_event(uuid4(), recorded_at=datetime.now(UTC) + DAY)
        assert believing.submit(make_append(ahead)).result(WAIT).first_position == 1
    with pytest.raises(ClockBehind) as refused:
        part().write()
    assert refused.value.behind > 23 * HOUR
