"""Claiming a certificate step by step (C-12): none is skipped, a refusal says what to do next."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.errors import AddressUnknown, MalformedForm
from api.frame import go_to, page, page_router, read_form
from api.guessing import GUESSES_AT_PAGES
from api.my_grants import form_key
from api.noting import note_read
from api.parameters import wait_for_views
from api.parts import Serving, serving_of
from api.people import organisation_names, people_on
from api.session import Reader
from commands.certificates import Candidate
from commands.principal import Principal
from domain.calendar import civil_day
from domain.errors import DomainError

_SHOWN = ("name", "sex", "birth_date", "id_number")
_LAST_DIGITS = 4

router = page_router(GUESSES_AT_PAGES)


@router.get("/my/claims/{record}")
async def steps(request: Request, caller: Reader, record: UUID, checked: str = "") -> Response:
    """How far a claim has come: signed in, face verified, found, checked, agreed."""
    return await _shown(request, caller, record, is_checked=checked == "yes")


@router.post("/my/claims/{record}")
async def claim(request: Request, caller: Reader, record: UUID) -> Response:
    """Claim, and lead on to the certificate; a refusal is told beside the steps."""
    form = await read_form(request)
    key = form_key(form)
    if form.get("checked") != "yes":
        raise MalformedForm(field="checked")
    asked = {"record": str(record), "has_consented": form.get("consent") == "yes"}
    serving = serving_of(request)
    console = serving.parts.desk.certificates
    try:
        written = await to_thread.run_sync(
            console.claim, caller, key, asked, limiter=serving.threads
        )
    except DomainError as refused:
        return await _shown(request, caller, record, is_checked=True, refused=refused)
    await wait_for_views(request, written.position)
    return go_to(f"/my/{written.stream}")


async def _shown(
    request: Request,
    caller: Principal,
    record: UUID,
    *,
    is_checked: bool,
    refused: DomainError | None = None,
) -> Response:
    serving = serving_of(request)
    found = await to_thread.run_sync(_candidate, serving, caller, record, limiter=serving.threads)
    await note_read(request, caller, "candidates", [record])
    person = await to_thread.run_sync(_particulars, serving, record, limiter=serving.threads)
    assert caller.identity is not None, "who has candidates is identified"
    return page(
        request,
        "my-claim.html",
        caller=caller,
        signed_in=caller.identity.name,
        record=record,
        kind=found.kind,
        person=person,
        is_verified=caller.identity.face_verified,
        is_checked=is_checked,
        refused=refused,
        key=serving.parts.services.new_id(),
    )


def _candidate(serving: Serving, caller: Principal, record: UUID) -> Candidate:
    """The record among those that the caller may claim.

    Raises:
        AddressUnknown: It is none of them.
    """
    for one in serving.parts.desk.certificates.candidates(caller):
        if one.record == record:
            return one
    raise AddressUnknown


def _particulars(serving: Serving, record: UUID) -> Mapping[str, Any]:
    """What is checked before a claim; of the number the last digits alone."""
    row = serving.views.records.get(record)
    if row is None:
        raise AddressUnknown
    today = civil_day(serving.parts.services.clock())
    known = people_on(serving.views, [row.recipient], today)[row.recipient]
    shown = {name: known.get(name) or "" for name in _SHOWN}
    number = shown["id_number"]
    hidden = max(0, len(number) - _LAST_DIGITS)
    clinic = row.managing_organisation
    return shown | {
        "id_number": "*" * hidden + number[hidden:],
        "managed_by": organisation_names(serving.views, [clinic])[clinic] or "",
    }
