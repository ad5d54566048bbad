"""The electronic certificate as its holder, a grantee or staff see it on a day (C-1, C-2)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.certificate_content import Look, certificate_bodies, is_holder
from api.clocks import AsOf
from api.guessing import GUESSES
from api.noting import Noted, note_each, purpose_of
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.turns import Answered, alone, in_turn, outcomes

router = APIRouter(prefix="/v1/certificates", tags=["certificates"], dependencies=[GUESSES])


@router.get("/{certificate}", operation_id="getCertificate", response_class=Response)
async def get_certificate(
    request: Request,
    caller: Caller,
    certificate: UUID,
    as_of: AsOf,
) -> Response:
    """The doses of a certificate on a day, each with its provenance (C-1, C-27).

    `paper_differs` tells that a clinic found paper and record to differ, which is not settled yet
    (C-4); `advice` is what to do before leaving the province (C-25).

    `comes_of_age_on` is the day on which a child's certificate ends; the grown-up then claims one.

    `next_due` tells the doses to come by the immunization schedule in force on that day.

    For its holder, for a grantee with the scope `view`, and for staff within whose scope the
    record lies; to everyone else it does not exist.
    """
    serving, holds = serving_of(request), False
    if caller.identity is not None:  # from the log, for each citizen apart
        holds = await to_thread.run_sync(
            is_holder, serving, caller, certificate, limiter=serving.threads
        )
    look = Look(caller, certificate, as_of, holds, purpose_of(request))
    if as_of.position is None:
        return await in_turn(request, _answers, look)
    return await alone(request, _answers, look)


def _answers(serving: Serving, looks: Sequence[Look]) -> Answered:
    bodies = certificate_bodies(serving, looks)
    noted = [
        Noted(look.caller, "certificate", [body["record"]], look.purpose)
        for look, body in zip(looks, bodies, strict=True)
        if not isinstance(body, Exception)
    ]
    journal = note_each(serving, noted)  # which is written while the answers are spelled out
    return Answered(outcomes(_response, bodies), journal)


def _response(body: Mapping[str, Any]) -> Response:
    return json_response(body, headers=NO_STORE)
