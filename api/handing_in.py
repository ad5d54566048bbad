"""Forms that schools, townships and CDCs hand in at a page: the platform signs (S-6, S-14 to S-18).

What is handed in is the state that the page showed: its position stands in the form.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.errors import MalformedForm
from api.frame import go_to, page_router, read_form
from api.noting import note_read
from api.parameters import MAX_POSITION
from api.parts import Serving, serving_of
from api.reports import prefix_of
from api.session import Reader
from commands.answering import Written
from commands.counter import Form
from commands.errors import Forbidden
from commands.principal import Principal, Role
from domain.calendar import civil_day
from domain.preparation import Preparation, Task
from domain.register_report import RegisterReport
from domain.roll_up.row import COUNTS, RollUpRow
from domain.roll_up.rules import Level as ReportLevel
from domain.roll_up_report import RollUpReport
from projections.roll_up import Level

REPORTS: Mapping[Role, ReportLevel] = {
    Role.TOWNSHIP: ReportLevel.TOWNSHIP,
    Role.COUNTY_CDC: ReportLevel.COUNTY,
    Role.CITY_CDC: ReportLevel.CITY,
}
"""Who hands in the roll-up of which level (S-17)."""

TASKS: Mapping[Role, tuple[Task, ...]] = {
    Role.SCHOOL: (Task.POSTERS,),
    Role.COUNTY_CDC: (Task.FORMS_DISTRIBUTED, Task.TRAINING_HELD),
}
"""Who does what before enrolment."""

TASK_NAMES: Mapping[str, tuple[str, str]] = {
    Task.POSTERS: ("张贴宣传单", "Posters put up"),
    Task.FORMS_DISTRIBUTED: ("下发表格", "Forms distributed"),
    Task.TRAINING_HELD: ("举办培训", "Training held"),
}

router = page_router()


@router.post("/school/registers")
async def hand_in_registers(request: Request, caller: Reader) -> Response:
    """Hand in an edition of the own registers, as the page showed them."""
    fields = await read_form(request)
    data = {
        "institution": str(caller.organisation),
        "school_year": number_of(fields, "school_year"),
        "edition": fields.get("edition", ""),
        "position": number_of(fields, "position"),
        "effective_on": _today(request).isoformat(),
    }
    written = await _enter(request, caller, RegisterReport.Submitted.TOPIC, fields, data)
    return go_to(_back("/school", fields, written))


@router.post("/roll-up/reports")
async def hand_in_roll_up(request: Request, caller: Reader) -> Response:
    """Hand in the own roll-up, as the page showed it."""
    if caller.role not in REPORTS:
        raise Forbidden(what=RollUpReport.Submitted.TOPIC, role=str(caller.role))
    fields = await read_form(request)
    serving = serving_of(request)
    year, position = number_of(fields, "school_year"), number_of(fields, "position")
    entry_type = fields.get("entry_type", "")

    def total() -> RollUpRow:
        return serving.views.roll_ups.roll_up(
            prefix_of(caller.division),
            entry_type,
            school_year=year,
            level=Level.TOWNSHIP,
            at_position=position,
        ).total

    data = {
        "organisation": str(caller.organisation),
        "level": REPORTS[caller.role].value,
        "school_year": year,
        "entry_type": entry_type,
        "position": position,
        "effective_on": _today(request).isoformat(),
        "total": _stated(await to_thread.run_sync(total, limiter=serving.threads)),
    }
    written = await _enter(request, caller, RollUpReport.Submitted.TOPIC, fields, data)
    return go_to(_back("/roll-up", fields, written))


@router.post("/preparations")
async def record_preparation(request: Request, caller: Reader) -> Response:
    """Note what was done before enrolment."""
    fields = await read_form(request)
    data = {
        "organisation": str(caller.organisation),
        "school_year": number_of(fields, "school_year"),
        "task": fields.get("task", ""),
        "done_on": fields.get("done_on", ""),
    }
    if fields.get("count"):
        data["count"] = number_of(fields, "count")
    written = await _enter(request, caller, Preparation.Recorded.TOPIC, fields, data)
    return go_to(_back("/school" if caller.role is Role.SCHOOL else "/roll-up", fields, written))


def preparations_of(
    serving: Serving, caller: Principal, school_year: int
) -> list[Mapping[str, Any]]:
    """The caller's own tasks before enrolment: done, late or overdue; none for who has none."""
    if caller.role not in TASKS or caller.organisation is None:
        return []
    rules = serving.parts.services.rules.roll_up
    due = rules.preparation_due(school_year)
    today = civil_day(serving.parts.services.clock())
    rows = serving.views.reports.preparations(caller.division, school_year)
    return [
        {
            "task": row.task,
            "zh": TASK_NAMES[row.task][0],
            "en": TASK_NAMES[row.task][1],
            "due": due,
            "done_on": row.done_on,
            "is_late": row.late if row.done_on else today > due,
        }
        for row in rows
        if row.organisation == caller.organisation
    ]


async def _enter(
    request: Request, caller: Principal, topic: str, fields: Mapping[str, str], data: dict[str, Any]
) -> Written:
    """Note who enters it, then write it; the form's key is its stream, so it is one document."""
    serving, key = serving_of(request), key_of(fields)
    if caller.organisation is None:
        raise Forbidden(what=topic, role=str(caller.role))
    await note_read(request, caller, "entry", [key])
    organisation = caller.organisation

    def write() -> Written:
        own = serving.parts.services.directory.organisation(organisation)
        form = Form(caller, key, topic, key, 0, data | {"division": own.division}, {})
        return serving.parts.desk.counter.enter(form)

    return await to_thread.run_sync(write, limiter=serving.threads)


def _stated(row: RollUpRow) -> dict[str, Any]:
    doses = [
        {"vaccine_group": group, "due": count.due, "done": count.done}
        for group, count in row.doses.items()
    ]
    return {name: getattr(row, name) for name in COUNTS} | {"doses": doses}


def _today(request: Request) -> date:
    return civil_day(serving_of(request).parts.services.clock())


def _back(path: str, fields: Mapping[str, str], written: Written) -> str:
    """The page that the form stood on, once it shows what was written."""
    asked = f"?school_year={number_of(fields, 'school_year')}&written={written.position}"
    return f"{path}{asked}&entry_type=kindergarten" if _is_kindergarten(fields) else path + asked


def _is_kindergarten(fields: Mapping[str, str]) -> bool:
    return fields.get("entry_type") == "kindergarten"


def number_of(fields: Mapping[str, str], name: str) -> int:
    """A field of a form as a number.

    Raises:
        MalformedForm: It is none.
    """
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < len(str(MAX_POSITION))):
        raise MalformedForm(field=name)
    return int(text)


def key_of(fields: Mapping[str, str]) -> UUID:
    """The key that a page gave its form.

    Raises:
        MalformedForm: It is none.
    """
    try:
        return UUID(fields.get("key", ""))
    except ValueError as error:
        raise MalformedForm(field="key") from error
