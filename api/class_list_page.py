"""A class list at the page, as a file or pasted: each row is matched, then all are enrolled."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import islice
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import Request
from starlette.responses import Response

from api.class_lists import listed_of, verdicts_on
from api.errors import MalformedForm
from api.frame import go_to, page, page_router
from api.noting import note_read
from api.parts import Serving, serving_of
from api.schemas import ListedChild
from api.school_year import school_year_of
from api.session import Reader
from api.uploads import read_upload, text_of
from client.class_list import TAKEN, digest, enrolment, judged
from client.class_rows import ClassList, Pupil, Terms, Verdict, as_text
from client.sheet import Limits, SheetTooLarge
from commands.counter import Form
from commands.errors import Forbidden
from commands.principal import Principal, Role
from domain.calendar import civil_day
from domain.enrolment import Enrolment
from domain.errors import DomainError
from projections.organisations import OrganisationRow

ROWS = 1_000
"""Children of one list at most; longer ones are the command's."""
_LIMITS = Limits(rows=3_000, columns=60, workbook_bytes=8 << 20, workbook_tags=100_000)
"""Of the table that they stand in, with its empty rows. Without the last, 12 KB that unpack to 8 MB
of empty cells took 3 s and 560 MB."""
_AT_ONCE = 4
"""Enrolments that wait for the log at one time."""

router = page_router()


@router.get("/school/class-list")
async def ask(request: Request, caller: Reader) -> Response:
    """Ask for the rows."""
    serving = serving_of(request)
    await to_thread.run_sync(_own, serving, caller)
    today = civil_day(serving.parts.services.clock())
    year = school_year_of(serving, None, today)
    return _page(request, caller, {"school_year": year, "joined_on": f"{year}-09-01"})


@router.post("/school/class-list")
async def review_or_enrol(request: Request, caller: Reader) -> Response:
    """Show whose record each row means; enrol the list once it was looked at.

    A file goes into the page as the text of its rows: what was reviewed is what is sent again.
    """
    sent = await read_upload(request)
    fields = {name: text_of(sent, name) for name in sent if name != "file"}
    table = sent.get("file") or fields.get("rows", "").encode()
    serving = serving_of(request)
    if sent.get("file"):
        serving.uploads.take(caller.subject)
    school = await to_thread.run_sync(_own, serving, caller)
    try:
        terms = _terms(school, fields)
        pupils = await serving.aside.run(lambda: _read(terms, table))
        pupils, records = await to_thread.run_sync(
            _review, serving, school, terms, pupils, limiter=serving.threads
        )
    except DomainError as error:
        return _page(request, caller, fields, problem=error)
    await note_read(request, caller, "search", records)
    name = digest([replace(one, row=row) for row, one in enumerate(pupils, 2)])
    is_taken = bool(pupils) and all(one.verdict in TAKEN for one in pupils)
    if is_taken and fields.get("reviewed") == name:
        forms = _forms(caller, terms, pupils)
        written = await to_thread.run_sync(_enrol, serving, forms, limiter=serving.threads)
        return go_to(f"/school?school_year={_year(fields)}&written={written}")
    if is_taken:
        fields["rows"] = as_text(pupils)
    return _page(request, caller, fields, pupils=pupils, name=name if is_taken else None)


def _enrol(serving: Serving, forms: Sequence[Form]) -> int:
    """The position of the last enrolment; one that fails stops those that have not begun."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        written = pool.map(serving.parts.desk.counter.enter, forms)
        return max((one.position for one in written), default=0)


def _page(
    request: Request,
    caller: Principal,
    fields: Mapping[str, Any],
    *,
    pupils: Sequence[Pupil] = (),
    name: str | None = None,
    problem: DomainError | None = None,
) -> Response:
    asked = {"rows": "", **fields}
    return page(
        request,
        "class-list.html",
        caller=caller,
        asked=asked,
        pupils=pupils,
        name=name,
        problem=problem,
        most=ROWS,
    )


def _own(serving: Serving, caller: Principal) -> OrganisationRow:
    """The caller's own school.

    Raises:
        Forbidden: the caller is none.
    """
    own = serving.views.organisations.get(caller.organisation) if caller.organisation else None
    if caller.role is not Role.SCHOOL or own is None or own.institution_type is None:
        raise Forbidden(what=Enrolment.Enrolled.TOPIC, role=str(caller.role))
    return own


def _read(terms: Terms, table: bytes) -> list[Pupil]:
    """The rows of a table.

    Raises:
        SheetRefused: It is none, or too large.
    """
    pupils = list(islice(ClassList(terms).read(BytesIO(table), _LIMITS), ROWS + 1))
    if len(pupils) > ROWS:
        raise SheetTooLarge(limit=ROWS, what="rows")
    return pupils


def _review(
    serving: Serving, school: OrganisationRow, terms: Terms, pupils: Sequence[Pupil]
) -> tuple[list[Pupil], list[UUID]]:
    """The rows with their verdicts, and the records that they name."""
    listed = [
        listed_of(index, ListedChild(**pupil.asked()))
        for index, pupil in enumerate(one for one in pupils if one.fault is None)
    ]
    today = civil_day(serving.parts.services.clock())
    told, records = verdicts_on(serving, school, listed, (terms.school_year, today))
    said = [{**one, "record": str(one["record"])} if "record" in one else one for one in told]
    return judged(pupils, said), records


def _forms(caller: Principal, terms: Terms, pupils: Sequence[Pupil]) -> list[Form]:
    """An enrolment for each who is not enrolled yet; its key is its stream, so it is one."""
    drafts = [enrolment(terms, one) for one in pupils if one.verdict is not Verdict.ENROLLED]
    return [Form(caller, one.stream, one.topic, one.stream, 0, one.data, {}) for one in drafts]


def _terms(school: OrganisationRow, fields: Mapping[str, str]) -> Terms:
    try:
        joined_on = date.fromisoformat(fields.get("joined_on", ""))
    except ValueError as error:
        raise MalformedForm(field="joined_on") from error
    assert school.institution_type is not None, "a school has its type"
    return Terms(
        school.organisation, school.division, _year(fields), school.institution_type, joined_on
    )


def _year(fields: Mapping[str, str]) -> int:
    text = fields.get("school_year", "")
    if not (text.isascii() and text.isdigit() and len(text) == len("2026")):
        raise MalformedForm(field="school_year")
    return int(text)
