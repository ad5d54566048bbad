"""Ages, months, deadlines and effective days at their edges."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    SHANGHAI,
    add_months,
    birthday,
    civil_day,
    completed_age,
    completed_months,
    deadline_after_days,
    deadline_after_months,
    effective_next_day,
    start_of_day,
)
from domain.errors import DayBeforeBirth

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("birth", "on", "age"),
    [
        ("2016-05-10", "2016-05-10", 0),
        ("2016-05-10", "2018-05-09", 1),
        ("2016-05-10", "2018-05-10", 2),
        ("2016-05-10", "2018-05-11", 2),
        ("2012-12-31", "2018-12-30", 5),
        ("2012-12-31", "2018-12-31", 6),
        ("2012-02-29", "2016-02-28", 3),
        ("2012-02-29", "2016-02-29", 4),
        ("2012-02-29", "2018-02-28", 5),
        ("2012-02-29", "2018-03-01", 6),
        ("1896-02-29", "1900-02-28", 3),
        ("1896-02-29", "1900-03-01", 4),
    ],
)
def test_a_year_is_completed_on_the_birthday_and_a_leap_one_on_the_first_of_march(birth, on, age):
    assert completed_age(date.fromisoformat(birth), date.fromisoformat(on)) == age


@given(DAYS, DAYS)
def test_age_agrees_with_birthdays_and_months(first, second):
    birth, on = sorted((first, second))
    age = completed_age(birth, on)
    assert birthday(birth, age) <= on < birthday(birth, age + 1)
    assert completed_months(birth, on) // 12 == age


@given(DAYS, DAYS)
def test_completed_months_agree_with_adding_months(first, second):
    birth, on = sorted((first, second))
    months = completed_months(birth, on)
    assert add_months(birth, months) <= on < add_months(birth, months + 1)


def test_there_is_no_age_before_birth():
    for ask in (completed_age, completed_months):
        with pytest.raises(DayBeforeBirth):
            ask(date(2018, 1, 2), date(2018, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "rolled", "clamped"),
    [
        ("2000-03-31", 6, "2000-10-01", "2000-09-30"),
        ("2018-01-31", 1, "2018-03-01", "2018-02-28"),
        ("2020-01-31", 1, "2020-03-01", "2020-02-29"),
        ("2016-02-29", 12, "2017-03-01", "2017-02-28"),
        ("2016-02-29", 48, "2020-02-29", "2020-02-29"),
        ("2018-12-31", 2, "2019-03-01", "2019-02-28"),
        ("2018-05-15", 0, "2018-05-15", "2018-05-15"),
        ("2018-11-30", 14, "2020-01-30", "2020-01-30"),
    ],
)
def test_ages_roll_forward_and_deadlines_end_with_the_month(day, months, rolled, clamped):
    start = date.fromisoformat(day)
    assert add_months(start, months) == date.fromisoformat(rolled)
    assert deadline_after_months(start, months) == date.fromisoformat(clamped)


def test_the_day_after_the_start_is_the_first_day_of_a_term():
    assert deadline_after_days(date(2018, 9, 1), 30) == date(2018, 10, 1)


def test_a_correction_shows_from_midnight_in_china_of_the_next_day():
    before_midnight = datetime(2024, 8, 5, 15, 59, 59, tzinfo=UTC)
    assert effective_next_day(before_midnight) == date(2024, 8, 6)
    assert effective_next_day(before_midnight + timedelta(seconds=1)) == date(2024, 8, 7)
    elsewhere = datetime(2024, 8, 5, 23, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert civil_day(elsewhere) == date(2024, 8, 6)


@given(DAYS)
def test_a_day_starts_when_the_one_before_ends(day):
    start = start_of_day(day)
    assert start.tzinfo is UTC
    assert civil_day(start) == day
    assert civil_day(start - timedelta(microseconds=1)) == day - timedelta(days=1)


def test_an_instant_without_zone_is_a_programming_error():
    with pytest.raises(ValueError, match="aware"):
        civil_day(datetime(2024, 8, 5))  # noqa: DTZ001 - the point of the test


def test_civil_time_is_eight_hours_ahead():
    assert SHANGHAI.utcoffset(None) == timedelta(hours=8)
