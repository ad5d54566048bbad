"""Bookings of citizens, and the day of a site (A-2 to A-7, A-18 to A-21)."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.body import read_json
from api.booking_codes import make_code, read_code
from api.callers import Caller
from api.console import takes, without_nulls
from api.errors import AddressUnknown
from api.noting import note_read
from api.offers import alternatives, offered
from api.parameters import AtLeast, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.reads import NO_STORE
from api.schemas import BookingSearch, CancelRequest, HoldRequest, MoveRequest
from api.writes import answer, etag, idempotency_key, json_response
from certificates.qr import Code
from commands.answering import Written
from commands.bookings import Booked, Bookings
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal, Role
from commands.reading import Change
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.calendar import civil_day
from ledger.entry import Entry
from projections.bookings import AppointmentRow

router = APIRouter(prefix="/v1", tags=["bookings"])

_PNG, _SVG = "image/png", "image/svg+xml"
_APPOINTMENT = "/appointments/{appointment}"
_WITHOUT_BODY = {
    "parameters": [{"$ref": "#/components/parameters/IdempotencyKey"}],
    "x-vaxledger-receipt": True,
}


@router.post(
    "/appointments",
    operation_id="holdSeat",
    status_code=201,
    response_class=Response,
    openapi_extra=takes(HoldRequest),
)
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


@router.post(
    f"{_APPOINTMENT}/confirmation",
    operation_id="confirmBooking",
    status_code=201,
    response_class=Response,
    openapi_extra=_WITHOUT_BODY,
)
async def confirm(request: Request, caller: Caller, appointment: UUID) -> Response:
    """Make a hold a booking, with a booking number; the rules are asked once more."""
    bookings = _bookings(request)
    return await _admitted(request, lambda key: bookings.confirm(caller, key, appointment))


@router.post(
    f"{_APPOINTMENT}/move",
    operation_id="moveBooking",
    status_code=201,
    response_class=Response,
    openapi_extra=takes(MoveRequest),
)
async def move(request: Request, caller: Caller, appointment: UUID) -> Response:
    """Take another seat of the same product, and give the present one back (改约)."""
    body = MoveRequest.read(await read_json(request)).members()
    bookings = _bookings(request)
    return await _admitted(request, lambda key: bookings.move(caller, key, appointment, body))


@router.post(
    f"{_APPOINTMENT}/cancellation",
    operation_id="cancelBooking",
    status_code=201,
    response_class=Response,
    openapi_extra=takes(CancelRequest),
)
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


@router.get("/sites/{site}/days/{day}", operation_id="getSiteDay", response_class=Response)
async def get_site_day(
    request: Request,
    caller: Caller,
    site: UUID,
    day: Annotated[str, Path(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")],
    at_least: AtLeast = 0,
) -> Response:
    """The time slots of a site on a day, and who comes, has come and has been vaccinated.

    For the site and its county. Each appointment has what the site's next write about it names.
    """
    on = day_or_today(request, day)
    await wait_for_views(request, at_least)
    serving = serving_of(request)
    rows = await to_thread.run_sync(_day, serving, caller, site, on, limiter=serving.threads)
    await note_read(request, caller, "bookings", [row.record for row in rows if row.record])
    body = await to_thread.run_sync(_site_day, serving, site, on, rows, limiter=serving.threads)
    return json_response(body, headers=NO_STORE)


@router.post(
    "/appointments/search",
    operation_id="findBooking",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/BookingSearch"}}
            },
        }
    },
)
async def find_booking(request: Request, caller: Caller, at_least: AtLeast = 0) -> Response:
    """An appointment by its booking number or its scanned code, for its site and its county.

    A code that was made for another site is refused with just that reason.
    """
    asked = BookingSearch.read(await read_json(request))
    await wait_for_views(request, at_least)
    serving = serving_of(request)
    row = await to_thread.run_sync(_sought, serving, caller, asked, limiter=serving.threads)
    await note_read(request, caller, "bookings", [row.record] if row.record else [])
    lines = await to_thread.run_sync(_lines, serving, [row], limiter=serving.threads)
    return json_response(lines[0], headers=NO_STORE | {"ETag": etag(row.version)})


async def _admitted(request: Request, act: Callable[[UUID], Written]) -> Response:
    """Let the platform write, unless so many wait that an answer would take too long."""
    key = idempotency_key(request)
    return await answer(request, await serving_of(request).rush.run(partial(act, key)))


def _day(serving: Serving, caller: Principal, site: UUID, on: date) -> list[AppointmentRow]:
    _check_site(serving, caller, site)
    return serving.views.bookings.day_of(site, on)


def _sought(serving: Serving, caller: Principal, asked: BookingSearch) -> AppointmentRow:
    if asked.code is not None:
        number = read_code(serving, asked.code).number
    else:
        assert asked.booking_number is not None, "the body has one of the two"
        number = asked.booking_number
    row = serving.views.bookings.of_number(number)
    if row is None:
        raise AddressUnknown
    try:
        _check_site(serving, caller, row.site)
    except AddressUnknown:
        # Whoever holds the code knows of the booking already.
        if asked.code is None or caller.role is not Role.CLINIC:
            raise
        rules = serving.parts.services.rules.booking
        raise BookingRefused.by(rules, Objection("wrong_site")) from None
    return row


def _check_site(serving: Serving, caller: Principal, site: UUID) -> None:
    """To whom a site's bookings are not open, there is no such site."""
    found = serving.views.organisations.get(site)
    if found is None:
        raise AddressUnknown
    try:
        check_read(caller, "bookings", Scope(found.division, managing=site))
    except Forbidden as error:
        raise AddressUnknown from error


def _site_day(
    serving: Serving, site: UUID, on: date, rows: list[AppointmentRow]
) -> Mapping[str, Any]:
    slots = [
        {
            **offered(row),
            "product": row.product,
            "capacity": row.capacity,
            "taken": row.taken,
            "is_closed": row.is_closed,
            "version": row.version,
        }
        for row in serving.views.bookings.supply_of(site, on)
    ]
    return {"site": site, "day": on, "slots": slots, "appointments": _lines(serving, rows)}


def _lines(serving: Serving, rows: list[AppointmentRow]) -> list[dict[str, Any]]:
    """Appointments as staff see them; names are opened for this answer, in two queries."""
    parts = serving.parts
    changes = [
        Change(position, Entry.decode(raw))
        for position, raw, _ in parts.reader.entries_at([row.held_position for row in rows])
    ]
    opened = parts.vault.unseal(changes)
    lines = []
    for row in rows:
        values = opened.get((row.held_position, row.person)) or {}
        lines.append(
            {
                "appointment": row.appointment,
                "version": row.version,
                "booking_number": row.booking_number,
                "state": row.state,
                "punctuality": row.punctuality,
                "product": row.product,
                "dose_number": row.dose_number,
                "day": row.day,
                "starts": row.starts,
                "ends": row.ends,
                "person": {
                    "handle": row.person,
                    "name": values.get("name"),
                    "phone": values.get("phone"),
                    "erased": not values,
                },
                "record": row.record,
                "dose": row.dose,
                "visit": row.visit,
            }
        )
    return lines


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
