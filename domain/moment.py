"""A moment as people write it: an RFC 3339 time, or a civil day, which means its end."""

import re
from datetime import UTC, date, datetime, timedelta

from domain.calendar import start_of_day

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
# A plus sign that nobody escaped arrives as a blank.
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)"
    r"(?:Z|([+ -])([0-9]{2}:[0-9]{2}))"
).fullmatch
_INSTANT = timedelta(microseconds=1)


def moment_of(text: str, now: datetime) -> datetime:
    """Return the instant that a text names; a day that is not over yet ends now.

    Args:
        text: Such as `2018-09-28T17:00:00+08:00` or `2018-09-28` (Asia/Shanghai).
        now: Our clock.

    Raises:
        ValueError: If it has another form, there is no such moment, or it lies in the future.
    """
    try:
        if _DAY(text):
            day = date.fromisoformat(text)
            begin, end = start_of_day(day), start_of_day(day + timedelta(days=1)) - _INSTANT
            return _past(begin if begin > now else min(now, end), now)
        parts = _TIME(text)
        if parts is None:
            raise ValueError("a position, an RFC 3339 time or a day")
        local, sign, offset = parts.groups()
        zone = f"{sign.replace(' ', '+')}{offset}" if sign else "+00:00"
        return _past(datetime.fromisoformat(local + zone).astimezone(UTC), now)
    except OverflowError as error:
        raise ValueError("no such moment") from error


def _past(moment: datetime, now: datetime) -> datetime:
    if moment > now:
        raise ValueError("in the future")
    return moment
