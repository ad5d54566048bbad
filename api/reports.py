"""Registers and roll-ups as handed in: who has and who has not, and each document again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.errors import AddressUnknown
from api.parameters import AtLeast, Year, wait_for_views
from api.parts import Serving, serving_of
from api.rating import completeness_rate, rates_of
from api.reads import NO_STORE
from api.school_forms import (
    FileFormat,
    as_file,
    read_registers,
    register_file,
    roll_up_form,
)
from api.schools import Division, EntryType, institution_of
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from domain.roll_up.rules import Level as ReportLevel
from domain.roll_up.rules import RegisterEdition
from domain.roll_up_report import REPORTERS
from projections.annex4 import RollUpRow
from projections.organisations import OrganisationRow
from projections.reports import Known, RegisterReportRow, Reporter, RollUpReportRow, received
from projections.roll_up import Level, RollUp

CITY_DIGITS = 4
COUNTY_DIGITS = 6
ROWS_OF: Mapping[ReportLevel, Level] = {
    ReportLevel.TOWNSHIP: Level.INSTITUTION,
    ReportLevel.COUNTY: Level.TOWNSHIP,
    ReportLevel.CITY: Level.COUNTY,
}
"""What a row of each level's form stands for (S-39)."""

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get("/institutions/{institution}/register-reports", operation_id="listRegisterReports")
async def register_reports(
    request: Request, caller: Caller, institution: UUID, school_year: Year, as_of: AsOf
) -> Response:
    """What a school handed in, oldest first: of each edition the last one counts (S-53)."""
    serving = serving_of(request)
    await to_thread.run_sync(institution_of, serving, caller, institution)
    reports = serving.views.reports
    rows = await to_thread.run_sync(
        reports.register_reports, institution, school_year, known_of(as_of)
    )
    return json_response({"reports": [asdict(row) for row in rows]}, headers=NO_STORE)


@router.get("/register-reports/{report}.{file_format}", operation_id="printRegisterReport")
async def print_register_report(
    request: Request, caller: Caller, report: UUID, file_format: FileFormat, at_least: AtLeast = 0
) -> Response:
    """An edition of a school's registers as it was handed in: the same bytes for ever.

    Only what has been restricted or erased since is gone from it.
    """
    await wait_for_views(request, at_least)
    serving = serving_of(request)

    def find() -> tuple[RegisterReportRow, OrganisationRow]:
        row = serving.views.reports.register_report(report)
        # Where there is none, no school has its number: as many questions as where it is hidden.
        school = institution_of(serving, caller, report if row is None else row.institution)
        if row is None:
            raise AddressUnknown
        return row, school

    row, school = await to_thread.run_sync(find)
    as_of = Clocks(row.shown_position, row.effective_on)
    found = await read_registers(
        request, caller, school.organisation, (row.school_year, None), as_of
    )
    name = f"{row.school_year}-{row.edition}-附件3"
    return await register_file(request, school, found, as_of, (name, file_format))


@router.get("/divisions/{division}/register-reports", operation_id="listSchoolsReporting")
async def schools_reporting(
    request: Request,
    caller: Caller,
    division: Division,
    school_year: Year,
    edition: Annotated[Literal["september", "november"], Query()],
    as_of: AsOf,
) -> Response:
    """Every school of a division, and whether it has handed in an edition (S-14, S-21)."""
    check_read(caller, "roll-up", Scope(division))
    serving = serving_of(request)
    schools = serving.views.reports.schools
    rows = await to_thread.run_sync(schools, division, school_year, edition, known_of(as_of))
    due = serving.parts.services.rules.roll_up.register_due(RegisterEdition(edition), school_year)
    return json_response(_standing(serving, rows, division) | {"due": due}, headers=NO_STORE)


@router.get("/divisions/{division}/preparations", operation_id="listPreparations")
async def preparations(
    request: Request, caller: Caller, division: Division, school_year: Year, as_of: AsOf
) -> Response:
    """Posters of schools, forms and training of counties: done, late, overdue or to come."""
    check_read(caller, "roll-up", Scope(division))
    serving = serving_of(request)
    read = serving.views.reports.preparations
    rows = await to_thread.run_sync(read, division, school_year, known_of(as_of))
    due = serving.parts.services.rules.roll_up.preparation_due(school_year)
    tasks = [asdict(row) | {"overdue": row.done_on is None and as_of.day > due} for row in rows]
    return json_response({"due": due, "tasks": tasks}, headers=NO_STORE)


