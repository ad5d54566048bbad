"""What a school saw about a child on a day: one line of its register, and the proof of it."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.dossier import proven
from api.errors import AddressUnknown
from api.noting import note_read
from api.parts import Serving, serving_of
from api.reads import NO_STORE, readable
from api.schools import institution_of, line_body
from commands.principal import Principal, Role
from commands.states import check_readable
from projections import annex3
from projections.organisations import OrganisationRow

router = APIRouter(prefix="/v1/records", tags=["school checks"])


@router.get("/{record}/as-seen", operation_id="getAsSeen", response_class=Response)
async def as_seen(
    request: Request,
    caller: Caller,
    record: UUID,
    institution: Annotated[UUID, Query(description="The school.")],
    as_of: AsOf,
) -> Response:
    """What a school saw about a child: its line of annex 3 as known then, with a proof.

    The entries that made the line come with `.tlog-proof`s under the first checkpoint that was
    kept after that moment. For the school itself, and for staff who may read the record.
    """
    serving = serving_of(request)
    school = await to_thread.run_sync(_school, serving, caller, record, institution)
    body = await to_thread.run_sync(_seen, serving, school, record, as_of, limiter=serving.threads)
    await note_read(request, caller, "register", [record])
    return json_response(body, headers=NO_STORE)


def _school(
    serving: Serving, caller: Principal, record: UUID, institution: UUID
) -> OrganisationRow:
    """The school, for itself or for whoever may read the record; to others it does not exist."""
    if caller.role == Role.SCHOOL:
        return institution_of(serving, caller, institution)
    readable(serving, caller, record)
    found = serving.views.organisations.get(institution)
    if found is None:
        raise AddressUnknown
    return found


def _seen(
    serving: Serving, school: OrganisationRow, record: UUID, as_of: Clocks
) -> Mapping[str, Any]:
    """The line of the register.

    Raises:
        AddressUnknown: The school had no such child then.
        Restricted, Erased: The record may not be processed now.
    """
    check_readable(serving.parts.reader, record)
    registers = serving.views.registers
    place = registers.place(record, school.organisation, as_of.position)
    if place is None:
        raise AddressUnknown
    register = registers.register(
        school.organisation,
        place.class_name,
        school_year=place.school_year,
        effective_on=as_of.day,
        at_position=as_of.position,
    )
    line = next((one for one in register.lines if one.record == record), None)
    if line is None:  # at another school since
        raise AddressUnknown
    reader = serving.parts.reader
    stream = [row for row in reader.stream(place.enrolment) if row[0] <= register.position]
    size, note = reader.checkpoint_covering(register.position)
    return {
        "record": record,
        "institution": school.organisation,
        "institution_name": school.name,
        "class_name": place.class_name,
        "school_year": place.school_year,
        "position": register.position,
        "effective_on": as_of.day,
        "columns": annex3.COLUMNS,
        "row": line.pupil.row(),
        "line": line_body(line),
        "entries": proven(serving, stream, size, note),
    }
