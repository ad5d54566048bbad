"""Notices to parents (annex 1) as they were given: to whom, when, how and which edition (S-6)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf
from api.parameters import Year
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.school_forms import OneClass, read_registers
from api.schools import institution_of
from projections.register import Line, NoticeRow, Register

Told = tuple[Line, Sequence[NoticeRow]]
"""A child of a class, and the notices that its parents were given."""

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get("/institutions/{institution}/notices", operation_id="listNotices")
async def list_notices(
    request: Request,
    caller: Caller,
    institution: UUID,
    school_year: Year,
    as_of: AsOf,
    class_name: OneClass = None,
) -> Response:
    """The notices of a school, child by child; the second and later ones are repeated notices."""
    serving = serving_of(request)
    await to_thread.run_sync(institution_of, serving, caller, institution)
    found = await read_registers(request, caller, institution, (school_year, class_name), as_of)

    def read() -> list[Mapping[str, Any]]:
        return [
            {
                "class_name": register.class_name,
                "children": [_child(*one) for one in told_of(serving, register)],
            }
            for register in found
        ]

    classes = await to_thread.run_sync(read, limiter=serving.threads)
    position = found[0].position if found else as_of.position
    body = {"institution": institution, "school_year": school_year, "position": position}
    return json_response(body | {"classes": classes}, headers=NO_STORE)


def told_of(serving: Serving, register: Register) -> list[Told]:
    """Each child of a class with its notices, as known where the register is."""
    enrolments = [line.enrolment for line in register.lines]
    given = serving.views.registers.notices(enrolments, register.position)
    return [(line, given.get(line.enrolment, ())) for line in register.lines]


def _child(line: Line, given: Sequence[NoticeRow]) -> Mapping[str, Any]:
    particulars = line.pupil.particulars
    head = {"enrolment": line.enrolment, "number": line.pupil.number}
    head |= {"erased": particulars.erased, "restricted": particulars.restricted}
    if particulars.restricted:
        return head
    return head | {"record": line.record, "notices": [asdict(one) for one in given]}
