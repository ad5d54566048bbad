"""The forms that values in claims and lists have; the same for those who write and who read."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

from certificates.errors import ClaimsError

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Civil days are days of China; no date that a credential states has ever seen summer time."""

_EPOCH = date(1970, 1, 1)
_EARLIEST, _LATEST = date(1850, 1, 1), date(2199, 12, 31)
_LATEST_SECOND = 7_258_118_400  # 2200-01-01T00:00:00Z
_NOT_SHOWN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def check_text(value: object, longest: int, what: str) -> None:
    """Refuse what is not 1 to `longest` visible characters in Unicode's composed form (NFC).

    Raises:
        ClaimsError: With the name of the member, never its value.
    """
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise ClaimsError("A text is missing or too long.", member=what)
    if any(unicodedata.category(char) in _NOT_SHOWN for char in value):
        raise ClaimsError("A text holds characters that do not show.", member=what)
    if not unicodedata.is_normalized("NFC", value):
        raise ClaimsError("A text is in Unicode's composed form.", member=what)


def check_code(value: object, form: re.Pattern[str], what: str) -> None:
    """Refuse a text of another form.

    Raises:
        ClaimsError: With the name of the member.
    """
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise ClaimsError("A code has another form.", member=what)


def check_number(value: object, least: int, most: int, what: str) -> None:
    """Refuse what is not an integer from `least` to `most`.

    Raises:
        ClaimsError: With the name of the member.
    """
    if type(value) is not int or not least <= value <= most:
        raise ClaimsError("A number is out of its range.", member=what)


def check_bytes(value: object, length: int, what: str) -> None:
    """Refuse what is not a byte string of this length.

    Raises:
        ClaimsError: With the name of the member.
    """
    if not isinstance(value, bytes) or len(value) != length:
        raise ClaimsError("A byte string has another length.", member=what)


def check_day(value: date, what: str) -> None:
    """Refuse a civil day outside 1850 to 2199.

    Raises:
        ClaimsError: With the name of the member.
    """
    if not _EARLIEST <= value <= _LATEST:
        raise ClaimsError("A day is out of its range.", member=what)


def check_moment(value: datetime, what: str) -> None:
    """Refuse what is not a whole second in UTC from 1970 to 2199.

    Raises:
        ClaimsError: With the name of the member.
    """
    if value.tzinfo is not UTC or value.microsecond:
        raise ClaimsError("A moment is a whole second in UTC.", member=what)
    check_number(seconds_of(value), 0, _LATEST_SECOND - 1, what)


def number_of(day: date) -> int:
    """Return the days since 1970-01-01 (as RFC 8943 counts them)."""
    return (day - _EPOCH).days


def day_of(number: int, what: str) -> date:
    """Return the day that is so many days after 1970-01-01.

    Raises:
        ClaimsError: If it lies outside 1850 to 2199.
    """
    check_number(number, number_of(_EARLIEST), number_of(_LATEST), what)
    return _EPOCH + timedelta(days=number)


def seconds_of(moment: datetime) -> int:
    """Return the seconds since the epoch."""
    return int(moment.timestamp())


def moment_of(seconds: int, what: str) -> datetime:
    """Return the moment that is so many seconds after the epoch.

    Raises:
        ClaimsError: If it lies outside 1970 to 2199.
    """
    check_number(seconds, 0, _LATEST_SECOND - 1, what)
    return datetime.fromtimestamp(seconds, UTC)


def civil_day(moment: datetime) -> date:
    """Return the day in China."""
    return moment.astimezone(CHINA).date()
