"""A citizen's bookings as pages: find a free hour, book it, carry the code (A-2, A-18 to A-21)."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.booking_codes import make_code
from api.errors import MalformedForm
from api.frame import go_to, page, page_router, read_form
from api.my_pages import SVG
from api.noting import note_read
from api.offers import sites_of
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.products import products_of
from api.reads import NO_STORE
from api.session import Reader
from api.wording import BOOKING_STATES
from certificates.qr import Code
from client.identifiers import new_id
from commands.answering import Written
from commands.booked import Booked
from commands.principal import Principal
from domain.booking.lifecycle import State
from domain.booking.refusal import BookingRefused
from domain.calendar import SHANGHAI, civil_day

DAYS_AHEAD = 14
_PERSON = ("household_division", "residence_division", "detail_address", "name", "id_number")
_PHONE = "phone"
_MAX_FIELD = 200

router = page_router()


@router.get("/book")
async def find(request: Request, caller: Reader, product: str = "", division: str = "") -> Response:
    """The caller's bookings, and free hours for a product in a county."""
    return await _found(request, caller, product, division)


@router.post("/book")
async def hold(request: Request, caller: Reader) -> Response:
    """Hold a seat, and lead on to it; a refusal is told beside the hours that are free."""
    form = await read_form(request)
    try:
        key, wish = UUID(form["key"]), _wish(form)
    except (KeyError, ValueError) as error:
        raise MalformedForm from error
    bookings = serving_of(request).parts.desk.bookings
    try:
        written = await _admitted(request, partial(bookings.hold, caller, key, wish))
    except BookingRefused as refused:
        asked = (form.get("product", ""), form.get("division", ""))
        return await _found(request, caller, *asked, refused=refused, form=form)
    return go_to(f"/book/{written.stream}")


@router.get("/book/{appointment}")
async def show(request: Request, caller: Reader, appointment: UUID) -> Response:
    """A booking with its code, or a hold that is to be confirmed."""
    return await _shown(request, caller, appointment)


@router.post("/book/{appointment}/confirmation")
async def confirm(request: Request, caller: Reader, appointment: UUID) -> Response:
    """Make the hold a booking."""
    bookings = serving_of(request).parts.desk.bookings
    return await _step(request, caller, appointment, bookings.confirm)


@router.post("/book/{appointment}/cancellation")
async def cancel(request: Request, caller: Reader, appointment: UUID) -> Response:
    """Give the seat back."""
    bookings = serving_of(request).parts.desk.bookings

    def give_back(who: Principal, key: UUID, stream: UUID) -> Written:
        return bookings.cancel(who, key, stream, {"reason": "cannot-come"})

    return await _step(request, caller, appointment, give_back)


@router.get("/book/{appointment}/move")
async def other_hours(
    request: Request, caller: Reader, appointment: UUID, division: str = ""
) -> Response:
    """Free hours of the same product, to which the booking may be moved."""
    return await _movable(request, caller, appointment, division)


@router.post("/book/{appointment}/move")
async def move(request: Request, caller: Reader, appointment: UUID) -> Response:
    """Take another seat and give the present one back (改约)."""
    form = await read_form(request)
    try:
        key, (supply, slot) = UUID(form["key"]), form["seat"].split(" ")
        wish = {"supply": str(UUID(supply)), "slot": int(slot)}
    except (KeyError, ValueError) as error:
        raise MalformedForm from error
    bookings = serving_of(request).parts.desk.bookings
    try:
        await _admitted(request, partial(bookings.move, caller, key, appointment, wish))
    except BookingRefused as refused:
        return await _movable(request, caller, appointment, form.get("division", ""), refused)
    return go_to(f"/book/{appointment}")


@router.get("/book/{appointment}/code.svg")
async def code(request: Request, caller: Reader, appointment: UUID) -> Response:
    """The signed code that the site scans."""
    serving = serving_of(request)
    booked = await _own(request, caller, appointment)
    _, text = await to_thread.run_sync(make_code, serving, booked, limiter=serving.threads)
    return Response(Code.of(text).svg(), media_type=SVG, headers=NO_STORE)


