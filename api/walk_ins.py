"""Walk-ins: whoever comes to a site without a booking gets a seat of today there (A-2)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.body import read_json
from api.callers import Caller
from api.console import without_nulls, write_route
from api.noting import note_read
from api.parts import serving_of
from api.schemas import WalkInRequest
from api.writes import answer, idempotency_key
from commands.answering import Written
from commands.permissions import check_role
from commands.principal import Principal
from domain.appointment import Appointment

router = APIRouter(prefix="/v1", tags=["bookings"])


@write_route(router, "/walk-ins", "takeWalkIn", WalkInRequest)
async def take_walk_in(request: Request, caller: Caller) -> Response:
    """Book a seat of today for whoever stands at the site, with their identity card.

    The same rules and the same seats as for everybody: a full slot is refused, and so is a dose
    that would be too early. The two scans follow. Answers with the confirmed booking.
    """
    body = without_nulls(WalkInRequest.read(await read_json(request)).members())
    return await answer(request, await take(request, caller, idempotency_key(request), body))


async def take(request: Request, caller: Principal, key: UUID, wish: Mapping[str, Any]) -> Written:
    """Note whose record the rules will read, then book.

    Raises:
        Forbidden: Not staff of a site.
        DomainError: As of the command.
    """
    check_role(caller, Appointment.Held.TOPIC)
    serving = serving_of(request)
    walk_ins = serving.parts.desk.walk_ins
    record = await to_thread.run_sync(walk_ins.record, wish["person"], limiter=serving.threads)
    await note_read(request, caller, "entry", [record] if record is not None else [])
    return await to_thread.run_sync(walk_ins.take, caller, key, wish, limiter=serving.threads)
