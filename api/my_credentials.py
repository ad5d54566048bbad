"""The codes that a holder gave out: which hold, what became of the others, and ending one."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.frame import go_to, page, page_router, read_form
from api.guessing import GUESSES_AT_PAGES
from api.my_grants import form_key, held_body
from api.noting import note_read
from api.parameters import wait_for_views
from api.parts import Serving, serving_of
from api.session import Reader
from api.wording import CONTENTS, FATES
from commands.credential_history import Fate, Past, credentials_of
from commands.reading import Reading
from domain.calendar import SHANGHAI

_LOST = "lost"

router = page_router(GUESSES_AT_PAGES)


@router.get("/my/{certificate}/credentials")
async def credentials_page(
    request: Request, caller: Reader, certificate: UUID, written: int = 0
) -> Response:
    """The codes that were given out; and how the certificate is given up."""
    await wait_for_views(request, written)
    serving = serving_of(request)
    body = await held_body(request, caller, certificate)
    await note_read(request, caller, "certificate", [body["record"]])
    found = await to_thread.run_sync(_told, serving, certificate, limiter=serving.threads)
    return page(
        request,
        "my-credentials.html",
        caller=caller,
        one=body,
        issued=[line for line in found if line["fate"] == Fate.IN_FORCE],
        past=[line for line in found if line["fate"] != Fate.IN_FORCE],
        contents=CONTENTS,
        fates=FATES,
        key=serving.parts.services.new_id(),
    )


@router.post("/my/{certificate}/credentials")
async def revoke_credential(request: Request, caller: Reader, certificate: UUID) -> Response:
    """Let a code that was given out hold no more."""
    form = await read_form(request)
    key, asked = form_key(form), {"credential": form.get("credential", ""), "reason": _LOST}
    serving = serving_of(request)
    console = serving.parts.desk.certificates
    act = partial(console.revoke_credential, caller, key, certificate, asked)
    written = await to_thread.run_sync(act, limiter=serving.threads)
    return go_to(f"/my/{certificate}/credentials?written={written.position}")


def _told(serving: Serving, certificate: UUID) -> list[dict[str, Any]]:
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    return [_line(one) for one in credentials_of(reading, certificate)]


def _line(one: Past) -> dict[str, Any]:
    moments = {"issued_at": one.issued_at, "ended_at": one.ended_at}
    local = {
        name: at and at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        for name, at in moments.items()
    }
    return {
        "credential": one.credential,
        "content": one.content,
        "last_day": one.expires_on - timedelta(days=1),
        "fate": one.fate,
        **local,
    }
