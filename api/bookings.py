"""Bookings of citizens, and the day of a site (A-2 to A-7, A-18 to A-21)."""

import time
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import etag, json_response
from api.body import read_json
from api.booking_codes import make_code
from api.callers import Caller
from api.console import without_nulls, write_route
from api.noting import note_read
from api.offers import alternatives
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.reads import NO_STORE
from api.rush import ANSWER_SECONDS
from api.schemas import CancelRequest, HoldRequest, MoveRequest
from api.writes import answer, idempotency_key
from certificates.qr import Code
from commands.answering import Written
from commands.booked import Booked
from commands.bookings import Bookings
from domain.booking.refusal import BookingRefused
from domain.calendar import civil_day

router = APIRouter(prefix="/v1", tags=["bookings"])

_PNG, _SVG = "image/png", "image/svg+xml"
_APPOINTMENT = "/appointments/{appointment}"


@write_route(router, "/appointments", "holdSeat", HoldRequest)
async def hold(request: Request, caller: Caller) -> Response:
    """Hold a seat for ten minutes, for oneself or for another person (A-18).

    A refusal tells every reason, the earliest day on which time alone removes them, and free slots
    from then on in the counties where the person may book.
    """
    body = without_nulls(HoldRequest.read(await read_json(request)).members())
    wish = {"channel": "individual", **body}
    bookings, serving = _bookings(request), serving_of(request)

    def act(key: UUID) -> Written:
        try:
            return bookings.hold(caller, key, wish)
        except BookingRefused as refused:
            _add_alternatives(serving, refused, wish)
            raise

    return await _admitted(request, act)


@write_route(router, f"{_APPOINTMENT}/confirmation", "confirmBooking")
async def confirm(request: Request, caller: Caller, appointment: UUID) -> Response:
    """Make a hold a booking, with a booking number; the rules are asked once more."""
    bookings = _bookings(request)
    return await _admitted(request, lambda key: bookings.confirm(caller, key, appointment))


@write_route(router, f"{_APPOINTMENT}/move", "moveBooking", MoveRequest)
async def move(request: Request, caller: Caller, appointment: UUID) -> Response:
    """Take another seat of the same product, and give the present one back (改约)."""
    body = MoveRequest.read(await read_json(request)).members()
    bookings = _bookings(request)
    return await _admitted(request, lambda key: bookings.move(caller, key, appointment, body))


@write_route(router, f"{_APPOINTMENT}/cancellation", "cancelBooking", CancelRequest)
async def cancel(request: Request, caller: Caller, appointment: UUID) -> Response:
    """Give the seat back."""
    body = CancelRequest.read(await read_json(request)).members()
    bookings = _bookings(request)
    return await _admitted(request, lambda key: bookings.cancel(caller, key, appointment, body))


@router.get("/appointments", operation_id="listBookings", response_class=Response)
async def list_bookings(request: Request, caller: Caller) -> Response:
    """All bookings that the caller made, own and for others, the newest first (A-21)."""
    serving = serving_of(request)
    found = await to_thread.run_sync(_bookings(request).mine, caller, limiter=serving.threads)
    await note_read(request, caller, "bookings", _records(found))
    names = organisation_names(serving.views, [one.appointment.site for one in found])
    lines = [_own(one, names[one.appointment.site]) for one in found]
    return json_response({"bookings": lines}, headers=NO_STORE)


@router.get(_APPOINTMENT, operation_id="getBooking", response_class=Response)
async def get_booking(request: Request, caller: Caller, appointment: UUID) -> Response:
    """A booking, for whoever made it; to everyone else it does not exist."""
    serving = serving_of(request)
    found = await to_thread.run_sync(
        _bookings(request).own, caller, appointment, limiter=serving.threads
    )
    await note_read(request, caller, "bookings", _records([found]))
    site = found.appointment.site
    body = _own(found, organisation_names(serving.views, [site])[site])
    return json_response(body, headers=NO_STORE | {"ETag": etag(found.appointment.version)})


@router.get(f"{_APPOINTMENT}/code", operation_id="getBookingCode", response_class=Response)
async def get_booking_code(request: Request, caller: Caller, appointment: UUID) -> Response:
    """The signed code of a booking, which its site verifies offline (二维码).

    As JSON, or as `image/png` or `image/svg+xml`. Of a hold, and of a booking that is over, there
    is none.
    """
    serving = serving_of(request)
    booked = await to_thread.run_sync(
        _bookings(request).own, caller, appointment, limiter=serving.threads
    )
    await note_read(request, caller, "bookings", _records([booked]))
    code, text = await to_thread.run_sync(make_code, serving, booked, limiter=serving.threads)
    headers = NO_STORE | {"Vary": "Accept"}
    accepted = request.headers.get("accept", "")
    if _PNG in accepted:
        return Response(Code.of(text).png(), media_type=_PNG, headers=headers)
    if _SVG in accepted:
        return Response(Code.of(text).svg(), media_type=_SVG, headers=headers)
    body = {"code": text, "booking_number": code.number, "expires_at": code.expires_at}
    return json_response(body, headers=headers)


async def _admitted(request: Request, act: Callable[[UUID], Written]) -> Response:
    """Let the platform write, unless so many wait that an answer would take too long."""
    key, arrived = idempotency_key(request), time.monotonic()
    written = await serving_of(request).rush.run(partial(act, key))
    return await answer(request, written, max(0.0, arrived + ANSWER_SECONDS - time.monotonic()))


def _own(booked: Booked, site_name: str | None) -> dict[str, Any]:
    one = booked.appointment
    return {
        "appointment": one.id,
        "version": one.version,
        "state": one.state,
        "booking_number": one.booking_number or None,
        "held_until": one.held_until,
        "product": one.product,
        "dose_number": one.dose_number,
        "day": one.on,
        "starts": booked.slot.starts,
        "ends": booked.slot.ends,
        "site": one.site,
        "site_name": site_name,
        "channel": one.channel,
        "name": booked.name,
    }


def _add_alternatives(serving: Serving, refused: BookingRefused, wish: Mapping[str, Any]) -> None:
    """Beside a refusal: where there are free seats from the first day that is possible."""
    supply = serving.parts.desk.bookings.supply(UUID(wish["supply"]))
    rules, person = serving.parts.services.rules.booking, wish["person"]
    stated = (person.get(name) or "" for name in ("residence_division", "household_division"))
    divisions = [division for division in stated if rules.is_in_area(division)]
    today = civil_day(serving.parts.services.clock())
    first = date.fromisoformat(refused.facts["possible_from"] or today.isoformat())
    refused.facts["alternatives"] = alternatives(serving, supply.product, divisions, first)


def _records(found: list[Booked]) -> list[UUID]:
    return [one.appointment.record for one in found if one.appointment.record is not None]


def _bookings(request: Request) -> Bookings:
    return serving_of(request).parts.desk.bookings
