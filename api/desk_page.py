"""The clinic's desk: find a record or open one, record a dose, correct one, and see the receipt.

Whoever sits here has no signing key: the platform signs, as the pages say and the entries show
(`commands.counter`). Who it was is noted in the access journal before anything is written.
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.clocks import Clocks
from api.desk_form import (
    CORRECTED,
    PACKAGE,
    correction_form,
    decision_form,
    dose_form,
    registration_form,
    search_of,
)
from api.errors import AddressUnknown
from api.frame import go_to, page, page_router, read_form
from api.noting import note_read
from api.parameters import day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.proving import Prover
from api.reads import readable, record_body
from api.searching import find
from api.session import Reader
from api.struck_doses import struck_doses
from api.trail import changes_asked
from api.wording import FIELDS, KINDS, STATES, VALUES, roll_of
from client.identifiers import new_id
from commands.answering import Written
from commands.counter import Form
from commands.errors import Forbidden
from commands.principal import Principal, Role
from commands.reading import Reading
from domain.calendar import SHANGHAI
from domain.correction import OPEN, Correction
from domain.vaccination_record import VaccinationRecord

MOST_CLINICS = 1_000
"""Clinics whose last packages are kept at hand, in this process."""

_STEPS = ("verified", "applied", "rejected", "withdrawn")
_BLANK = dict.fromkeys((*PACKAGE, "vaccinator"), "")
_AT_HAND: OrderedDict[UUID, dict[str, dict[str, Any]]] = OrderedDict()

router = page_router()


@router.get("/desk")
async def desk(request: Request, caller: Reader) -> Response:
    """Ask whom to find."""
    check_clinic(caller)
    return page(request, "desk.html", caller=caller, found=None, asked={})


@router.post("/desk")
async def search(request: Request, caller: Reader) -> Response:
    """Show who was found."""
    check_clinic(caller)
    asked = search_of(await read_form(request))
    found = await find(request, caller, asked) if asked else []
    return page(request, "desk.html", caller=caller, found=found, asked=asked)


@router.get("/desk/register")
async def registering(request: Request, caller: Reader) -> Response:
    """Ask for a person's particulars."""
    check_clinic(caller)
    return page(
        request, "desk-register.html", caller=caller, key=new_id(), id_types=VALUES["id_type"]
    )


@router.post("/desk/register")
async def register(request: Request, caller: Reader) -> Response:
    """Open a record."""
    check_clinic(caller)
    fields = await read_form(request)
    written = await _enter(request, registration_form(caller, fields))
    return go_to(f"/desk/records/{written.stream}?written={written.position}")


