"""What else a holder does: see who looked, and give the certificate up."""

from functools import partial
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.access import read_lines
from api.errors import MalformedForm
from api.frame import go_to, page, page_router, read_form
from api.guessing import GUESSES_AT_PAGES
from api.my_grants import form_key, held_body
from api.noting import note_read
from api.parameters import wait_for_views
from api.parts import Serving, serving_of
from api.session import Reader
from api.wording import PURPOSES, ROLES, VIEWS
from commands.access import READER
from commands.principal import Principal
from domain.calendar import SHANGHAI

MOST_READS = 200
_GIVEN_UP = "holder-request"

router = page_router(GUESSES_AT_PAGES)


@router.get("/my/{certificate}/access")
async def access_page(request: Request, caller: Reader, certificate: UUID) -> Response:
    """Who looked at the record, when and why, the newest first."""
    serving = serving_of(request)
    body = await held_body(request, caller, certificate)
    await note_read(request, caller, "access", [body["record"]])
    lines = await to_thread.run_sync(_looked, serving, caller, body["record"])
    return page(
        request,
        "my-access.html",
        caller=caller,
        one=body,
        lines=lines,
        most=MOST_READS,
        roles=ROLES,
        purposes=PURPOSES,
        views=VIEWS,
    )


@router.post("/my/{certificate}/release")
async def release(request: Request, caller: Reader, certificate: UUID) -> Response:
    """Give the certificate up, and all grants with it."""
    form = await read_form(request)
    key = form_key(form)
    if form.get("sure") != "yes":
        raise MalformedForm(field="sure")
    serving = serving_of(request)
    console = serving.parts.desk.certificates
    act = partial(console.release, caller, key, certificate, {"reason": _GIVEN_UP})
    written = await to_thread.run_sync(act, limiter=serving.threads)
    await wait_for_views(request, written.position)
    return go_to("/my")


def _looked(serving: Serving, caller: Principal, record: UUID) -> list[dict[str, Any]]:
    reads = serving.views.access.of_record(record, MOST_READS)
    own = serving.parts.services.vault.keys.digest(READER, caller.subject)
    return [
        {
            **line,
            "at": read.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
            "is_own": read.reader == own,
        }
        for read, line in zip(reads, read_lines(serving, caller, reads), strict=True)
    ]
