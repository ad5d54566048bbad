"""Parameters that many addresses take: a civil day, a position to wait for, a page."""

from datetime import date
from typing import Annotated

from fastapi import Query, Request

from api.errors import MalformedParameter, NotYetVisible
from api.parts import serving_of
from domain.calendar import civil_day

MAX_POSITION = 2**53
WAIT_SECONDS = 2.0
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_RETRY = {"Retry-After": "1"}

AtLeast = Annotated[
    int,
    Query(
        ge=0,
        le=MAX_POSITION,
        description="Answer only once the views show this position: a writer reads its own write.",
    ),
]
EffectiveOn = Annotated[
    str | None,
    Query(
        pattern=f"^{_DAY}$",
        description="Civil day (Asia/Shanghai) as of which the answer reads; today if absent.",
    ),
]
Year = Annotated[int, Query(ge=1990, le=2200, description="In which the school year starts.")]


async def wait_for_views(request: Request, at_least: int) -> None:
    """Wait until every view shows a position, at most two seconds.

    Raises:
        NotYetVisible: they do not yet.
    """
    projected = serving_of(request).projected
    if not await projected.wait(at_least, WAIT_SECONDS):
        raise NotYetVisible(_RETRY, at_least=at_least, position=projected.reached)


def day_or_today(request: Request, text: str | None) -> date:
    """The day asked for, or today.

    Raises:
        MalformedParameter: no such day.
    """
    if text is None:
        return civil_day(serving_of(request).parts.services.clock())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise MalformedParameter(parameter="effective_on", reason="no such day") from error
