"""Lot recall: who got a lot, and whom to call."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import organisation_names, people_on
from api.reads import MAX_PAGE, NO_STORE, SHORTLY
from commands.permissions import COUNTY_DIGITS, Scope, check_read
from commands.principal import Principal, Role
from commands.states import states_of
from projections.lots import Lot, LotRow

Printed = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]

router = APIRouter(prefix="/v1/lots", tags=["doses"])


# A lot number may contain a slash.
@router.get("/{maker}/{lot:path}/doses", operation_id="getDosesOfLot", response_class=Response)
async def doses_of_lot(  # noqa: PLR0913 - a parameter each
    request: Request,
    caller: Caller,
    maker: Printed,
    lot: Printed,
    *,
    after: Annotated[UUID | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    as_of: AsOf,
) -> Response:
    """The doses of a lot in the caller's divisions, with the people to call.

    A dose that was corrected to another lot is gone from its effective day on; as known earlier, it
    is there. `Link: rel="next"` leads on.
    """
    rows, lines = await recalled(request, caller, Lot(maker, lot), as_of, after=after, limit=limit)
    headers = dict(NO_STORE)
    if len(rows) == limit:
        asked = request.url.include_query_params(after=rows[-1].dose)
        headers["Link"] = f'<{quote(asked.path)}?{asked.query}>; rel="next"'
    return json_response({"maker": maker, "lot": lot, "doses": lines}, headers=headers)


async def recalled(
    request: Request,
    caller: Principal,
    lot: Lot,
    as_of: Clocks,
    *,
    after: UUID | None,
    limit: int,
) -> tuple[list[LotRow], list[dict[str, Any]]]:
    """The doses of a lot, and as lines those of records that may be shown; the read is noted.

    Raises:
        Forbidden: the caller recalls no lots.
    """
    serving, division = serving_of(request), _divisions(caller)
    check_read(caller, "lot", Scope(division, acting=caller.organisation))

    def read() -> list[LotRow]:
        return serving.views.lots.doses(
            lot, as_of.day, as_of.position, division=division, after=after, limit=limit
        )

    rows = await to_thread.run_sync(read, limiter=serving.threads)
    hidden = await to_thread.run_sync(states_of, serving.parts.reader, {row.record for row in rows})
    shown = [row for row in rows if row.record not in hidden]
    await note_read(request, caller, "lot", sorted({row.record for row in shown}))
    return rows, await to_thread.run_sync(_lines, serving, shown, as_of, limiter=serving.threads)


def _divisions(caller: Principal) -> str:
    """Where a caller looks: a clinic in its county, everyone else in the own divisions."""
    return caller.division[:COUNTY_DIGITS] if caller.role is Role.CLINIC else caller.division


def _lines(serving: Serving, rows: list[LotRow], as_of: Clocks) -> list[dict[str, Any]]:
    handles = {row.recipient for row in rows} | {one for row in rows for one in row.guardians}
    people = people_on(serving.views, handles, as_of.day, as_of.position)
    clinics = {one for row in rows for one in (row.clinic, row.managing_organisation)}
    names = organisation_names(serving.views, clinics)
    return [
        {
            "dose": row.dose,
            "record": row.merged_into or row.record,
            "vaccine": row.vaccine,
            "product": row.product,
            "occurred_on": row.occurred_on,
            "provenance": row.provenance,
            "clinic": row.clinic,
            "clinic_name": names[row.clinic],
            "managing_organisation": row.managing_organisation,
            "managing_organisation_name": names[row.managing_organisation],
            "roll": row.roll,
            "recipient": {name: people[row.recipient].get(name) for name in (*SHORTLY, "phone")},
            "guardians": [
                {name: people[one].get(name) for name in ("handle", "name", "phone")}
                for one in row.guardians
            ],
        }
        for row in rows
    ]
