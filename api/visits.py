"""A visit to a clinic: the code that a citizen shows, and what the clinic opens with it (C-19)."""

from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import etag, json_response
from api.body import read_json
from api.callers import Caller
from api.console import write_route
from api.guessing import GUESSES
from api.noting import note_read
from api.parts import serving_of
from api.reads import NO_STORE
from api.schemas import VisitRequest
from api.writes import answer, idempotency_key
from certificates.qr import Code
from domain.appointment import Appointment
from domain.visit import Visit

_PNG, _SVG = "image/png", "image/svg+xml"

router = APIRouter(prefix="/v1", tags=["visits"], dependencies=[GUESSES])


@router.get("/certificates/{certificate}/show-code", operation_id="showCode")
async def show_code(request: Request, caller: Caller, certificate: UUID) -> Response:
    """A fresh code, for the holder or a grantee with the scope `show-code` (亮码).

    It opens one visit within 60 seconds; ask again before they are over.
    """
    serving = serving_of(request)
    visits = serving.parts.desk.visits
    code = await to_thread.run_sync(visits.show, caller, certificate, limiter=serving.threads)
    text = visits.text(code)
    headers = NO_STORE | {"Vary": "Accept"}
    accepted = request.headers.get("accept", "")
    if _PNG in accepted:
        return Response(Code.of(text).png(), media_type=_PNG, headers=headers)
    if _SVG in accepted:
        return Response(Code.of(text).svg(), media_type=_SVG, headers=headers)
    return json_response({"code": text, "expires_at": code.expires_at}, headers=headers)


@write_route(router, "/visits", "openVisit", VisitRequest)
async def open_visit(request: Request, caller: Caller) -> Response:
    """Open a visit with a code that was scanned: it has a queue number, and is nobody else's.

    For clinics, in their own name. A code that was used, is too old or was altered is refused with
    the reason.
    """
    key = idempotency_key(request)
    code = VisitRequest.read(await read_json(request)).code
    serving = serving_of(request)
    written = await to_thread.run_sync(
        serving.parts.desk.visits.open, caller, key, code, limiter=serving.threads
    )
    return await answer(request, written)


@router.get("/visits/{visit}", operation_id="getVisit", response_class=Response)
async def get_visit(request: Request, caller: Caller, visit: UUID) -> Response:
    """A visit, for its clinic: its step, until when the observation lasts, bookings of today.

    A booking that was verified is named at registration (`visit.registered.v1`, `appointment`) and
    redeemed with the dose. The entity tag is the stream's version, for `If-Match` of the next step.
    """
    serving = serving_of(request)
    found = await to_thread.run_sync(
        serving.parts.desk.visits.visit, caller, visit, limiter=serving.threads
    )
    await note_read(request, caller, "visit", [found.record])
    awaited = await to_thread.run_sync(
        serving.parts.desk.visits.awaited, found, limiter=serving.threads
    )
    body = _described(found) | {"awaited": [_awaited(one) for one in awaited]}
    return json_response(body, headers=NO_STORE | {"ETag": etag(found.version)})


def _awaited(one: Appointment) -> dict[str, Any]:
    """A booking of the visitor for this clinic and day, as its next step names it."""
    return {
        "appointment": one.id,
        "version": one.version,
        "state": one.state,
        "person": one.person,
        "product": one.product,
        "dose_number": one.dose_number,
    }


def _described(visit: Visit) -> dict[str, Any]:
    return {
        "visit": visit.id,
        "record": visit.record,
        "clinic": visit.clinic,
        "on": visit.on,
        "queue_number": visit.queue_number,
        "step": visit.step,
        "moments": {str(step): at for step, at in visit.moments.items()},
        "appointment": visit.appointment,
        "doses": visit.doses,
        "observed_until": visit.observed_until,
        "version": visit.version,
    }
