"""The two clocks of every view: what was known at a moment, and as of which day it reads.

A route takes `as_of: AsOf` after its `Caller` and reads with `as_of.position` and `as_of.day`.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Query, Request

from api.errors import MalformedParameter
from api.parameters import MAX_POSITION, AtLeast, EffectiveOn, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from commands.reading import Reading
from domain.calendar import civil_day
from domain.moment import moment_of
from ledger.entry import Entry

KnownAt = Annotated[
    str | None,
    Query(
        max_length=40,
        description="What was known then: a position of the log, an RFC 3339 time, or a civil day "
        "(Asia/Shanghai), which means its end. Now if absent. Without `effective_on` the answer "
        "reads as of the civil day of that moment.",
    ),
]
_PARAMETER = "known_at"
_POSITION = re.compile(r"[0-9]{1,16}").fullmatch


@dataclass(frozen=True, slots=True)
class Clocks:
    """As of what a view is asked.

    Attributes:
        position: What was known up to there; None for all that is known now.
        day: Civil day as of which it reads.
    """

    position: int | None
    day: date


async def clocks_of(
    request: Request, known_at: str | None, effective_on: str | None, at_least: int = 0
) -> Clocks:
    """Read both clocks, and wait until every view shows what they ask for.

    Raises:
        MalformedParameter: One has another form, names no such day, or lies in the future.
        NoSuchPosition: The log is not that long.
        NotYetVisible: The views do not show that position yet.
    """
    if known_at is None:
        clocks = Clocks(None, day_or_today(request, effective_on))
    else:
        position, day = await to_thread.run_sync(known, serving_of(request), known_at)
        if effective_on is not None:
            day = day_or_today(request, effective_on)
        clocks = Clocks(position, day)
    await wait_for_views(request, max(at_least, clocks.position or 0))
    return clocks


async def _clocks(
    request: Request,
    known_at: KnownAt = None,
    effective_on: EffectiveOn = None,
    at_least: AtLeast = 0,
) -> Clocks:
    return await clocks_of(request, known_at, effective_on, at_least)


AsOf = Annotated[Clocks, Depends(_clocks)]


def reading_as_of(serving: Serving, as_of: Clocks) -> Reading:
    """The log as it was known then, for views that fold streams."""
    services = serving.parts.services
    return Reading(
        services=services, recorded_at=services.clock(), up_to=as_of.position, day=as_of.day
    )


def known(serving: Serving, text: str) -> tuple[int, date]:
    """The position that a `known_at` names, and the civil day of that moment.

    Raises:
        MalformedParameter: As above.
        NoSuchPosition: The position is not published.
    """
    reader, now = serving.parts.reader, serving.parts.services.clock()
    if _POSITION(text):
        position = int(text)
        if position > MAX_POSITION:
            raise MalformedParameter(parameter=_PARAMETER, reason="no such position")
        if position == 0:  # before the first entry: nothing was known
            return 0, civil_day(now)
        return position, civil_day(Entry.decode(reader.entry(position)).recorded_at)
    try:
        moment = moment_of(text, now)
    except ValueError as error:
        raise MalformedParameter(parameter=_PARAMETER, reason=str(error)) from error
    return reader.known_at(moment), civil_day(moment)
