"""The audit of a record as a page that a regulator reads, replays, verifies and prints."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.audit import get_dossier
from api.clocks import Clocks, clocks_of
from api.errors import AddressUnknown
from api.frame import go_to, page, page_router
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import EVER, organisation_names
from api.reads import read_together, readable, record_body, row_as_of
from api.session import Reader
from api.trail import trail
from api.wording import roll_of
from commands.principal import Role
from domain.calendar import SHANGHAI
from projections.records import RecordRow

MAX_LINES = 500
_NOW = Clocks(None, EVER)

router = page_router()


@router.get("/audit")
async def find(request: Request, caller: Reader, record: UUID | None = None) -> Response:
    """Ask which record."""
    if record is not None:
        return go_to(f"/audit/{record}")
    oversees = caller.role is Role.REGULATOR
    return page(request, "audit-find.html", caller=caller, oversees=oversees)


@router.get("/audit/{record}")
async def show(
    request: Request,
    caller: Reader,
    record: UUID,
    known_at: Annotated[str, Query(max_length=40)] = "",
    effective_on: Annotated[str, Query(max_length=10)] = "",
    step: Annotated[int | None, Query(ge=1, le=MAX_LINES)] = None,
) -> Response:
    """The record as known on a day, and everything that had happened to it by then.

    `step` counts lines of the trail: where the slider stands.
    """
    serving = serving_of(request)
    row = await to_thread.run_sync(readable, serving, caller, record)
    records = await to_thread.run_sync(read_together, serving, row, _NOW)
    await note_read(request, caller, "audit", records)
    lines = await to_thread.run_sync(
        lambda: trail(serving, records, up_to=None, limit=MAX_LINES), limiter=serving.threads
    )
    if step is not None and lines:
        known_at = str(lines[min(step, len(lines)) - 1]["position"])
    as_of = await clocks_of(request, known_at or None, effective_on or None)
    state = await to_thread.run_sync(_state, serving, row, as_of, limiter=serving.threads)
    return page(request, "audit.html", caller=caller, **_values(serving, lines, state, as_of))


@router.get("/audit/{record}/dossier")
async def download(
    request: Request, caller: Reader, record: UUID, known_at: Annotated[int, Query(ge=0)]
) -> Response:
    """The dossier of what the page shows, for whoever is signed in."""
    as_of = await clocks_of(request, str(known_at), None)
    return await get_dossier(request, caller, record, as_of)


def _state(serving: Serving, row: RecordRow, as_of: Clocks) -> Mapping[str, Any] | None:
    """The record then; None before its registration."""
    try:
        return record_body(serving, row_as_of(serving, row, as_of), as_of)
    except AddressUnknown:
        return None


def _named(serving: Serving, lines: Sequence[Mapping[str, Any]]) -> Mapping[str, str | None]:
    """The organisations that a record went from and to."""
    changes = [one for line in lines for one in line["changes"]]
    moves = [one for one in changes if one["field"] == "managing_organisation"]
    ids = {one[at] for one in moves for at in ("before", "after") if one[at]}
    return {str(one): name for one, name in organisation_names(serving.views, ids).items()}


def _values(
    serving: Serving,
    lines: Sequence[Mapping[str, Any]],
    state: Mapping[str, Any] | None,
    as_of: Clocks,
) -> dict[str, Any]:
    at = serving.projected.reached if as_of.position is None else as_of.position
    past = [
        {
            **line,
            "recorded_local": line["recorded_at"].astimezone(SHANGHAI).isoformat(" ", "seconds"),
        }
        for line in lines
        if line["position"] <= at
    ]
    return {
        "lines": past,
        "names": _named(serving, past),
        "steps": len(lines),
        "step": len(past),
        "truncated": len(lines) == MAX_LINES,
        "valid": sum(line["signature"]["valid"] for line in past),
        "state": state,
        "roll": roll_of(state["roll"]) if state else None,
        "at": at,
        "is_now": as_of.position is None,
        "day": as_of.day,
        "origin": serving.parts.settings.origin,
    }
