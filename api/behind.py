"""Opening a number of annex 4: the children behind it, and what changed since a report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.errors import MalformedParameter
from api.noting import note_read
from api.parameters import MAX_POSITION, Year
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.reads import NO_STORE
from api.schools import Division, EntryType
from commands.permissions import Scope, check_read
from commands.states import states_of
from projections.annex4 import GROUPS
from projections.behind import OF_DOSES, Behind, Column, Sheet
from projections.people import Person

PAGE = 500
GroupCode = Literal["BCG", "HepB", "PV", "DPT", "DT", "MCV", "MenA", "MenAC", "JE", "HepA"]

router = APIRouter(prefix="/v1/divisions/{division}/roll-up", tags=["school checks"])


@router.get("/children", operation_id="openNumber")
async def children(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Caller,
    division: Division,
    entry_type: Annotated[EntryType, Query()],
    school_year: Year,
    column: Annotated[Column, Query(description="Which number of annex 4.")],
    as_of: AsOf,
    vaccine_group: Annotated[
        GroupCode | None, Query(description="Of which doses, for `due` and `done`.")
    ] = None,
    institution: Annotated[UUID | None, Query(description="Of this one alone.")] = None,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
) -> Response:
    """The children, or missed doses, that a number of annex 4 counts, page by page."""
    if (column in OF_DOSES) != (vaccine_group is not None):
        raise MalformedParameter(parameter="vaccine_group", one_of=[code for code, _ in GROUPS])
    for what in ("roll-up", "register"):
        check_read(caller, what, Scope(division))
    serving = serving_of(request)
    sheet = _sheet(serving, as_of, division, (entry_type, school_year, institution))

    def read() -> list[Behind]:
        return serving.views.behinds.children(
            sheet, column, after=after, limit=PAGE, vaccine_group=vaccine_group
        )

    rows = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "roll-up", {row.record for row in rows})
    lines = await to_thread.run_sync(lines_of, serving, rows, as_of.day)
    more = rows[-1].enrolled_position if len(rows) >= PAGE else None
    body = {"position": sheet.at, "children": lines, "next_after": more}
    return json_response(body, headers=NO_STORE)


@router.get("/changes", operation_id="listRollUpChanges")
async def changes(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Caller,
    division: Division,
    entry_type: Annotated[EntryType, Query()],
    school_year: Year,
    since: Annotated[int, Query(ge=0, le=MAX_POSITION, description="Position shown before.")],
    as_of: AsOf,
) -> Response:
    """The children that annex 4 counts otherwise than at an earlier position, and why.

    `causes` names the entries in between: checks and re-checks, and corrections of the record.
    """
    for what in ("roll-up", "register"):
        check_read(caller, what, Scope(division))
    serving = serving_of(request)
    sheet = _sheet(serving, as_of, division, (entry_type, school_year, None))

    def read() -> list[dict[str, Any]]:
        found = serving.views.behinds.changes(sheet, since)
        return [asdict(one) for one in found]

    found = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "roll-up", {one["record"] for one in found})
    body = {"since": since, "position": sheet.at, "changes": found}
    return json_response(body, headers=NO_STORE)


def _sheet(
    serving: Serving, as_of: Clocks, division: str, what: tuple[str, int, UUID | None]
) -> Sheet:
    entry_type, school_year, institution = what
    at = serving.projected.reached if as_of.position is None else as_of.position
    return Sheet(
        division_prefix=division,
        entry_type=entry_type,
        school_year=school_year,
        institution=institution,
        at=at,
    )


def lines_of(serving: Serving, rows: Sequence[Behind], day: date) -> list[Mapping[str, Any]]:
    """Each child with the names of school and child, as far as they may be shown."""
    views = serving.views
    schools = organisation_names(views, {row.institution for row in rows})
    hidden = states_of(serving.parts.reader, [row.record for row in rows])
    people = views.people.lookup({row.recipient for row in rows if row.recipient}, day)
    return [
        {
            "enrolment": row.enrolment,
            "institution": row.institution,
            "institution_name": schools[row.institution],
            "class_name": row.class_name,
            "number": row.number,
            "checked_on": row.checked_on,
            "dose_number": row.dose_number,
            "made_up_on": row.made_up_on,
            "name": None if row.record in hidden else _name(people, row.recipient),
        }
        for row in rows
    ]


def _name(people: Mapping[UUID, Person], recipient: UUID | None) -> str | None:
    person = people.get(recipient) if recipient else None
    return person.name if person else None
