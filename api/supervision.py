"""Supervision of schools: the four items of S-20, and the duties not done (S-19)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf
from api.parameters import Year
from api.parts import Serving, serving_of
from api.rating import completeness_rate, rates_of
from api.reads import NO_STORE
from api.schools import Division, EntryType
from commands.permissions import Scope, check_read
from domain.roll_up.supervision import DutyFinding
from projections.annex4 import RollUpRow
from projections.supervision import SchoolDuties

ITEMS = ("institution_check", "child_check", "makeup_doses_excl_bcg")
"""Implementation, check rate and make-up rate; the fourth item is the completeness of forms."""

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get("/divisions/{division}/supervision", operation_id="superviseSchools")
async def supervise(
    request: Request,
    caller: Caller,
    division: Division,
    school_year: Year,
    entry_type: Annotated[EntryType, Query()],
    as_of: AsOf,
) -> Response:
    """Each school of a division: the figures of annex 4, its forms, and what it has not done."""
    check_read(caller, "roll-up", Scope(division))
    serving, today = serving_of(request), as_of.day

    def read() -> Mapping[str, Any]:
        counted = serving.views.roll_ups.roll_up(
            division, entry_type, school_year=school_year, at_position=as_of.position
        )
        rows = {row.unit: row for row in counted.rows}
        schools = serving.views.supervision.duties(
            division, school_year, today, at_position=as_of.position
        )
        return {
            "position": counted.position,
            "institutions": [
                _body(serving, one, rows[str(one.institution)], (school_year, today))
                for one in schools
                if one.entry_type == entry_type
            ],
        }

    body = await to_thread.run_sync(read, limiter=serving.threads)
    return json_response(body, headers=NO_STORE)


def findings_of(
    serving: Serving, division: str, school_year: int, today: date, school: UUID | None = None
) -> Sequence[tuple[SchoolDuties, Sequence[DutyFinding]]]:
    """The schools of a division, or one, that have not done all their duties."""
    rules = serving.parts.services.rules.roll_up
    schools = serving.views.supervision.duties(division, school_year, today, school)
    found = [(one, one.findings(rules, school_year, today)) for one in schools]
    return [(one, findings) for one, findings in found if findings]


def _body(
    serving: Serving, school: SchoolDuties, row: RollUpRow, when: tuple[int, date]
) -> Mapping[str, Any]:
    rules = serving.parts.services.rules.roll_up
    rates = rates_of(rules, row, school.division)
    return {
        "institution": school.institution,
        "name": school.name,
        "rates": {name: rates[name] for name in ITEMS},
        "forms": completeness_rate(rules, school.forms(rules, *when), school.division),
        "findings": [
            {
                "finding": one.duty,
                "rule": one.rule,
                "zh": one.title.zh,
                "en": one.title.en,
                "count": one.count,
            }
            for one in school.findings(rules, *when)
        ],
    }