@router.get("/desk/records/{record}")
async def show(
    request: Request, caller: Reader, record: UUID, vaccine: str = "", written: int = 0
) -> Response:
    """A record, and the form of the next dose, filled with what was last given of that vaccine."""
    check_clinic(caller)
    await wait_for_views(request, written)
    shown = await _shown(request, caller, record)
    struck = await to_thread.run_sync(struck_doses, serving_of(request), record)
    coming = (shown["next_due"] or {"doses": []})["doses"]
    due = vaccine or next((one["vaccine"] for one in coming), "")
    at_hand = _AT_HAND.get(_clinic(caller), {})
    catalogue = serving_of(request).parts.services.rules.catalogue
    return page(
        request,
        "desk-record.html",
        caller=caller,
        shown=shown,
        struck=list(struck.values()),
        roll=roll_of(shown["roll"]),
        written=written,
        key=new_id(),
        now=datetime.now(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
        coming=coming,
        vaccine=due,
        last=_BLANK | at_hand.get(due, at_hand.get("", {})),
        vaccines=list(catalogue),
        sites=catalogue.sites.values(),
        routes=catalogue.routes.values(),
    )


@router.post("/desk/records/{record}/doses")
async def record_dose(request: Request, caller: Reader, record: UUID) -> Response:
    """Record a dose that was given here."""
    check_clinic(caller)
    fields = await read_form(request)
    serving = serving_of(request)
    row = await to_thread.run_sync(readable, serving, caller, record)
    catalogue = serving.parts.services.rules.catalogue
    form = dose_form(caller, record, row.recipient, fields, catalogue)
    written = await _enter(request, form)
    _keep_at_hand(caller, form, fields)
    return go_to(f"/desk/receipts/{written.position}?record={record}")


@router.get("/desk/receipts/{position}")
async def receipt(request: Request, caller: Reader, position: int, record: UUID) -> Response:
    """What was written, and that a signed checkpoint covers it."""
    check_clinic(caller)
    serving = serving_of(request)
    shown = await _shown(request, caller, record)
    settings = serving.parts.settings
    is_published = await serving.published.wait(position, settings.receipt_wait_seconds)
    proof = await _proof(serving.prover, position) if is_published else ""
    return page(
        request, "desk-receipt.html", caller=caller, position=position, proof=proof, shown=shown
    )


@router.get("/desk/records/{record}/doses/{dose}")
async def correcting(request: Request, caller: Reader, record: UUID, dose: UUID) -> Response:
    """Ask what is wrong with a dose, or why one that was struck out counts after all."""
    check_clinic(caller)
    shown = await _shown(request, caller, record)
    struck = await to_thread.run_sync(struck_doses, serving_of(request), record)
    if gone := struck.get(dose):
        return page(
            request, "desk-struck.html", caller=caller, shown=shown, dose=gone, key=new_id()
        )
    catalogue = serving_of(request).parts.services.rules.catalogue
    return page(
        request,
        "desk-dose.html",
        caller=caller,
        shown=shown,
        dose=_dose(shown, dose),
        fields={name: FIELDS[name] for name in CORRECTED},
        choices={
            "vaccine": list(catalogue),
            "site": list(catalogue.sites.values()),
            "route": list(catalogue.routes.values()),
        },
        key=new_id(),
    )


@router.post("/desk/records/{record}/doses/{dose}")
async def correct(request: Request, caller: Reader, record: UUID, dose: UUID) -> Response:
    """Ask for a correction."""
    check_clinic(caller)
    fields = await read_form(request)
    shown = await _shown(request, caller, record)
    struck = await to_thread.run_sync(struck_doses, serving_of(request), record)
    which = struck.get(dose) or _dose(shown, dose)
    written = await _enter(request, correction_form(caller, fields, shown, which))
    return go_to(f"/desk/corrections/{written.stream}")


@router.get("/desk/corrections/{correction}")
async def correction_page(request: Request, caller: Reader, correction: UUID) -> Response:
    """A correction with before and after, and what may be done about it."""
    check_clinic(caller)
    serving = serving_of(request)
    found, changes = await to_thread.run_sync(_correction, serving, correction)
    await to_thread.run_sync(readable, serving, caller, found.record)
    await note_read(request, caller, "record", [found.record])
    return page(
        request,
        "desk-correction.html",
        caller=caller,
        correction=found,
        changes=changes,
        is_open=found.state in OPEN,
        kind=KINDS[found.kind],
        state=STATES[found.state],
        key=new_id(),
    )


@router.post("/desk/corrections/{correction}/{step}")
async def decide(request: Request, caller: Reader, correction: UUID, step: str) -> Response:
    """Verify, apply, reject or withdraw a correction."""
    check_clinic(caller)
    if step not in _STEPS:
        raise AddressUnknown
    fields = await read_form(request)
    await _enter(request, decision_form(caller, correction, step, fields))
    return go_to(f"/desk/corrections/{correction}")


def check_clinic(caller: Principal) -> None:
    """Refuse whoever works at no clinic.

    Raises:
        Forbidden: The caller does not.
    """
    if caller.role is not Role.CLINIC or caller.organisation is None:
        raise Forbidden(what="desk", role=str(caller.role))


def _clinic(caller: Principal) -> UUID:
    assert caller.organisation is not None, "checked at the door"
    return caller.organisation


async def _enter(request: Request, form: Form) -> Written:
    """Note who enters something, then write it."""
    serving = serving_of(request)
    await note_read(request, form.caller, "entry", [_about(form)])
    enter = partial(serving.parts.desk.counter.enter, form)
    return await to_thread.run_sync(enter, limiter=serving.threads)


def _about(form: Form) -> UUID:
    """The record, or the correction, that an entry concerns."""
    return UUID(str(form.data.get("record", form.stream)))


async def _shown(request: Request, caller: Principal, record: UUID) -> Mapping[str, Any]:
    """A record as the interface answers it, noted as read."""
    serving = serving_of(request)
    row = await to_thread.run_sync(readable, serving, caller, record)
    await note_read(request, caller, "record", [record, *row.merged])
    as_of = Clocks(None, day_or_today(request, None))
    return await to_thread.run_sync(record_body, serving, row, as_of, limiter=serving.threads)


def _dose(shown: Mapping[str, Any], dose: UUID) -> Mapping[str, Any]:
    for one in shown["doses"]:
        if str(one["dose"]) == str(dose):
            found: Mapping[str, Any] = one
            return found
    raise AddressUnknown


def _correction(serving: Serving, correction: UUID) -> tuple[Correction, list[dict[str, Any]]]:
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    found = reading.load(Correction, correction)
    reading.load(VaccinationRecord, found.record)  # refuses one that is restricted
    return found, changes_asked(reading, correction)


async def _proof(prover: Prover, position: int) -> str:
    proof = await to_thread.run_sync(prover.prove, position)
    return proof.encode().decode()


def _keep_at_hand(caller: Principal, form: Form, fields: Mapping[str, str]) -> None:
    """Keep the package of a dose at hand: the next one comes out of the same box."""
    kept = {name: form.data.get(name, "") for name in ("vaccine", *PACKAGE)}
    kept["vaccinator"] = fields.get("vaccinator", "")
    of_clinic = _AT_HAND.setdefault(_clinic(caller), {})
    of_clinic[kept["vaccine"]] = kept
    of_clinic[""] = {"vaccinator": kept["vaccinator"]}
    _AT_HAND.move_to_end(_clinic(caller))
    while len(_AT_HAND) > MOST_CLINICS:
        _AT_HAND.popitem(last=False)
