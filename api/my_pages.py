"""A citizen's pages: own and children's certificates, the code to carry, the code to show."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.certificate_content import certificate_body
from api.clocks import Clocks
from api.credentials import carried
from api.errors import NoCode
from api.frame import page, page_router
from api.guessing import GUESSES_AT_PAGES
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import people_on
from api.reads import NO_STORE
from api.session import Reader
from certificates.errors import CodeTooLarge
from certificates.qr import Code
from commands.errors import Forbidden, NotFound
from commands.principal import Principal
from domain.calendar import civil_day
from domain.grant import Scope

SVG = "image/svg+xml"
TOLD_BEFORE = timedelta(days=180)
"""So long before a child comes of age its certificate's holder is told."""
SHOWN_ANEW_SECONDS = 45
"""After so long the page shows a fresh code; each holds for a minute."""

router = page_router(GUESSES_AT_PAGES)


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the list.

    Attributes:
        record: Which.
        name: Whose, where that is known; likewise the birth date.
        kind: A child's or an adult's.
        certificate: The certificate that the caller may use; None while it may be claimed.
        is_granted: Whether another holds it.
        scopes: What the caller may do with it.
    """

    record: UUID
    name: str
    birth_date: date | None
    kind: str
    certificate: UUID | None
    is_granted: bool
    scopes: frozenset[Scope]


@router.get("/my")
async def my_certificates(request: Request, caller: Reader) -> Response:
    """The certificates of the caller, of the caller's children, and those that others granted."""
    serving = serving_of(request)
    lines = await to_thread.run_sync(_lines, serving, caller, limiter=serving.threads)
    await note_read(request, caller, "candidates", [line.record for line in lines])
    return page(request, "my.html", caller=caller, lines=lines)


@router.get("/my/{certificate}")
async def my_certificate(request: Request, caller: Reader, certificate: UUID) -> Response:
    """A certificate: its doses, the code to carry, who else may use it."""
    serving = serving_of(request)
    clocks = Clocks(None, civil_day(serving.parts.services.clock()))
    body = await to_thread.run_sync(
        certificate_body, serving, caller, certificate, clocks, limiter=serving.threads
    )
    await note_read(request, caller, "certificate", [body["record"]])
    may_show = await to_thread.run_sync(_may_show, serving, caller, certificate)
    return page(
        request,
        "my-certificate.html",
        caller=caller,
        one=body,
        is_ending=is_ending(body["comes_of_age_on"], body["effective_on"]),
        may_show=may_show,
    )


@router.get("/my/{certificate}/code.svg")
async def carried_code(request: Request, caller: Reader, certificate: UUID) -> Response:
    """The offline credential as a code."""
    text, _ = await carried(request, caller, certificate)
    return await to_thread.run_sync(_drawn, text, limiter=serving_of(request).threads)


@router.get("/my/{certificate}/show")
async def show(request: Request, caller: Reader, certificate: UUID) -> Response:
    """The code to be shown at a clinic, made anew before its minute is over (亮码)."""
    visits = serving_of(request).parts.desk.visits
    await to_thread.run_sync(visits.show, caller, certificate)
    seconds = SHOWN_ANEW_SECONDS
    return page(request, "my-show.html", caller=caller, certificate=certificate, seconds=seconds)


@router.get("/my/{certificate}/show.svg")
async def shown_code(request: Request, caller: Reader, certificate: UUID) -> Response:
    """A fresh code."""
    serving = serving_of(request)
    visits = serving.parts.desk.visits
    code = await to_thread.run_sync(visits.show, caller, certificate, limiter=serving.threads)
    return await to_thread.run_sync(_drawn, visits.text(code), limiter=serving.threads)


def is_ending(comes_of_age_on: date | None, today: date) -> bool:
    """Whether a child's certificate ends so soon that its holder is told."""
    return comes_of_age_on is not None and comes_of_age_on - TOLD_BEFORE <= today


def _may_show(serving: Serving, caller: Principal, certificate: UUID) -> bool:
    """Whether the caller may show its code; staff read the page too."""
    try:
        serving.parts.desk.certificates.use.shows_code(caller, certificate)
    except (Forbidden, NotFound):
        return False
    return True


def _drawn(text: str) -> Response:
    try:
        return Response(Code.of(text).svg(), media_type=SVG, headers=NO_STORE)
    except CodeTooLarge as error:
        raise NoCode from error


def _lines(serving: Serving, caller: Principal) -> list[Line]:
    console, views = serving.parts.desk.certificates, serving.views
    today = civil_day(serving.parts.services.clock())
    found: list[tuple[dict[str, Any], UUID]] = []
    for one in console.candidates(caller):
        row = views.certificates.of_record(one.record)
        is_taken_over = row is not None and row.kind != one.kind  # whoever came of age may claim
        is_claimed = row is not None and row.state == "claimed" and not is_taken_over
        is_own = row is not None and is_claimed and console.use.holds(caller, row.certificate)
        if is_own or not is_claimed:
            certificate = row.certificate if is_own and row is not None else None
            facts = {"kind": str(one.kind), "certificate": certificate, "is_granted": False}
            found.append((facts | {"scopes": frozenset(Scope)}, one.record))
    for granted, scopes in console.use.granted(caller):
        facts = {"kind": str(granted.kind), "certificate": granted.id, "is_granted": True}
        found.append((facts | {"scopes": scopes}, granted.record))
    return [
        Line(record=record, **_person(serving, record, today), **facts) for facts, record in found
    ]


def _person(serving: Serving, record: UUID, today: date) -> dict[str, Any]:
    row = serving.views.records.get(record)
    known = people_on(serving.views, [row.recipient], today)[row.recipient] if row else {}
    return {"name": known.get("name") or "", "birth_date": known.get("birth_date")}