async def _found(
    request: Request,
    caller: Principal,
    product: str,
    division: str,
    refused: BookingRefused | None = None,
    form: Mapping[str, str] | None = None,
) -> Response:
    serving = serving_of(request)
    mine = await to_thread.run_sync(serving.parts.desk.bookings.mine, caller)
    await note_read(request, caller, "bookings", _records(mine))
    names = organisation_names(serving.views, [one.appointment.site for one in mine])
    sites = await _sites(serving, product, division) if product else None
    return page(
        request,
        "book.html",
        caller=caller,
        mine=mine,
        names=names,
        states=BOOKING_STATES,
        products=products_of(serving.parts.services.rules),
        product=product,
        division=division,
        sites=sites,
        refused=refused,
        form=form or {},
        key=new_id(),
    )


async def _movable(
    request: Request,
    caller: Principal,
    appointment: UUID,
    division: str,
    refused: BookingRefused | None = None,
) -> Response:
    booked = await _own(request, caller, appointment)
    serving = serving_of(request)
    return page(
        request,
        "book-move.html",
        caller=caller,
        products=products_of(serving.parts.services.rules),
        booked=booked,
        division=division,
        sites=await _sites(serving, booked.appointment.product, division) or [],
        refused=refused,
        key=new_id(),
    )


async def _sites(serving: Serving, product: str, division: str) -> list[dict[str, Any]] | None:
    """Sites near a division with their hours; None where it is no division."""
    if not (division.isascii() and division.isdecimal()):
        return None
    first = civil_day(serving.parts.services.clock())
    days = (first, first + timedelta(days=DAYS_AHEAD))
    return await to_thread.run_sync(sites_of, serving, product, [division], days)


async def _shown(
    request: Request,
    caller: Principal,
    appointment: UUID,
    refused: BookingRefused | None = None,
) -> Response:
    booked = await _own(request, caller, appointment)
    one = booked.appointment
    serving = serving_of(request)
    return page(
        request,
        "book-one.html",
        caller=caller,
        one=one,
        booked=booked,
        site=organisation_names(serving.views, [one.site])[one.site],
        products=products_of(serving.parts.services.rules),
        state=BOOKING_STATES[one.state],
        has_code=one.state in (State.BOOKED, State.ARRIVED_SCANNED),
        division=one.division,
        held_until=one.held_until.astimezone(SHANGHAI).strftime("%H:%M"),
        refused=refused,
        key=new_id(),
    )


async def _own(request: Request, caller: Principal, appointment: UUID) -> Booked:
    serving = serving_of(request)
    find_own = serving.parts.desk.bookings.own
    booked = await to_thread.run_sync(find_own, caller, appointment, limiter=serving.threads)
    await note_read(request, caller, "bookings", _records([booked]))
    return booked


async def _step(
    request: Request,
    caller: Principal,
    appointment: UUID,
    act: Callable[[Principal, UUID, UUID], Written],
) -> Response:
    form = await read_form(request)
    try:
        key = UUID(form["key"])
    except (KeyError, ValueError) as error:
        raise MalformedForm from error
    try:
        await _admitted(request, partial(act, caller, key, appointment))
    except BookingRefused as refused:
        return await _shown(request, caller, appointment, refused)
    return go_to(f"/book/{appointment}")


async def _admitted(request: Request, act: Callable[[], Written]) -> Written:
    return await serving_of(request).rush.run(act)


def _wish(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form asks for.

    Raises:
        KeyError, ValueError: Something is missing, or is no number.
    """
    supply, slot = form["seat"].split(" ")
    is_proxy = form.get("channel") == "proxy"
    names = (*_PERSON, _PHONE) if is_proxy else _PERSON[:3]
    stated = {name: form.get(name, "").strip()[:_MAX_FIELD] for name in names}
    return {
        "supply": str(UUID(supply)),
        "slot": int(slot),
        "dose_number": int(form["dose_number"]),
        "channel": "proxy" if is_proxy else "individual",
        "person": {name: value for name, value in stated.items() if value},
    }


def _records(found: list[Booked]) -> list[UUID]:
    return [one.appointment.record for one in found if one.appointment.record is not None]
