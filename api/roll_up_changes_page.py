"""What annex 4 counts otherwise since it was handed in, child by child, and through what."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.frame import page, page_router
from api.noting import note_read
from api.parameters import MAX_POSITION, Year
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.roll_up_pages import AnyDivision, english_names, within
from api.schools import EntryType
from api.session import Reader
from api.wording import title_of
from commands.permissions import Scope, check_read
from domain.calendar import civil_day
from projections.behind import CHANGES, Changed, Sheet, State

_FIELDS: Mapping[str, tuple[str, str]] = {
    "counted": ("计入本校", "counted here"),
    "checked_on": ("查验日期", "checked on"),
    "has_certificate": ("持接种证", "with certificate"),
    "reissued_on": ("补证日期", "reissued on"),
    "complete": ("全程接种", "full course"),
    "due": ("应补种剂次", "doses due"),
    "done": ("补种剂次", "doses made up"),
    "completed": ("完成补种", "make-up completed"),
}
"""What a child adds to the form, in the order of its columns."""

router = page_router()


@router.get("/roll-up/changes")
async def show_changes(
    request: Request,
    caller: Reader,
    school_year: Year,
    since: Annotated[int, Query(ge=0, le=MAX_POSITION)],
    division: AnyDivision = None,
    entry_type: EntryType = "primary",
) -> Response:
    """The children that count otherwise than at an earlier position of the log."""
    which = within(caller, division)
    check_read(caller, "register", Scope(which))
    serving = serving_of(request)
    sheet = Sheet(
        division_prefix=which,
        entry_type=entry_type,
        school_year=school_year,
        at=serving.projected.reached,
    )

    def read() -> list[Changed]:
        return serving.views.behinds.changes(sheet, since)

    found = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "roll-up", {one.record for one in found})
    lines = await to_thread.run_sync(_lines, serving, found, limiter=serving.threads)
    return page(
        request,
        "roll-up-changes.html",
        caller=caller,
        sheet=sheet,
        since=since,
        lines=lines,
        most=CHANGES if len(found) == CHANGES else None,
        english=await english_names(request, which),
    )


def _lines(serving: Serving, found: Sequence[Changed]) -> list[Mapping[str, Any]]:
    """A line a child: where it stands, what reads otherwise, and the entries it came with."""
    schools = organisation_names(serving.views, {_place(one).institution for one in found})
    return [
        {
            "institution": _place(one).institution,
            "institution_name": schools[_place(one).institution],
            "class_name": _place(one).class_name,
            "number": _place(one).number,
            "is_new": one.before is None,
            "differences": _differences(one),
            "causes": [
                {
                    **title_of(cause.topic),
                    "day": civil_day(cause.recorded_at),
                    "position": cause.position,
                }
                for cause in one.causes
            ],
        }
        for one in found
    ]


def _place(one: Changed) -> State:
    """The child as it stands now, else as it stood."""
    state = one.after or one.before
    assert state is not None, "what changed was or is counted"
    return state


def _differences(one: Changed) -> list[tuple[tuple[str, str], Any, Any]]:
    """Title, value before and value after of what reads otherwise."""
    return [
        (title, getattr(one.before, name, None), getattr(one.after, name, None))
        for name, title in _FIELDS.items()
        if getattr(one.before, name, None) != getattr(one.after, name, None)
    ]
