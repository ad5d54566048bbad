"""The corrections of a clinic's county, or of a CDC's divisions, as a page: what is open first."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.corrections import State, division_of, shown, states_named
from api.frame import page, page_router
from api.noting import note_read
from api.parameters import MAX_POSITION
from api.parts import serving_of
from api.people import organisation_names
from api.session import Reader
from api.wording import KINDS, STATES
from projections.corrections import Asked, CorrectionRow

MAX_ROWS = 100

router = page_router()


@router.get("/corrections")
async def show(
    request: Request,
    caller: Reader,
    state: State = "open",
    clinic: UUID | None = None,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
) -> Response:
    """Corrections by state, oldest request first; each leads to the trail of its record."""
    serving = serving_of(request)
    asked = Asked(division_of(caller), clinic=clinic, states=states_named(state))

    def read() -> Sequence[CorrectionRow]:
        return serving.views.corrections.find(asked, after=after, limit=MAX_ROWS)

    found = await to_thread.run_sync(read, limiter=serving.threads)
    rows = await to_thread.run_sync(shown, serving, found)
    names = await to_thread.run_sync(
        organisation_names, serving.views, {row.clinic for row in rows}
    )
    await note_read(request, caller, "corrections", sorted({row.record for row in rows}))
    return page(
        request,
        "corrections.html",
        caller=caller,
        rows=rows,
        names=names,
        state=state,
        states=STATES,
        kinds=KINDS,
        following=found[-1].requested_position if len(found) == MAX_ROWS else None,
    )
