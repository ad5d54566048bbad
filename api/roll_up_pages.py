"""Pages of townships, counties and cities: rates, units, deadlines, and what is behind a number."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import Query, Request
from starlette.responses import Response

from api.behind import GroupCode, lines_of
from api.clocks import clocks_of
from api.errors import AddressUnknown
from api.frame import language_of, page, page_router
from api.handing_in import REPORTS, preparations_of
from api.noting import note_read
from api.parameters import MAX_POSITION, AtLeast, wait_for_views
from api.parts import Serving, serving_of
from api.rating import COUNTY_DIGITS, completeness_rate, rates_of
from api.reports import prefix_of
from api.school_forms import FileFormat, as_file, roll_up_form
from api.school_pages import EDITIONS
from api.school_year import YearOrNow, school_year_of
from api.schools import EntryType
from api.session import Reader
from api.supervision import findings_of
from client.identifiers import new_id
from commands.permissions import Scope, check_read
from commands.principal import Principal
from domain.calendar import civil_day
from domain.roll_up.rules import Level as ReportLevel
from domain.roll_up.rules import RegisterEdition
from domain.roll_up_report import REPORTERS
from projections.annex4 import GROUPS
from projections.behind import OF_DOSES, Behind, Column, Sheet
from projections.reports import Reporter, received
from projections.roll_up import Level, RollUp

PAGE = 200
AnyDivision = Annotated[str | None, Query(pattern="^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9})?$")]
LEVELS: Mapping[int, Level] = {
    0: Level.CITY,
    2: Level.CITY,
    4: Level.COUNTY,
    6: Level.TOWNSHIP,
    9: Level.INSTITUTION,
}
"""What a row stands for, by the digits of the division that is opened."""
_CHILDREN: Mapping[str, Column] = {
    "enrolled": Column.ENROLLED,
    "checked": Column.CHECKED,
    "with_certificate": Column.WITH_CERTIFICATE,
    "certificates_reissued": Column.CERTIFICATES_REISSUED,
    "fully_vaccinated": Column.FULLY_VACCINATED,
    "makeup_completed": Column.MAKEUP_COMPLETED,
}

router = page_router()


@router.get("/roll-up")
async def show_roll_up(
    request: Request,
    caller: Reader,
    division: AnyDivision = None,
    entry_type: EntryType = "primary",
    school_year: YearOrNow = None,
    written: AtLeast = 0,
) -> Response:
    """Annex 4 of a division: rates with bars, a row for each unit, who has reported."""
    which = within(caller, division)
    await wait_for_views(request, written)
    serving = serving_of(request)
    today = civil_day(serving.parts.services.clock())
    year = school_year_of(serving, school_year, today)
    rules = serving.parts.services.rules.roll_up
    is_own = which == prefix_of(caller.division)

    def read() -> dict[str, Any]:
        found = _roll_up(serving, which, entry_type, year)
        return {
            "rows": found.rows,
            "total": found.total,
            "level": found.level,
            "position": found.position,
            "rates": rates_of(rules, found.total, which),
            "tasks": serving.views.tasks.counts(which, year, today),
            "own_reports": _own_reports(serving, caller, which, (year, entry_type)),
            "preparations": preparations_of(serving, caller, year) if is_own else [],
            "standings": _standings(serving, which, entry_type, year),
            "undone": findings_of(serving, which, year, today)
            if len(which) >= COUNTY_DIGITS
            else None,
        }

    values = await to_thread.run_sync(read, limiter=serving.threads)
    return page(
        request,
        "roll-up.html",
        caller=caller,
        division=which,
        entry_type=entry_type,
        year=year,
        today=today,
        groups=GROUPS,
        opened=_CHILDREN,
        english=await english_names(request, which),
        new_key=new_id,
        **values,
    )


@router.get("/roll-up/children")
async def show_children(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Reader,
    column: Column,
    division: AnyDivision = None,
    entry_type: EntryType = "primary",
    school_year: YearOrNow = None,
    vaccine_group: GroupCode | None = None,
    institution: UUID | None = None,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
) -> Response:
    """The children behind a number of annex 4."""
    which = within(caller, division)
    check_read(caller, "register", Scope(which))
    if (column in OF_DOSES) != (vaccine_group is not None):
        raise AddressUnknown
    serving = serving_of(request)
    today = civil_day(serving.parts.services.clock())
    as_of = await clocks_of(request, None, None)
    sheet = Sheet(
        division_prefix=which,
        entry_type=entry_type,
        school_year=school_year_of(serving, school_year, today),
        institution=institution,
        at=serving.projected.reached,
    )

    def read() -> list[Behind]:
        return serving.views.behinds.children(
            sheet, column, after=after, limit=PAGE, vaccine_group=vaccine_group
        )

    rows = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "roll-up", {row.record for row in rows})
    lines = await to_thread.run_sync(lines_of, serving, rows, as_of.day)
    return page(
        request,
        "roll-up-children.html",
        caller=caller,
        sheet=sheet,
        column=column,
        group=dict(GROUPS).get(vaccine_group or ""),
        lines=lines,
        english=await english_names(request, which),
        further=_further(request, rows),
    )


@router.get("/roll-up/form.{file_format}")
async def roll_up_file(
    request: Request,
    caller: Reader,
    file_format: FileFormat,
    division: AnyDivision = None,
    entry_type: EntryType = "primary",
    school_year: YearOrNow = None,
) -> Response:
    """Annex 4 as a file, for whoever is signed in."""
    which = within(caller, division)
    serving = serving_of(request)
    year = school_year_of(serving, school_year, civil_day(serving.parts.services.clock()))
    as_of = await clocks_of(request, None, None)

    def make() -> bytes:
        form = roll_up_form(serving, _roll_up(serving, which, entry_type, year), as_of)
        return form.pdf() if file_format == "pdf" else form.xlsx()

    made = await to_thread.run_sync(make, limiter=serving.threads)
    return as_file(made, file_format, f"{which}-{year}-{entry_type}-附件4.{file_format}")


def within(caller: Principal, division: str | None) -> str:
    """The division asked for, else the caller's own.

    Raises:
        Forbidden: the caller may not see its roll-ups.
    """
    which = caller.division if division is None else division
    check_read(caller, "roll-up", Scope(which))
    return which


def _roll_up(serving: Serving, division: str, entry_type: str, year: int) -> RollUp:
    level = LEVELS[len(division)]
    return serving.views.roll_ups.roll_up(division, entry_type, school_year=year, level=level)


async def english_names(request: Request, division: str) -> Mapping[str | None, str]:
    """The English names of a division's units, for those who read English."""
    if language_of(request) != "en":
        return {}
    serving = serving_of(request)
    units = serving.views.organisations.within
    rows = await to_thread.run_sync(units, division, limiter=serving.threads)
    return {row.name: row.name_en for row in rows if row.name_en}


