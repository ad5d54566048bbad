"""The school check's tables: annex 3 of a class and annex 4 of a division."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf
from api.errors import AddressUnknown
from api.noting import begin_note
from api.parameters import Year
from api.parts import Serving, serving_of
from api.rating import rates_of
from api.reads import NO_STORE
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from projections import annex3, annex4
from projections.organisations import OrganisationRow
from projections.register import Line, Register
from projections.roll_up import Level, RollUp

Division = Annotated[str, Path(pattern="^[0-9]{2}([0-9]{2}([0-9]{2}([0-9]{3})?)?)?$")]
ClassName = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
EntryType = Literal["kindergarten", "primary"]
LevelName = Literal["institution", "township", "county", "city", "province"]

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get("/institutions/{institution}/classes", operation_id="listClasses")
async def list_classes(
    request: Request, caller: Caller, institution: UUID, school_year: Year, as_of: AsOf
) -> Response:
    """The classes of a school: how many children, how many of them checked."""
    serving = serving_of(request)
    await to_thread.run_sync(institution_of, serving, caller, institution)
    classes = serving.views.registers.classes
    rows = await to_thread.run_sync(classes, institution, school_year, as_of.position)
    return json_response({"classes": [asdict(row) for row in rows]}, headers=NO_STORE)


@router.get(
    "/institutions/{institution}/classes/{class_name}/register", operation_id="getClassRegister"
)
async def class_register(
    request: Request,
    caller: Caller,
    institution: UUID,
    class_name: ClassName,
    school_year: Year,
    as_of: AsOf,
) -> Response:
    """Annex 3 of a class: a row of 30 cells for each child, and three rows of subtotals."""
    serving = serving_of(request)

    def answer() -> Response:
        found = serving.views.registers.register(
            institution,
            class_name,
            school_year=school_year,
            effective_on=as_of.day,
            at_position=as_of.position,
            check=partial(check_school, caller, institution),
        )
        noted = begin_note(request, caller, "register", [line.record for line in found.lines])
        body = _register(found)
        response = json_response(body, headers=NO_STORE)
        noted.result()
        return response

    return await to_thread.run_sync(answer, limiter=serving.threads)


@router.get("/divisions/{division}/roll-up", operation_id="getRollUp")
async def roll_up(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Caller,
    division: Division,
    entry_type: Annotated[EntryType, Query()],
    school_year: Year,
    as_of: AsOf,
    level: Annotated[LevelName, Query()] = "institution",
) -> Response:
    """Annex 4 of a division: a row of 29 cells for each unit, and their total."""
    check_read(caller, "roll-up", Scope(division))
    serving = serving_of(request)

    def read() -> RollUp:
        return serving.views.roll_ups.roll_up(
            division,
            entry_type,
            school_year=school_year,
            level=Level[level.upper()],
            at_position=as_of.position,
        )

    found = await to_thread.run_sync(read, limiter=serving.threads)
    body = {
        "division": division,
        "entry_type": entry_type,
        "school_year": school_year,
        "level": level,
        "position": found.position,
        "columns": annex4.COLUMNS,
        "units": [row.unit for row in found.rows],
        "rows": [row.row() for row in found.rows],
        "total": found.total.row(),
        "rates": rates_of(serving.parts.services.rules.roll_up, found.total, division),
    }
    return json_response(body, headers=NO_STORE)


def institution_of(serving: Serving, caller: Principal, institution: UUID) -> OrganisationRow:
    """A school within the caller's scope; to everyone else it does not exist."""
    row = serving.views.organisations.get(institution)
    check_school(caller, institution, None if row is None else row.division)
    assert row is not None, "it has a division"
    return row


def check_school(caller: Principal, institution: UUID, division: str | None) -> None:
    """Refuse a school outside the caller's scope as one that does not exist, without a division.

    Raises:
        AddressUnknown: Either of them.
    """
    if division is None:
        raise AddressUnknown
    try:
        check_read(caller, "register", Scope(division, acting=institution))
    except Forbidden as error:
        raise AddressUnknown from error


def _register(found: Register) -> Mapping[str, Any]:
    return {
        "institution": found.institution,
        "institution_name": found.institution_name,
        "class_name": found.class_name,
        "school_year": found.school_year,
        "position": found.position,
        "columns": annex3.COLUMNS,
        "rows": [line.pupil.row() for line in found.lines],
        "subtotals": found.subtotals.rows(),
        "lines": [line_body(line) for line in found.lines],
    }


def line_body(line: Line) -> Mapping[str, Any]:
    """What annex 3 has no column for; of a restricted record only that it is one."""
    pupil = line.pupil
    head = {
        "enrolment": line.enrolment,
        "number": pupil.number,
        "erased": pupil.particulars.erased,
        "restricted": pupil.particulars.restricted,
    }
    if pupil.particulars.restricted:
        return head
    return head | {
        "record": line.record,
        "admission": line.admission,
        "joined_on": line.joined_on,
        "checked_on": line.checked_on,
        "reissued_on": line.reissued_on,
        "rechecked_on": line.rechecked_on,
        "complete": pupil.complete,
        "corrections": line.corrections,
    }
