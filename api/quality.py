"""The data quality of clinics, as known at any moment."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from api.clocks import Clocks
from api.parts import Serving
from domain.calendar import SHANGHAI, civil_day
from ledger.entry import Entry
from projections.change import Change, read_change
from projections.data_quality import CONCERNED, Score, with_day

_PAGE = 1_000
_TICK = timedelta(microseconds=1)


def scores_as_of(
    serving: Serving, period: tuple[date, date], as_of: Clocks, **which: Any
) -> list[Score]:
    """Return the scores of clinics from what was known then.

    The view counts whole days. Of the day on which the position was written, the entries up to it
    are counted again, as many as there are.

    Args:
        serving: The running parts.
        period: First and last day of recording; none after the day as of which it is asked counts.
        as_of: Both clocks.
        **which: `division` or `clinic`, as `DataQuality.scores` takes them.
    """
    read, at = serving.views.data_quality.scores, as_of.position
    since, until = period[0], min(period[1], as_of.day)
    if not at:
        return read(since, until, at_position=at, **which)
    last = _day_of(serving, at)
    if until < last or _is_whole(serving, last, at):
        return read(since, min(until, last), at_position=at, **which)
    whole = read(since, last - timedelta(days=1), at_position=at, **which)
    return with_day(whole, last, _written(serving, last, at)) if since <= last else whole


def _is_whole(serving: Serving, day: date, position: int) -> bool:
    """Whether a day had ended at a position: the next entry is of another."""
    return position < serving.parts.reader.published() and _day_of(serving, position + 1) > day


def _day_of(serving: Serving, position: int) -> date:
    return civil_day(Entry.decode(serving.parts.reader.entry(position)).recorded_at)


def _written(serving: Serving, day: date, position: int) -> Iterator[Change]:
    """What was written on a day up to a position."""
    reader = serving.parts.reader
    first = reader.known_at(datetime.combine(day, time.min, SHANGHAI) - _TICK) + 1
    while first <= position:
        for at, raw, _ in reader.entries(first, min(_PAGE, position - first + 1)):
            if any(topic in raw for topic in CONCERNED):
                yield read_change(at, raw)
        first += _PAGE
