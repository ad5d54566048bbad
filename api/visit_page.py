"""The clinic's page of visits: scan the code that is shown, then step by step to the end (C-19)."""

from datetime import datetime
from functools import partial
from uuid import UUID

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
from api.session import Reader
from api.wording import LEAVING, VISIT_STEPS
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
    """Scans codes, and counts the minutes of an observation down."""
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
    serving = serving_of(request)
    visits = serving.parts.desk.visits
    found = await to_thread.run_sync(visits.visit, caller, visit, limiter=serving.threads)
    await note_read(request, caller, "visit", [found.record])
    names = await to_thread.run_sync(_names, serving, [found], limiter=serving.threads)
    given = await to_thread.run_sync(visits.given, found, limiter=serving.threads)
    return page(
        request,
        "visit.html",
        caller=caller,
        visit=found,
        name=names[found.record],
        moments={step: _local(at) for step, at in found.moments.items()},
        until=found.observed_until and found.observed_until.astimezone(SHANGHAI),
        given=given,
        vaccines=serving.parts.services.rules.catalogue.vaccines,
        steps=VISIT_STEPS,
        leaving=LEAVING,
        key=serving.parts.services.new_id(),
    )


@router.post("/desk/visits/{visit}/{step}")
async def advance(request: Request, caller: Reader, visit: UUID, step: str) -> Response:
    """Take a visit one step further."""
    check_clinic(caller)
    if step not in _STEPS:
        raise AddressUnknown
    fields = await read_form(request)
    serving = serving_of(request)
    visits = serving.parts.desk.visits
    found = await to_thread.run_sync(visits.visit, caller, visit, limiter=serving.threads)
    await note_read(request, caller, "visit", [found.record])
    given = await to_thread.run_sync(visits.given, found, limiter=serving.threads)
    form = visit_form(caller, visit, step, fields, [dose.dose for dose in given])
    enter = partial(serving.parts.desk.counter.enter, form)
    await to_thread.run_sync(enter, limiter=serving.threads)
    return go_to(f"/desk/visits/{visit}")


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