@router.get("/divisions/{division}/roll-up-reports", operation_id="listRollUpReports")
async def roll_up_reports(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Caller,
    division: Division,
    school_year: Year,
    entry_type: Annotated[EntryType, Query()],
    level: Annotated[Literal["township", "county", "city"], Query()],
    as_of: AsOf,
) -> Response:
    """Every unit of a level within a division: who has reported, and how complete that is."""
    check_read(caller, "roll-up", Scope(division))
    serving = serving_of(request)
    kind = REPORTERS[ReportLevel(level)].value
    reporters = serving.views.reports.reporters
    rows = await to_thread.run_sync(
        reporters, division, kind, school_year, entry_type, known_of(as_of)
    )
    due = serving.parts.services.rules.roll_up.report_due(ReportLevel(level), school_year)
    return json_response(_standing(serving, rows, division) | {"due": due}, headers=NO_STORE)


@router.get("/roll-up-reports/{report}.{file_format}", operation_id="printRollUpReport")
async def print_roll_up_report(
    request: Request, caller: Caller, report: UUID, file_format: FileFormat, at_least: AtLeast = 0
) -> Response:
    """A roll-up as it was handed in, as a form: the same bytes for ever."""
    await wait_for_views(request, at_least)
    serving = serving_of(request)

    def make() -> bytes:
        row = _report(serving, caller, report)
        as_of = Clocks(row.shown_position, row.effective_on)
        form = roll_up_form(serving, shown_roll_up(serving, row), as_of)
        return form.pdf() if file_format == "pdf" else form.xlsx()

    name = f"{report}-附件4.{file_format}"
    return as_file(await to_thread.run_sync(make, limiter=serving.threads), file_format, name)


@router.get("/roll-up-reports/{report}", operation_id="getRollUpReport")
async def roll_up_report(request: Request, caller: Caller, report: UUID, as_of: AsOf) -> Response:
    """A roll-up as handed in: what it states, what the log says for the same state, the rates."""
    serving = serving_of(request)

    def read() -> dict[str, Any]:
        row = _report(serving, caller, report)
        if as_of.position is not None and row.position > as_of.position:
            raise AddressUnknown
        versions = serving.views.reports.roll_up_reports(
            row.organisation, row.school_year, row.entry_type, Known(as_of.position)
        )
        found, stated = shown_roll_up(serving, row), row.total()
        number = [one.report for one in versions].index(row.report) + 1
        return asdict(row) | {
            "version": number,
            "versions": len(versions),
            "replaced_by": versions[-1].report if number < len(versions) else None,
            "rows": [one.row() for one in found.rows],
            "units": [one.unit for one in found.rows],
            "total": RollUpRow(**vars(stated)).row(),
            "total_of_log": found.total.row(),
            "agrees": agrees(stated, found.total),
            "rates": rates_of(
                serving.parts.services.rules.roll_up, stated, prefix_of(row.division)
            ),
        }

    body = await to_thread.run_sync(read, limiter=serving.threads)
    return json_response(body, headers=NO_STORE)


def known_of(as_of: Clocks) -> Known:
    """Both clocks, as questions about what was handed in take them."""
    return Known(as_of.position, as_of.day)


def shown_roll_up(serving: Serving, row: RollUpReportRow) -> RollUp:
    """What the log says of the state that a report shows."""
    return serving.views.roll_ups.roll_up(
        prefix_of(row.division),
        row.entry_type,
        school_year=row.school_year,
        level=ROWS_OF[ReportLevel(row.level)],
        at_position=row.shown_position,
    )


def agrees(stated: RollUpRow, counted: RollUpRow) -> bool:
    """Whether a stated total is what the log counts; groups of 0 and 0 may be left out."""
    doses = [
        {group: count for group, count in row.doses.items() if any(count)}
        for row in (stated, counted)
    ]
    return stated.counts() == counted.counts() and doses[0] == doses[1]


def prefix_of(division: str) -> str:
    """The digits that all divisions below one begin with: a city's code ends in two zeros."""
    is_city = len(division) == COUNTY_DIGITS and division.endswith("00")
    return division[:CITY_DIGITS] if is_city else division


def _report(serving: Serving, caller: Principal, report: UUID) -> RollUpReportRow:
    """A report within the caller's scope; to everyone else it does not exist."""
    row = serving.views.reports.roll_up_report(report)
    if row is None:
        raise AddressUnknown
    try:
        check_read(caller, "roll-up", Scope(row.division))
    except Forbidden as error:
        raise AddressUnknown from error
    return row


def _standing(serving: Serving, rows: Sequence[Reporter], division: str) -> dict[str, Any]:
    rules = serving.parts.services.rules.roll_up
    return {
        "units": [asdict(row) for row in rows],
        "completeness": completeness_rate(rules, received(rows), division),
        "late": sum(row.late for row in rows),
    }
