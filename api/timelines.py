"""The timelines of records: what happened about each, oldest first, for staff."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, TypeGuard
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.errors import AddressUnknown
from api.noting import Noted, note_each, purpose_of
from api.parameters import MAX_POSITION
from api.parts import Serving
from api.reads import MAX_PAGE, NO_STORE, may_read, read_together
from api.turns import Answered, alone, in_turn, outcomes
from commands.access import Purpose
from commands.principal import Principal
from commands.states import STATE_KINDS, check_held
from projections.asking import Asked
from projections.change import read_data
from projections.records import Page, RecordRow

router = APIRouter(prefix="/v1/records", tags=["records"])


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at which page of a timeline, and what for, if it was said."""

    caller: Principal
    record: UUID
    as_of: Clocks
    after: int
    limit: int
    purpose: Purpose | None


@router.get("/{record}/timeline", operation_id="getTimeline", response_class=Response)
async def get_timeline(
    request: Request,
    caller: Caller,
    record: UUID,
    as_of: AsOf,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 200,
) -> Response:
    """Everything that happened about a record, oldest first, with the clear data of each entry.

    What happened to records that were merged into it is part of it, as long as they are; `record`
    of a line says whose it is. `Link: rel="next"` leads on.
    """
    look = Look(caller, record, as_of, after, limit, purpose_of(request))
    if as_of.position is None:
        return await in_turn(request, _answers, look)
    return await alone(request, _answers, look)


def _answers(serving: Serving, looks: Sequence[Look]) -> Answered:
    """A query for the records, one for their lines, and one for the entries of these."""
    asked = [Asked(look.record, look.as_of.day) for look in looks]
    found = serving.views.about.rows(asked, STATE_KINDS)
    pages = outcomes(partial(_page, serving), looks, found)
    shown = [(look, page) for look, page in zip(looks, pages, strict=True) if _is_shown(page)]
    journal = note_each(
        serving,
        [Noted(look.caller, "timeline", page.records, look.purpose) for look, page in shown],
    )  # which is written while the lines are read
    lines = iter(_lines(serving, [page for _, page in shown]))
    answered = outcomes(lambda page, look: _response(look, page, next(lines)), pages, looks)
    return Answered(answered, journal)


def _is_shown(page: Page | Exception) -> TypeGuard[Page]:
    return not isinstance(page, Exception)


def _page(serving: Serving, look: Look, found: tuple[RecordRow, frozenset[str]] | None) -> Page:
    """What is to be read for a look.

    Raises:
        AddressUnknown: There is no such record within the caller's scope.
        Restricted, Erased: It may not be processed.
    """
    if found is None or not may_read(look.caller, found[0]):
        raise AddressUnknown
    row, held = found
    check_held(held)
    at = look.as_of.position
    last = serving.projected.reached if at is None else at
    return Page(tuple(read_together(serving, row, look.as_of)), last, look.after, look.limit)


def _lines(serving: Serving, pages: Sequence[Page]) -> list[list[dict[str, Any]]]:
    """Lines with the clear data of their entries."""
    rows = serving.views.records.timelines(pages)
    positions = {row.position for lines in rows for row in lines}
    entries = serving.parts.reader.entries_at(sorted(positions))
    data = {position: read_data(raw) for position, raw, _ in entries}
    return [[{**vars(row), "data": data[row.position]} for row in lines] for lines in rows]


def _response(look: Look, page: Page, lines: Sequence[Mapping[str, Any]]) -> Response:
    headers = dict(NO_STORE)
    if len(lines) == page.limit:
        rest = f"after={lines[-1]['position']}&limit={page.limit}&known_at={page.up_to}"
        headers["Link"] = f'</v1/records/{look.record}/timeline?{rest}>; rel="next"'
    return json_response({"record": look.record, "lines": lines}, headers=headers)
