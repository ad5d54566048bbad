"""Civil days: ages, months, deadlines, and the day from which a correction shows.

Two conventions for a month that lacks the day, each where the sources want it (X-2, E-20):

* ages and schedule intervals roll forward to the first of the next month (CDSi CALCDT-5):
  29 February + 1 year is 1 March, 31 March + 6 months is 1 October;
* deadlines counted in months end with the month (Civil Code article 202): a month after
  31 January is 28 or 29 February.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone

from domain.errors import DayBeforeBirth

MONTHS_A_YEAR = 12
SHORTEST_MONTH = 28

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Civil time. Fixed, since mainland China has had one offset without summer time since 1992; the
domain then needs no time zone database, and a replay gives the same days on every machine."""


def completed_age(birth: date, on: date) -> int:
    """Return the age in completed years (满N周岁, S-22).

    A year is completed on the birthday itself; someone born on 29 February completes it on 1 March
    of a common year (X-2).

    Raises:
        DayBeforeBirth: When `on` lies before `birth`.
    """
    _check_not_before_birth(birth, on)
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def completed_months(birth: date, on: date) -> int:
    """Return the age in completed months (满N月龄), with the convention of `add_months`.

    Raises:
        DayBeforeBirth: When `on` lies before `birth`.
    """
    _check_not_before_birth(birth, on)
    months = (on.year - birth.year) * MONTHS_A_YEAR + on.month - birth.month
    return months - (on.day < birth.day)


def birthday(birth: date, age: int) -> date:
    """Return the day on which `age` years are completed: 1 March for 29 February where needed."""
    return add_months(birth, age * MONTHS_A_YEAR)


def add_months(day: date, months: int) -> date:
    """Return the day `months` later, rolled forward to the first of the next month where needed.

    For ages and intervals of schedules (CDSi CALCDT-5).
    """
    year, month = _month_after(day, months)
    if day.day <= SHORTEST_MONTH or day.day <= monthrange(year, month)[1]:
        return date(year, month, day.day)
    return date(*_month_after(date(year, month, 1), 1), 1)


def deadline_after_months(start: date, months: int) -> date:
    """Return the last day of a term of months: the corresponding day, else the month's end.

    For deadlines (Civil Code articles 201 and 202). The day itself is still in time (X-1).
    """
    year, month = _month_after(start, months)
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def deadline_after_days(start: date, days: int) -> date:
    """Return the last day of a term of days; the day after `start` is its first (S-5)."""
    return start + timedelta(days=days)


def civil_day(instant: datetime) -> date:
    """Return the day that an aware instant falls on in China."""
    return _aware(instant).astimezone(SHANGHAI).date()


def effective_next_day(recorded_at: datetime) -> date:
    """Return the day at whose 00:00 in China something recorded now takes effect (C-21)."""
    return civil_day(recorded_at) + timedelta(days=1)


def start_of_day(day: date) -> datetime:
    """Return 00:00 of a civil day in China as an instant in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def _month_after(day: date, months: int) -> tuple[int, int]:
    """Return year and month `months` after the month of `day`."""
    years, month = divmod(day.month - 1 + months, MONTHS_A_YEAR)
    return day.year + years, month + 1


def _aware(instant: datetime) -> datetime:
    """Refuse a programmer's naive datetime: guessing its zone would move days silently."""
    if instant.tzinfo is None:
        raise ValueError("A civil day needs an aware datetime.")
    return instant


def _check_not_before_birth(birth: date, on: date) -> None:
    if on < birth:
        raise DayBeforeBirth
