"""Today in China, for tests of servers that go by the real clock."""

import time
from datetime import UTC, date, datetime, timedelta

from domain.calendar import civil_day, start_of_day

_END_OF_DAY = timedelta(minutes=2)


def today() -> date:
    return civil_day(datetime.now(UTC))


def tomorrow() -> date:
    return today() + timedelta(days=1)


def begin_within_a_day() -> None:
    """In the last minutes of a day wait for the next: what begins now ends on the day it began."""
    midnight = start_of_day(tomorrow())
    while midnight - _END_OF_DAY < datetime.now(UTC) <= midnight + timedelta(seconds=2):
        time.sleep(1)