def _own_reports(
    serving: Serving, caller: Principal, division: str, what: tuple[int, str]
) -> Mapping[str, Any] | None:
    """What the caller has handed in, oldest first, and until when; None on others' pages."""
    level = REPORTS.get(caller.role)
    if level is None or caller.organisation is None or division != prefix_of(caller.division):
        return None
    due = serving.parts.services.rules.roll_up.report_due(level, what[0])
    rows = serving.views.reports.roll_up_reports(caller.organisation, *what)
    return {"due": due, "rows": rows}


def _standings(
    serving: Serving, division: str, entry_type: str, year: int
) -> Sequence[Mapping[str, Any]]:
    """Who below was to hand in what, and whether they have (S-14, S-17)."""
    rules, reports = serving.parts.services.rules.roll_up, serving.views.reports
    level = LEVELS[len(division)]
    if level is Level.INSTITUTION:
        return [
            _standing(
                serving,
                EDITIONS[edition],
                due,
                [
                    one
                    for one in reports.schools(division, year, edition)
                    if one.institution_type == entry_type
                ],
            )
            for edition in RegisterEdition
            for due in (rules.register_due(edition, year),)
        ]
    below = ReportLevel(level.name.lower())
    due = rules.report_due(below, year)
    rows = reports.reporters(division, REPORTERS[below].value, year, entry_type)
    return [_standing(serving, ("汇总表", "Roll-ups"), due, rows)]


def _standing(
    serving: Serving, title: tuple[str, str], due: Any, rows: Sequence[Reporter]
) -> Mapping[str, Any]:
    rules = serving.parts.services.rules.roll_up
    rate = completeness_rate(rules, received(rows), rows[0].division if rows else "")
    return {"zh": title[0], "en": title[1], "due": due, "rows": rows, "rate": rate}


def _further(request: Request, rows: Sequence[Behind]) -> str | None:
    """The address of the next page."""
    if len(rows) < PAGE:
        return None
    url = request.url.include_query_params(after=rows[-1].enrolled_position)
    return f"{url.path}?{url.query}"
