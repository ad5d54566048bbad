"""Pages of the school check: a school's classes and tasks, one class as a form."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.clocks import Clocks, clocks_of
from api.entry_papers import entry_papers
from api.errors import AddressUnknown
from api.frame import go_to, language_of, page, page_router
from api.handing_in import preparations_of
from api.parameters import AtLeast
from api.parts import Serving, serving_of
from api.school_forms import FileFormat, read_registers, register_file
from api.school_year import InYear, SchoolYear, YearOrNow
from api.session import Reader
from api.statements import notices
from api.supervision import findings_of
from client.identifiers import new_id
from commands.principal import Principal, Role
from domain.calendar import deadline_after_days
from domain.roll_up.rules import RegisterEdition
from projections.annex3 import COLUMNS, DOSE_COLUMNS, ERASED, NO, RESTRICTED, YES
from projections.register import Register
from projections.reports import RegisterReportRow

ClassName = Annotated[str, Query(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]

EDITIONS: Mapping[str, tuple[str, str]] = {
    RegisterEdition.SEPTEMBER: ("9月底登记表", "September registers"),
    RegisterEdition.NOVEMBER: ("11月底登记表", "November registers"),
}

_ENGLISH_COLUMNS = (
    *("No.", "Name", "Sex", "Born", "Telephone", "Certificate", "Full course"),
    *(f"{group} {number}" for group, number in DOSE_COLUMNS),
    "Made up",
)
_ENGLISH: Mapping[str, str] = {
    "男": "male",
    "女": "female",
    YES: "yes",
    NO: "no",
    ERASED: "erased",
    RESTRICTED: "restricted",
    "查验小计": "Checked",
    "无证、漏种小计": "Missing",
    "补证、补种小计": "Made good",
}
"""What the form says, for those who read English; a child's name is left as it is."""

router = page_router()


@router.get("/school")
async def own_school(
    caller: Reader, school_year: YearOrNow = None, written: AtLeast = 0
) -> Response:
    """Lead a school to its own page."""
    if caller.role is not Role.SCHOOL or caller.organisation is None:
        raise AddressUnknown
    asked = f"?school_year={school_year}&written={written}" if school_year else ""
    return go_to(f"/school/{caller.organisation}{asked}")


@router.get("/school/{institution}")
async def show_school(
    request: Request,
    caller: Reader,
    institution: UUID,
    at: InYear,
) -> Response:
    """A school: what is to be done today, its classes, what it handed in."""
    serving, (year, today) = serving_of(request), (at.year, at.today)

    def read() -> dict[str, Any]:
        views = serving.views
        reports = views.reports.register_reports(institution, year)
        return {
            "position": views.registers.position(),
            "preparations": preparations_of(serving, caller, year) if at.is_own else [],
            "classes": views.registers.classes(institution, year),
            "tasks": views.tasks.counts(at.school.division, year, today, institution),
            "recheck_due": serving.parts.services.rules.roll_up.recheck_due(year),
            "undone": [
                finding
                for _, findings in findings_of(
                    serving, at.school.division, year, today, institution
                )
                for finding in findings
            ],
            "editions": [
                _edition(serving, reports, edition, year, today) for edition in RegisterEdition
            ],
        }

    values = await to_thread.run_sync(read, limiter=serving.threads)
    return page(
        request,
        "school.html",
        caller=caller,
        **at._asdict(),
        new_key=new_id,
        **values,
    )


@router.get("/school/{institution}/class")
async def show_class(
    request: Request,
    caller: Reader,
    at: InYear,
    name: ClassName,
) -> Response:
    """Annex 3 of a class on screen, with the last day of each child's check."""
    register = await register_of(request, caller, at, name, await clocks_of(request, None, None))
    return page(
        request,
        "school-class.html",
        caller=caller,
        **at._asdict(),
        columns=_ENGLISH_COLUMNS if language_of(request) == "en" else COLUMNS,
        english=_english,
        register=register,
        lines=await to_thread.run_sync(_lines, serving_of(request), register),
        subtotals=register.subtotals.rows(),
    )


@router.get("/school/{institution}/register.{file_format}")
async def school_file(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Reader,
    institution: UUID,
    at: InYear,
    file_format: FileFormat,
    name: ClassName | None = None,
    report: UUID | None = None,
) -> Response:
    """The registers as a file, for whoever is signed in: now, or as handed in with a report."""
    year, as_of = at.year, await clocks_of(request, None, None)
    if report is not None:
        row = await to_thread.run_sync(_own_report, serving_of(request), institution, report)
        year, as_of = row.school_year, Clocks(row.shown_position, row.effective_on)
    found = await read_registers(request, caller, institution, (year, name), as_of)
    file = (f"{at.school.name}-{year}-附件3", file_format)
    return await register_file(request, at.school, found, as_of, file)


@router.get("/school/{institution}/notice.pdf")
async def notice_file(
    request: Request,
    caller: Reader,
    institution: UUID,
    at: InYear,
    name: ClassName | None = None,
) -> Response:
    """The notices of a class as a file, for whoever is signed in."""
    as_of = await clocks_of(request, None, None)
    return await notices(request, caller, institution, (at.year, name), as_of)


async def register_of(
    request: Request, caller: Principal, at: SchoolYear, name: str, as_of: Clocks
) -> Register:
    """The register of a class, noted as a read of who is in it.

    Raises:
        AddressUnknown: The school has no such class in that year.
    """
    which = (at.year, name)
    found = await read_registers(request, caller, at.school.organisation, which, as_of)
    if not found:
        raise AddressUnknown
    return found[0]


def _english(cells: Sequence[str]) -> list[str]:
    """A row of the form in English."""
    name = COLUMNS.index("儿童姓名")
    return [cell if at == name else _ENGLISH.get(cell, cell) for at, cell in enumerate(cells)]


def _own_report(serving: Serving, institution: UUID, report: UUID) -> RegisterReportRow:
    row = serving.views.reports.register_report(report)
    if row is None or row.institution != institution:
        raise AddressUnknown
    return row


def _lines(serving: Serving, register: Register) -> list[Mapping[str, Any]]:
    """Each child's 30 cells, until when it is to be checked (S-5), and its entry papers (S-7)."""
    days = serving.parts.services.rules.roll_up.check_due_days
    papers = entry_papers(serving, register.lines, register.position)
    return [
        {
            "cells": line.pupil.row(),
            "due": deadline_after_days(line.joined_on, days) if line.checked_on is None else None,
            "papers": papers.get(line.enrolment),
        }
        for line in register.lines
    ]


def _edition(
    serving: Serving,
    reports: Sequence[RegisterReportRow],
    edition: RegisterEdition,
    year: int,
    today: date,
) -> Mapping[str, Any]:
    """An edition of the registers: until when, and what was handed in."""
    rules = serving.parts.services.rules.roll_up
    versions = [row for row in reports if row.edition == edition]
    due = rules.register_due(edition, year)
    zh, en = EDITIONS[edition]
    return {
        "edition": edition.value,
        "zh": zh,
        "en": en,
        "due": due,
        "versions": versions,
        "late": versions[0].late if versions else today > due,
    }
