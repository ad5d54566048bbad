"""A school in a school year, as every page about one asks for it."""

from datetime import date
from typing import Annotated, NamedTuple
from uuid import UUID

from anyio import to_thread
from fastapi import Depends, Query, Request

from api.parameters import AtLeast, wait_for_views
from api.parts import Serving, serving_of
from api.schools import institution_of
from api.session import Reader
from commands.principal import Role
from domain.calendar import civil_day
from projections.organisations import OrganisationRow

YearOrNow = Annotated[int | None, Query(ge=1990, le=2200)]


class SchoolYear(NamedTuple):
    """What a page about a school shows.

    Attributes:
        school: A school that the reader may see.
        year: In which the school year starts.
        today: Civil day (Asia/Shanghai).
        is_own: Whether the reader is that school.
    """

    school: OrganisationRow
    year: int
    today: date
    is_own: bool


async def _in_year(
    request: Request,
    caller: Reader,
    institution: UUID,
    school_year: YearOrNow = None,
    written: AtLeast = 0,
) -> SchoolYear:
    await wait_for_views(request, written)
    serving = serving_of(request)
    school = await to_thread.run_sync(institution_of, serving, caller, institution)
    today = civil_day(serving.parts.services.clock())
    is_own = caller.role is Role.SCHOOL and caller.organisation == institution
    return SchoolYear(school, school_year_of(serving, school_year, today), today, is_own)


InYear = Annotated[SchoolYear, Depends(_in_year)]
"""The school that the address names, in the year that is asked for, else the one of today.

`written` is the position of what the reader has just entered: the page waits for it.
"""


def school_year_of(serving: Serving, asked: int | None, today: date) -> int:
    """The school year that is asked for, else the one of today."""
    return asked or serving.parts.services.rules.roll_up.school_year(today)
