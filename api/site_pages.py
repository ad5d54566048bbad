"""A site's day as pages: who comes, the two scans, how many may come; and a county's supply.

Whoever sits here has no signing key: the platform signs (`commands.counter`).
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.console import without_nulls
from api.errors import AddressUnknown, MalformedForm
from api.frame import go_to, page, page_router, read_form
from api.noting import note_read
from api.parameters import day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.products import products_of
from api.schemas import BookingSearch, WalkInRequest
from api.session import Reader
from api.site_days import day_rows, lines_of, site_day, sought
from api.site_form import verification_form
from api.walk_ins import take
from api.wording import BOOKING_STATES
from client.identifiers import new_id
from commands.answering import Written
from commands.applicants import find_person
from commands.appointments import booked_for, number_of
from commands.counter import Form
from commands.errors import Erased, Forbidden, Restricted
from commands.principal import Principal, Role
from commands.reading import Reading
from domain.appointment import Appointment
from domain.booking.refusal import BookingRefused
from domain.dose import DoseState
from domain.topics import BOOKED_FOR, BOOKER
from domain.vaccination_record import VaccinationRecord

COUNTY_DAYS = 14
_NUMBER_DIGITS = 12
_CARD = ("name", "id_number", "phone", "residence_division", "detail_address")
_OVERSEERS = (Role.COUNTY_CDC, Role.CITY_CDC, Role.PROVINCE_CDC)

router = page_router()


@router.get("/site")
async def site(request: Request, caller: Reader, day: str = "", written: int = 0) -> Response:
    """The slots of a day and who comes."""
    await wait_for_views(request, written)
    return await _day(request, caller, day)


async def _day(
    request: Request,
    caller: Principal,
    day: str,
    refused: BookingRefused | None = None,
    form: Mapping[str, str] | None = None,
) -> Response:
    clinic = _clinic(caller)
    serving, on = serving_of(request), day_or_today(request, day or None)
    rows = await to_thread.run_sync(day_rows, serving, caller, clinic, on)
    await note_read(request, caller, "bookings", [row.record for row in rows if row.record])
    body = await to_thread.run_sync(site_day, serving, clinic, on, rows, limiter=serving.threads)
    return page(
        request,
        "site.html",
        caller=caller,
        body=body,
        states=BOOKING_STATES,
        products=products_of(serving.parts.services.rules),
        is_today=on == day_or_today(request, None),
        refused=refused,
        form=form or {},
        key=new_id(),
    )


@router.post("/site/find")
async def find(request: Request, caller: Reader) -> Response:
    """Lead on to the booking of a number or a scanned code."""
    _clinic(caller)
    text = (await read_form(request)).get("code", "").strip()
    is_number = text.isdecimal() and len(text) == _NUMBER_DIGITS
    asked = BookingSearch.read({"booking_number" if is_number else "code": text})
    serving = serving_of(request)
    row = await to_thread.run_sync(sought, serving, caller, asked, limiter=serving.threads)
    return go_to(f"/site/appointments/{row.appointment}")


@router.post("/site/walk-ins")
async def walk_in(request: Request, caller: Reader) -> Response:
    """Book a seat of today for whoever came without a booking, and lead on to the first scan."""
    _clinic(caller)
    fields = await read_form(request)
    supply, _, slot = fields.get("seat", "").partition(" ")
    wish = {
        "supply": supply,
        "slot": _integer({"slot": slot}, "slot"),
        "dose_number": _integer(fields, "dose_number"),
        "person": {name: text for name in _CARD if (text := fields.get(name, "").strip())},
    }
    asked = WalkInRequest.read(wish)
    try:
        written = await take(request, caller, _key(fields), without_nulls(asked.members()))
    except BookingRefused as refused:
        return await _day(request, caller, "", refused, fields)
    return go_to(f"/site/appointments/{written.stream}?written={written.position}")


@router.post("/site/supplies")
async def open_supply(request: Request, caller: Reader) -> Response:
    """Open one time slot of a day and product."""
    clinic, fields = _clinic(caller), await read_form(request)
    slot = {name: fields.get(name, "") for name in ("starts", "ends")}
    data = {
        "site": str(clinic),
        "division": caller.division,
        "on": fields.get("day", ""),
        "product": fields.get("product", ""),
        "slots": [{**slot, "capacity": _integer(fields, "capacity")}],
    }
    key = _key(fields)
    form = Form(caller, key, "slot-supply.opened.v1", uuid5(key, "supply"), 0, data, {})
    written = await _enter(request, form)
    return go_to(f"/site?day={fields.get('day', '')}&written={written.position}")


@router.post("/site/supplies/{supply}/{slot}")
async def change_supply(request: Request, caller: Reader, supply: UUID, slot: int) -> Response:
    """Let more or fewer people come; none at all closes the slot."""
    _clinic(caller)
    fields = await read_form(request)
    capacity = _integer(fields, "capacity")
    found = serving_of(request).parts.desk.bookings.supply(supply)
    step = "lowered"
    data: dict[str, Any] = {"slot": slot, "capacity": capacity}
    if capacity == 0:
        step, data = "closed", {"slot": slot, "reason": "no-more-bookings"}
    elif capacity > found.slot(slot).capacity:
        step = "raised"
    topic = f"slot-supply.{step}.v1"
    form = Form(caller, _key(fields), topic, supply, _integer(fields, "version"), data, {})
    written = await _enter(request, form)
    return go_to(f"/site?day={found.on}&written={written.position}")


@router.get("/site/appointments/{appointment}")
async def show(request: Request, caller: Reader, appointment: UUID, written: int = 0) -> Response:
    """One booking, and what may be done about it."""
    await wait_for_views(request, written)
    return await _shown(request, caller, appointment)


@router.post("/site/appointments/{appointment}/{step}")
async def act(request: Request, caller: Reader, appointment: UUID, step: str) -> Response:
    """Take the first scan or the second, or call the booking off."""
    fields, clinic = await read_form(request), str(_clinic(caller))
    version, key = _integer(fields, "version"), _key(fields)
    data: dict[str, Any] = {"clinic": clinic}
    if step == "redeemed":
        record, _, dose = fields.get("dose", "").partition(" ")
        data |= {"record": record, "dose": dose}
    elif step == "called-off":
        data["reason"] = "called-off-by-site"
    elif step != "verified":
        raise AddressUnknown
    form = Form(caller, key, f"appointment.{step}.v1", appointment, version, data, {})
    if step == "verified":
        person = await to_thread.run_sync(_person, serving_of(request), appointment)
        form = verification_form(caller, key, (appointment, version, person), fields)
    try:
        written = await _enter(request, form)
    except BookingRefused as refused:
        return await _shown(request, caller, appointment, refused)
    return go_to(f"/site/appointments/{appointment}?written={written.position}")


@router.get("/supply")
async def supply(request: Request, caller: Reader, day: str = "") -> Response:
    """What the sites of a division have opened for the next days, and what came of it."""
    if caller.role not in _OVERSEERS or not caller.division:
        raise Forbidden(what="supply", role=str(caller.role))
    serving, first = serving_of(request), day_or_today(request, day or None)
    last = first + timedelta(days=COUNTY_DAYS - 1)
    rows = await to_thread.run_sync(serving.views.bookings.use, caller.division, first, last)
    names = organisation_names(serving.views, [row.site for row in rows])
    return page(
        request,
        "supply.html",
        caller=caller,
        rows=rows,
        names=names,
        products=products_of(serving.parts.services.rules),
        first=first,
        last=last,
    )


async def _shown(
    request: Request,
    caller: Principal,
    appointment: UUID,
    refused: BookingRefused | None = None,
) -> Response:
    serving, clinic = serving_of(request), _clinic(caller)
    row = await to_thread.run_sync(serving.views.bookings.get, appointment)
    if row is None or row.site != clinic:
        raise AddressUnknown
    given = await to_thread.run_sync(_given, serving, appointment, limiter=serving.threads)
    shown = {row.record, *(record.id for record, _ in given)}
    await note_read(request, caller, "bookings", [one for one in shown if one is not None])
    (line,) = await to_thread.run_sync(lines_of, serving, [row], limiter=serving.threads)
    return page(
        request,
        "site-booking.html",
        caller=caller,
        line=line,
        products=products_of(serving.parts.services.rules),
        state=BOOKING_STATES[line["state"]],
        given=given,
        refused=refused,
        key=new_id(),
    )


async def _enter(request: Request, form: Form) -> Written:
    """Note who enters something, then write it."""
    serving = serving_of(request)
    await note_read(request, form.caller, "entry", [form.stream])
    enter = partial(serving.parts.desk.counter.enter, form)
    return await to_thread.run_sync(enter, limiter=serving.threads)


def _given(serving: Serving, appointment: UUID) -> list[tuple[VaccinationRecord, DoseState]]:
    """Doses of the booked product that the person was given here on the day."""
    reading = _reading(serving)
    one = reading.load(Appointment, appointment)
    try:
        number = number_of(booked_for(reading, one))
        record = find_person(reading, number, (BOOKED_FOR, BOOKER)).record
    except (Erased, Restricted):
        return []
    rules = serving.parts.services.rules.booking
    return [
        (record, dose)
        for dose in (record.doses_on(reading.today) if record is not None else ())
        if record is not None
        and (dose.clinic, dose.occurred_on) == (one.site, one.on)
        and rules.is_of(one.product, dose.vaccine)
    ]


def _person(serving: Serving, appointment: UUID) -> UUID:
    return _reading(serving).load(Appointment, appointment).person


def _reading(serving: Serving) -> Reading:
    services = serving.parts.services
    return Reading(services=services, recorded_at=services.clock())


def _clinic(caller: Principal) -> UUID:
    """The site of whoever works at one.

    Raises:
        Forbidden: They do not.
    """
    if caller.role is not Role.CLINIC or caller.organisation is None:
        raise Forbidden(what="site", role=str(caller.role))
    return caller.organisation


def _key(fields: Mapping[str, str]) -> UUID:
    try:
        return UUID(fields["key"])
    except (KeyError, ValueError) as error:
        raise MalformedForm from error


def _integer(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= _NUMBER_DIGITS):
        raise MalformedForm
    return int(text)
