"""The day of a site: its slots, who comes, and the booking that somebody shows (A-6; X-6)."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from api.answers import etag, json_response
from api.body import read_json
from api.booking_codes import read_code
from api.callers import Caller
from api.errors import AddressUnknown
from api.noting import note_read
from api.offers import offered
from api.parameters import AtLeast, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.schemas import BookingSearch
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal, Role
from commands.reading import Change
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from ledger.entry import Entry
from projections.bookings import AppointmentRow

router = APIRouter(prefix="/v1", tags=["bookings"])


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

    It takes no `known_at`: seats are capacity now.
    """
    on = day_or_today(request, day)
    await wait_for_views(request, at_least)
    serving = serving_of(request)
    rows = await to_thread.run_sync(day_rows, serving, caller, site, on, limiter=serving.threads)
    await note_read(request, caller, "bookings", [row.record for row in rows if row.record])
    body = await to_thread.run_sync(site_day, serving, site, on, rows, limiter=serving.threads)
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
    row = await to_thread.run_sync(sought, serving, caller, asked, limiter=serving.threads)
    await note_read(request, caller, "bookings", [row.record] if row.record else [])
    lines = await to_thread.run_sync(lines_of, serving, [row], limiter=serving.threads)
    return json_response(lines[0], headers=NO_STORE | {"ETag": etag(row.version)})


def day_rows(serving: Serving, caller: Principal, site: UUID, on: date) -> list[AppointmentRow]:
    """Who comes to a site on a day.

    Raises:
        AddressUnknown: The site's bookings are not open to the caller.
    """
    _check_site(serving, caller, site)
    return serving.views.bookings.day_of(site, on)


def sought(serving: Serving, caller: Principal, asked: BookingSearch) -> AppointmentRow:
    """The booking of a number or a scanned code.

    Raises:
        AddressUnknown: There is none, or it is not open to the caller.
        BookingRefused: The code is for another site.
        CodeRefused: It is none of ours.
    """
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


def site_day(
    serving: Serving, site: UUID, on: date, rows: list[AppointmentRow]
) -> Mapping[str, Any]:
    """A site's slots of a day, and the appointments among them."""
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
    return {"site": site, "day": on, "slots": slots, "appointments": lines_of(serving, rows)}


def lines_of(serving: Serving, rows: list[AppointmentRow]) -> list[dict[str, Any]]:
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
