"""The clinic's page of visits: scan the code that is shown, then step by step to the end (C-19)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID, uuid5

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.desk_form import visit_form
from api.desk_page import check_clinic
from api.errors import AddressUnknown
from api.frame import go_to, page, page_router, read_form, static
from api.guessing import GUESSES_AT_PAGES
from api.my_grants import form_key
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import people_on
from api.products import products_of
from api.reasons import LEAVING
from api.session import Reader
from api.site_form import verification_form
from api.wording import BOOKING_STATES, VISIT_STEPS
from commands.counter import Form
from commands.principal import Principal
from domain.appointment import Appointment
from domain.booking.lifecycle import State
from domain.booking.refusal import BookingRefused
from domain.calendar import SHANGHAI, civil_day
from domain.visit import Step, Visit

MOST_SHOWN = 100
"""Of a day's visits; who was given a number before does not wait any more."""

_STEPS = ("registered", "vaccinated", "observed", "left")

router = page_router(GUESSES_AT_PAGES)


@router.get("/desk/visits")
async def visits_page(request: Request, caller: Reader) -> Response:
    """Scan a code; and the visits of today, the newest first."""
    check_clinic(caller)
    serving = serving_of(request)
    visits = serving.parts.desk.visits
    found = await to_thread.run_sync(visits.today, caller, MOST_SHOWN, limiter=serving.threads)
    await note_read(request, caller, "visit", [visit.record for visit in found])
    names = await to_thread.run_sync(_names, serving, found, limiter=serving.threads)
    return page(
        request,
        "visits.html",
        caller=caller,
        visits=found,
        names=names,
        steps=VISIT_STEPS,
        over=(Step.OBSERVED, Step.LEFT),
        key=serving.parts.services.new_id(),
    )


@router.get("/visits.js")
async def visits_script() -> Response:
    """Counts the minutes of an observation down."""
    return static("visits.js")


@router.post("/desk/visits")
async def open_visit(request: Request, caller: Reader) -> Response:
    """Open a visit with a code that somebody shows."""
    check_clinic(caller)
    form = await read_form(request)
    serving = serving_of(request)
    code = form.get("code", "").strip()
    act = partial(serving.parts.desk.visits.open, caller, form_key(form), code)
    written = await to_thread.run_sync(act, limiter=serving.threads)
    return go_to(f"/desk/visits/{written.stream}")


@router.get("/desk/visits/{visit}")
async def visit_page(request: Request, caller: Reader, visit: UUID) -> Response:
    """A visit: whose, how far it is, and what comes next."""
    check_clinic(caller)
    return await _shown(request, caller, visit)


@router.post("/desk/visits/{visit}/{step}")
async def advance(request: Request, caller: Reader, visit: UUID, step: str) -> Response:
    """Take a visit one step further; a booking that is kept is verified first."""
    check_clinic(caller)
    if step not in _STEPS:
        raise AddressUnknown
    fields = await read_form(request)
    serving = serving_of(request)
    visits = serving.parts.desk.visits
    found = await to_thread.run_sync(visits.visit, caller, visit, limiter=serving.threads)
    await note_read(request, caller, "visit", [found.record])
    given = await to_thread.run_sync(visits.given, found, limiter=serving.threads)
    forms = [visit_form(caller, visit, step, fields, [dose.dose for dose in given])]
    if step == "registered":
        awaited = await to_thread.run_sync(visits.awaited, found, limiter=serving.threads)
        forms = [*_verifications(caller, forms[0].key, awaited, fields), *forms]
    try:
        for form in forms:
            enter = partial(serving.parts.desk.counter.enter, form)
            await to_thread.run_sync(enter, limiter=serving.threads)
    except BookingRefused as refused:
        return await _shown(request, caller, visit, refused)
    return go_to(f"/desk/visits/{visit}")


async def _shown(
    request: Request,
    caller: Principal,
    visit: UUID,
    refused: BookingRefused | None = None,
) -> Response:
    serving = serving_of(request)
    visits, rules = serving.parts.desk.visits, serving.parts.services.rules
    found = await to_thread.run_sync(visits.visit, caller, visit, limiter=serving.threads)
    await note_read(request, caller, "visit", [found.record])
    names = await to_thread.run_sync(_names, serving, [found], limiter=serving.threads)
    given = await to_thread.run_sync(visits.given, found, limiter=serving.threads)
    awaited = await to_thread.run_sync(visits.awaited, found, limiter=serving.threads)
    return page(
        request,
        "visit.html",
        caller=caller,
        visit=found,
        name=names[found.record],
        moments={step: _local(at) for step, at in found.moments.items()},
        until=found.observed_until and found.observed_until.astimezone(SHANGHAI),
        given=given,
        awaited=awaited,
        vaccines=rules.catalogue.vaccines,
        products=products_of(rules),
        states=BOOKING_STATES,
        refused=refused,
        steps=VISIT_STEPS,
        leaving=LEAVING,
        key=serving.parts.services.new_id(),
    )


def _verifications(
    caller: Principal, key: UUID, awaited: list[Appointment], fields: Mapping[str, str]
) -> Iterator[Form]:
    """The first scan of the booking that is kept, where nobody has taken it yet."""
    for one in awaited:
        if str(one.id) == fields.get("appointment") and one.state is State.BOOKED:
            booking = (one.id, one.version, one.person)
            yield verification_form(caller, uuid5(key, "verified"), booking, fields)


def _names(serving: Serving, visits: list[Visit]) -> dict[UUID, str]:
    """Names of who came, by record; empty for who is not known."""
    today = civil_day(serving.parts.services.clock())
    rows = [serving.views.records.get(visit.record) for visit in visits]
    recipients = {row.record: row.recipient for row in rows if row is not None}
    people = people_on(serving.views, set(recipients.values()), today)
    known = {record: people[who].get("name") or "" for record, who in recipients.items()}
    return {visit.record: known.get(visit.record, "") for visit in visits}


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%H:%M")
