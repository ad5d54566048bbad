"""What a clinic, and who oversees it, asks about the clinic as a whole."""

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.errors import AddressUnknown, MalformedParameter
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import people_on
from api.quality import scores_as_of
from api.reads import MAX_PAGE, NO_STORE, SHORTLY
from api.schools import Division
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.states import states_of
from domain.organisation import OrganisationKind
from domain.roll import Roll
from projections.clinic_roll import RollLine
from projections.data_quality import Score

router = APIRouter(prefix="/v1", tags=["clinics"])

DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@router.get("/clinics/{clinic}/roll", operation_id="getClinicRoll", response_class=Response)
async def clinic_roll(  # noqa: PLR0913 - a parameter each
    request: Request,
    caller: Caller,
    clinic: UUID,
    status: Annotated[Roll | None, Query()] = None,
    after: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    *,
    as_of: AsOf,
) -> Response:
    """Who stood on a clinic's roll (在册) on a day, with the counts of each status.

    `Link: rel="next"` leads on. A record that may not be processed is counted and not named.
    """
    serving = serving_of(request)
    await to_thread.run_sync(check_clinic, serving, caller, clinic)

    def read() -> list[RollLine]:
        rolls = serving.views.clinic_rolls
        wanted = status.value if status else None
        return rolls.lines(
            clinic, as_of.day, as_of.position, status=wanted, after=after, limit=limit
        )

    lines = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "roll", [line.record for line in lines])
    body = await to_thread.run_sync(_roll, serving, clinic, as_of, lines, limiter=serving.threads)
    headers = dict(NO_STORE)
    if len(lines) == limit:
        asked = request.url.include_query_params(after=lines[-1].record)
        headers["Link"] = f'<{asked.path}?{asked.query}>; rel="next"'
    return json_response(body, headers=headers)


Since = Annotated[str, Query(pattern=DAY, description="First day of recording.")]
Until = Annotated[str, Query(pattern=DAY, description="Last day of recording.")]


@router.get("/clinics/{clinic}/quality", operation_id="getClinicQuality", response_class=Response)
async def clinic_quality(
    request: Request,
    caller: Caller,
    clinic: UUID,
    since: Since,
    until: Until,
    as_of: AsOf,
) -> Response:
    """How soon, how completely and how plausibly a clinic wrote doses in a period."""
    period = _period(since, until)
    serving = serving_of(request)
    await to_thread.run_sync(check_clinic, serving, caller, clinic)

    def read() -> list[Score]:
        return scores_as_of(serving, period, as_of, clinic=clinic)

    scores = await to_thread.run_sync(read, limiter=serving.threads)
    if not scores:  # it was registered later
        raise AddressUnknown
    return json_response(_scored(scores[0]), headers=NO_STORE)


@router.get(
    "/divisions/{division}/quality", operation_id="getQualityWithin", response_class=Response
)
async def division_quality(
    request: Request,
    caller: Caller,
    division: Division,
    since: Since,
    until: Until,
    as_of: AsOf,
) -> Response:
    """The same of every clinic of a division."""
    check_read(caller, "quality", Scope(division))
    period = _period(since, until)
    serving = serving_of(request)

    def read() -> list[Score]:
        return scores_as_of(serving, period, as_of, division=division)

    scores = await to_thread.run_sync(read, limiter=serving.threads)
    body = {"division": division, "clinics": [_scored(score) for score in scores]}
    return json_response(body, headers=NO_STORE)


def _period(since: str, until: str) -> tuple[date, date]:
    try:
        return date.fromisoformat(since), date.fromisoformat(until)
    except ValueError as error:
        raise MalformedParameter(parameter="since, until", reason="no such day") from error


def _scored(score: Score) -> dict[str, Any]:
    return {
        **asdict(score),
        "timeliness": score.timeliness,
        "completeness": score.completeness,
        "validity": score.validity,
    }


def check_clinic(serving: Serving, caller: Principal, clinic: UUID) -> None:
    """A clinic within the caller's scope; to everyone else it does not exist.

    Raises:
        AddressUnknown: there is none, or the caller may not ask.
    """
    row = serving.views.organisations.get(clinic)
    if row is None or row.kind != OrganisationKind.CLINIC.value:
        raise AddressUnknown
    try:
        check_read(caller, "clinic", Scope(row.division, managing=clinic))
    except Forbidden as error:
        raise AddressUnknown from error


def _roll(serving: Serving, clinic: UUID, as_of: Clocks, lines: list[RollLine]) -> dict[str, Any]:
    hidden = states_of(serving.parts.reader, [line.record for line in lines])
    shown = [line for line in lines if line.record not in hidden]
    people = people_on(serving.views, [line.recipient for line in shown], as_of.day, as_of.position)
    counts = serving.views.clinic_rolls.counts(clinic, as_of.day, as_of.position)
    return {
        "clinic": clinic,
        "effective_on": as_of.day,
        "position": as_of.position or serving.projected.reached,
        "counts": {status.value: counts.get(status.value, 0) for status in Roll},
        "lines": [
            asdict(line)
            | {"recipient": {name: people[line.recipient].get(name) for name in SHORTLY}}
            for line in shown
        ],
    }
