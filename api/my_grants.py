"""A holder's page of grants: whom a child's certificate is shared with (C-15 to C-18)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.certificate_content import certificate_body
from api.clocks import Clocks
from api.errors import AddressUnknown, MalformedForm
from api.frame import go_to, page, page_router, read_form
from api.guessing import GUESSES_AT_PAGES
from api.noting import note_read
from api.parameters import wait_for_views
from api.parts import Serving, serving_of
from api.session import Reader
from api.wording import RELATIONS, SCOPES
from commands.principal import Principal
from domain.calendar import SHANGHAI, civil_day
from domain.errors import DomainError
from domain.grant import Scope
from domain.vocabulary import PersonKind
from ledger.entry import Entry

_ASKED = ("name", "id_number", "phone")
"""What is asked of a grantee beside the relation: all four are mandatory (C-16)."""

router = page_router(GUESSES_AT_PAGES)


@router.get("/my/{certificate}/grants")
async def grants_page(
    request: Request, caller: Reader, certificate: UUID, written: int = 0
) -> Response:
    """Whom the certificate is granted to, and whom it was."""
    await wait_for_views(request, written)
    return await _shown(request, caller, certificate)


@router.post("/my/{certificate}/grants")
async def grant(request: Request, caller: Reader, certificate: UUID) -> Response:
    """Let somebody use the certificate; a refusal is told beside what was filled in."""
    form = await read_form(request)
    key, asked = form_key(form), _wish(form)
    serving = serving_of(request)
    act = partial(serving.parts.desk.certificates.grant, caller, key, certificate, asked)
    try:
        written = await to_thread.run_sync(act, limiter=serving.threads)
    except DomainError as refused:
        return await _shown(request, caller, certificate, form, refused)
    return go_to(f"/my/{certificate}/grants?written={written.position}")


@router.post("/my/{certificate}/revocations")
async def revoke(request: Request, caller: Reader, certificate: UUID) -> Response:
    """Take a grant back."""
    form = await read_form(request)
    key, asked = form_key(form), {"grant": form.get("grant", "")}
    serving = serving_of(request)
    act = partial(serving.parts.desk.certificates.revoke_grant, caller, key, certificate, asked)
    written = await to_thread.run_sync(act, limiter=serving.threads)
    return go_to(f"/my/{certificate}/grants?written={written.position}")


async def _shown(
    request: Request,
    caller: Principal,
    certificate: UUID,
    form: Mapping[str, str] | None = None,
    refused: DomainError | None = None,
) -> Response:
    serving = serving_of(request)
    body = await held_body(request, caller, certificate)
    if body["kind"] != PersonKind.CHILD:
        raise AddressUnknown
    await note_read(request, caller, "certificate", [body["record"]])
    moments = await to_thread.run_sync(_moments, serving, certificate, limiter=serving.threads)
    active = [grant for grant in body["grants"] if grant["active"]]
    return page(
        request,
        "my-grants.html",
        caller=caller,
        one=body,
        active=active,
        past=[grant for grant in body["grants"] if not grant["active"]],
        moments=moments,
        most=serving.parts.services.rules.claims.max_grants,
        relations=RELATIONS,
        scopes=SCOPES,
        form={f"scope-{Scope.VIEW}": "on"} if form is None else form,
        refused=refused,
        wrong=_wrong(refused),
        key=serving.parts.services.new_id(),
    )


async def held_body(request: Request, caller: Principal, certificate: UUID) -> Mapping[str, Any]:
    """A certificate as it reads today, for its holder.

    Raises:
        AddressUnknown: There is none that the caller holds.
    """
    serving = serving_of(request)
    clocks = Clocks(None, civil_day(serving.parts.services.clock()))
    body = await to_thread.run_sync(
        certificate_body, serving, caller, certificate, clocks, limiter=serving.threads
    )
    if not body["is_holder"]:
        raise AddressUnknown
    return body


def form_key(form: Mapping[str, str]) -> UUID:
    """The idempotency key that the page put into its form.

    Raises:
        MalformedForm: It has none.
    """
    try:
        return UUID(form["key"])
    except (KeyError, ValueError) as error:
        raise MalformedForm(field="key") from error


def _wrong(refused: DomainError | None) -> str:
    """The name of the field that a refusal points at; empty where it points at none."""
    pointer = "" if refused is None else str(refused.facts.get("pointer", ""))
    return pointer.rpartition("/")[2]


def _wish(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form asks for, as the console takes it."""
    relation = form.get("relation", "")
    grantee = {name: form.get(name, "").strip() for name in _ASKED}
    grantee["relation"] = RELATIONS[relation]["zh"] if relation in RELATIONS else ""
    asked: dict[str, Any] = {
        "scope": [str(scope) for scope in Scope if f"scope-{scope}" in form],
        "relation": relation,
        "grantee": grantee,
    }
    return asked | ({"ends_on": form["ends_on"]} if form.get("ends_on") else {})


def _moments(serving: Serving, certificate: UUID) -> Mapping[int, datetime]:
    """When each event of a certificate was recorded, by position."""
    stream = serving.parts.reader.stream(certificate)
    return {at: Entry.decode(raw).recorded_at.astimezone(SHANGHAI) for at, raw, _ in stream}
