"""Asking the rules without writing anything: the code that decides writes answers here too."""

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.body import read_json
from api.parts import serving_of
from api.writes import json_response
from domain.schedules.entry_requirements import EntryRequirements
from domain.schedules.school_entry import evaluate
from domain.schedules.school_entry_case import answer, explanation, parse_case

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/SchoolEntryCase"}}
        },
    }
}

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"])


@router.post(
    "/school-entry",
    operation_id="evaluateSchoolEntry",
    response_class=Response,
    openapi_extra=_BODY,
)
async def school_entry(request: Request) -> Response:
    """Judge a child by the entry requirements in force: what is missing, and why.

    Open to everyone: nothing is stored, and nobody's data is read. A birth date and a list of
    doses name no person.
    """
    values = await read_json(request)
    serving = serving_of(request)
    requirements = serving.parts.services.rules.requirements
    body = await to_thread.run_sync(_judged, values, requirements, limiter=serving.threads)
    return json_response(body, headers={"Cache-Control": "no-store"})


def _judged(values: Any, requirements: EntryRequirements) -> dict[str, Any]:
    verdict = evaluate(requirements, parse_case(values, requirements))
    return answer(verdict) | {"explanation": explanation(verdict)}
