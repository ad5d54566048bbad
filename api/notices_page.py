"""The notices of a class on screen, and noting those that the school gave (S-6)."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.clocks import clocks_of
from api.errors import MalformedForm
from api.frame import go_to, page, page_router, read_form
from api.handing_in import key_of, number_of
from api.notices_given import Told, told_of
from api.noting import note_read
from api.parts import Serving, serving_of
from api.school_pages import ClassName, register_of
from api.school_year import InYear
from api.session import Reader
from client.identifiers import new_id
from commands.counter import Form
from commands.principal import Principal
from commands.reading import Reading
from domain.admission import Channel
from domain.enrolment import Enrolment

CHANNELS: Mapping[str, tuple[str, str]] = {
    Channel.PAPER: ("纸质通知单", "on paper"),
    Channel.SCHOOL_MESSAGE: ("校讯通", "school message"),
    Channel.WECHAT: ("微信", "WeChat"),
    Channel.PHONE: ("电话", "telephone"),
    Channel.MEETING: ("家长会", "parents' meeting"),
}
_CHILD = "child-"

router = page_router()


@router.get("/school/{institution}/notices")
async def show_notices(
    request: Request,
    caller: Reader,
    at: InYear,
    name: ClassName,
) -> Response:
    """Which child's parents were told when and how; the school notes here whom it told."""
    serving, as_of = serving_of(request), await clocks_of(request, None, None)
    register = await register_of(request, caller, at, name, as_of)

    def read() -> list[Mapping[str, Any]]:
        return _rows(serving, told_of(serving, register), is_own=at.is_own)

    rows = await to_thread.run_sync(read, limiter=serving.threads)
    return page(
        request,
        "school-notices.html",
        caller=caller,
        **at._asdict(),
        register=register,
        rows=rows,
        channels=CHANNELS,
        key=new_id(),
    )


@router.post("/school/notices")
async def note_notices(request: Request, caller: Reader) -> Response:
    """Note whom the school told; a form that is sent again notes nothing twice."""
    fields = await read_form(request)
    forms = _forms(caller, fields)
    await note_read(request, caller, "entry", [form.stream for form in forms])
    serving = serving_of(request)

    def write() -> int:
        enter = serving.parts.desk.counter.enter
        return max((enter(form).position for form in forms), default=0)

    written = await to_thread.run_sync(write, limiter=serving.threads)
    year = number_of(fields, "school_year")
    asked = {"name": fields.get("name", ""), "school_year": year, "written": written}
    return go_to(f"/school/{caller.organisation}/notices?{urlencode(asked)}")


def _rows(serving: Serving, told: Sequence[Told], *, is_own: bool) -> list[Mapping[str, Any]]:
    """A row a child; the school's own rows say at which version its form was shown."""
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    return [
        {
            "number": line.pupil.number,
            "name": line.pupil.row()[1],
            "given": [] if line.pupil.particulars.restricted else given,
            "field": f"{_CHILD}{line.enrolment}",
            "version": reading.stored(Enrolment, line.enrolment).version if is_own else 0,
        }
        for line, given in told
    ]


def _forms(caller: Principal, fields: Mapping[str, str]) -> list[Form]:
    """A notice for each child that is ticked."""
    key, topic = key_of(fields), Enrolment.NoticeGiven.TOPIC
    data = {"given_on": fields.get("given_on", ""), "channel": fields.get("channel", "")}
    ticked = [name for name in fields if name.startswith(_CHILD)]
    try:
        children = {UUID(name.removeprefix(_CHILD)): number_of(fields, name) for name in ticked}
    except ValueError as error:
        raise MalformedForm from error
    return [
        Form(caller, key, topic, enrolment, version, data, {})
        for enrolment, version in children.items()
    ]
