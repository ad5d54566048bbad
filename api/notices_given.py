"""Notices to parents (annex 1) as they were given: to whom, when, how and which edition (S-6)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.callers import Caller
from api.parts import Serving
from api.school_forms import Asked, class_by_class
from projections.register import Line, NoticeRow, Register

Told = tuple[Line, Sequence[NoticeRow]]
"""A child of a class, and the notices that its parents were given."""

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get("/institutions/{institution}/notices", operation_id="listNotices")
async def list_notices(
    request: Request, caller: Caller, institution: UUID, asked: Asked
) -> Response:
    """The notices of a school, child by child; the second and later ones are repeated notices."""
    return await class_by_class(request, caller, institution, asked, _children)


def told_of(serving: Serving, register: Register) -> list[Told]:
    """Each child of a class with its notices, as known where the register is."""
    enrolments = [line.enrolment for line in register.lines]
    given = serving.views.registers.notices(enrolments, register.position)
    return [(line, given.get(line.enrolment, ())) for line in register.lines]


def _children(serving: Serving, register: Register) -> list[Mapping[str, Any]]:
    return [_child(*one) for one in told_of(serving, register)]


def _child(line: Line, given: Sequence[NoticeRow]) -> Mapping[str, Any]:
    particulars = line.pupil.particulars
    head = {"enrolment": line.enrolment, "number": line.pupil.number}
    head |= {"erased": particulars.erased, "restricted": particulars.restricted}
    if particulars.restricted:
        return head
    return head | {"record": line.record, "notices": [asdict(one) for one in given]}
