"""Class lists: whose record each row means, for the school alone, before anything is written."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import read_json
from api.callers import Caller
from api.errors import MalformedBody
from api.noting import note_read
from api.parameters import AtLeast, Year, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.schemas import ClassListReview, ListedChild
from api.schools import institution_of
from commands.permissions import Scope, check_write
from commands.states import states_of
from domain.class_list import Listed, match
from domain.errors import DomainError
from domain.identity import IdNumber
from projections.organisations import OrganisationRow

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.post(
    "/institutions/{institution}/class-list-review",
    operation_id="reviewClassList",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ClassListReview"}}
            },
        }
    },
)
async def review(
    request: Request, caller: Caller, institution: UUID, school_year: Year, at_least: AtLeast = 0
) -> Response:
    """Tell for each row whose record it means; nothing is written.

    A number counts only together with the name and birth date of the record. A child that the
    school has enrolled for the year already is told as such.
    """
    body = ClassListReview.read(await read_json(request))
    await wait_for_views(request, at_least)
    serving = serving_of(request)
    school = await to_thread.run_sync(institution_of, serving, caller, institution)
    check_write(caller, "enrolment.enrolled.v1", Scope(school.division, acting=institution))
    listed = [listed_of(index, child) for index, child in enumerate(body.children)]
    today = day_or_today(request, None)

    def read() -> tuple[list[Mapping[str, Any]], list[UUID]]:
        return verdicts_on(serving, school, listed, (school_year, today))

    verdicts, records = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "search", records)
    return json_response({"verdicts": verdicts}, headers=NO_STORE)


def listed_of(index: int, child: ListedChild) -> Listed:
    """A row as the domain has it.

    Raises:
        MalformedBody: no such day, or no such number.
    """
    try:
        number = IdNumber.parse(child.id_number).value if child.id_number else None
        born = date.fromisoformat(child.birth_date)
    except (DomainError, ValueError) as error:
        pointer = f"/children/{index}"
        raise MalformedBody(pointer=pointer, reason="no such day or number") from error
    return Listed(child.name, born, child.sex, number)


def verdicts_on(
    serving: Serving, school: OrganisationRow, listed: Sequence[Listed], when: tuple[int, date]
) -> tuple[list[Mapping[str, Any]], list[UUID]]:
    """A verdict for each row of a school year's list on a day, and the records that are named."""
    year, today = when
    found = serving.views.listed.find(
        listed, today, institution=school.organisation, school_year=year
    )
    everyone = {one.record for group in found.candidates.values() for one in group}
    hidden = states_of(serving.parts.reader, list(everyone))
    verdicts: list[Mapping[str, Any]] = []
    records: list[UUID] = []
    for child in listed:
        group = found.candidates.get((child.name, child.birth_date), [])
        seen = [one for one in group if one.record not in hidden]
        verdict, candidate = match(child, seen, school.division)
        if candidate is None:
            verdicts.append({"verdict": verdict})
            continue
        records.append(candidate.record)
        is_enrolled = candidate.record in found.enrolled
        verdicts.append({"verdict": verdict, "record": candidate.record, "enrolled": is_enrolled})
    return verdicts, records
