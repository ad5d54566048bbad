"""The school check's tables as files: annex 3 of a school and annex 4 of a division."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.noting import note_read
from api.parameters import Year
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.schools import Division, EntryType, LevelName, institution_of
from commands.permissions import Scope, check_read
from commands.principal import Principal
from printing.register import PrintedClass, RegisterForm
from printing.roll_up import RollUpForm
from projections.organisations import OrganisationRow
from projections.register import Register
from projections.roll_up import Level, RollUp

FileFormat = Literal["pdf", "xlsx"]
OneClass = Annotated[
    str | None, Query(max_length=100, description="This class alone; all classes if absent.")
]


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of a school year that are asked for, and as of when; all where none is named."""

    school_year: int
    class_name: str | None
    as_of: Clocks


def _asked(school_year: Year, as_of: AsOf, class_name: OneClass = None) -> Classes:
    return Classes(school_year, class_name, as_of)


Asked = Annotated[Classes, Depends(_asked)]
"""The classes of a request."""

_TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in _TYPES.values()}}
}
_KINDS = {
    Level.INSTITUTION: "township",
    Level.TOWNSHIP: "county-cdc",
    Level.COUNTY: "city-cdc",
    Level.CITY: "province-cdc",
    Level.PROVINCE: "province-cdc",
}
"""Who reports a form whose rows are of a level (S-39)."""

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get(
    "/institutions/{institution}/register.{file_format}",
    operation_id="printRegisters",
    response_class=Response,
    responses=_RESPONSES,
)
async def print_registers(
    request: Request, caller: Caller, institution: UUID, file_format: FileFormat, asked: Asked
) -> Response:
    """Annex 3 of a school, class after class, as PDF or workbook.

    Asked with the same `known_at` and `effective_on`, the same file.
    """
    serving = serving_of(request)
    school = await to_thread.run_sync(institution_of, serving, caller, institution)
    which = (asked.school_year, asked.class_name)
    found = await read_registers(request, caller, institution, which, asked.as_of)
    name = f"{school.name}-{asked.school_year}-附件3"
    return await register_file(request, school, found, asked.as_of, (name, file_format))


@router.get(
    "/divisions/{division}/roll-up.{file_format}",
    operation_id="printRollUp",
    response_class=Response,
    responses=_RESPONSES,
)
async def print_roll_up(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Caller,
    division: Division,
    file_format: FileFormat,
    entry_type: Annotated[EntryType, Query()],
    school_year: Year,
    as_of: AsOf,
    level: Annotated[LevelName, Query()] = "institution",
) -> Response:
    """Annex 4 of a division as PDF or workbook."""
    check_read(caller, "roll-up", Scope(division))
    serving = serving_of(request)

    def make() -> bytes:
        found = serving.views.roll_ups.roll_up(
            division,
            entry_type,
            school_year=school_year,
            level=Level[level.upper()],
            at_position=as_of.position,
        )
        form = roll_up_form(serving, found, as_of)
        return form.pdf() if file_format == "pdf" else form.xlsx()

    name = f"{division}-{school_year}-{entry_type}-附件4.{file_format}"
    return as_file(await to_thread.run_sync(make, limiter=serving.threads), file_format, name)


async def read_registers(
    request: Request,
    caller: Principal,
    institution: UUID,
    which: tuple[int, str | None],
    as_of: Clocks,
) -> list[Register]:
    """The registers of a school year and of a class or all, noted as a read of who is in them."""
    serving, (school_year, class_name) = serving_of(request), which

    def read() -> list[Register]:
        return registers_of(serving, institution, school_year, as_of, class_name)

    found = await to_thread.run_sync(read, limiter=serving.threads)
    records = [line.record for register in found for line in register.lines]
    await note_read(request, caller, "register", records)
    return found


async def class_by_class(
    request: Request,
    caller: Principal,
    institution: UUID,
    asked: Classes,
    children: Callable[[Serving, Register], list[Mapping[str, Any]]],
) -> Response:
    """Answer what there is of each child, class after class, noted as a read of the registers."""
    serving = serving_of(request)
    await to_thread.run_sync(institution_of, serving, caller, institution)
    which = (asked.school_year, asked.class_name)
    found = await read_registers(request, caller, institution, which, asked.as_of)

    def read() -> list[Mapping[str, Any]]:
        return [{"class_name": one.class_name, "children": children(serving, one)} for one in found]

    body = {
        "institution": institution,
        "school_year": asked.school_year,
        "position": found[0].position if found else asked.as_of.position,
        "classes": await to_thread.run_sync(read, limiter=serving.threads),
    }
    return json_response(body, headers=NO_STORE)


async def register_file(
    request: Request,
    school: OrganisationRow,
    registers: list[Register],
    as_of: Clocks,
    file: tuple[str, FileFormat],
) -> Response:
    """The form of registers as a file: its name without the ending, and its format."""
    serving, (name, file_format) = serving_of(request), file

    def make() -> bytes:
        form = _register_form(serving, school, registers, as_of)
        return form.pdf() if file_format == "pdf" else form.xlsx()

    made = await to_thread.run_sync(make, limiter=serving.threads)
    return as_file(made, file_format, f"{name}.{file_format}")


def registers_of(
    serving: Serving,
    institution: UUID,
    school_year: int,
    as_of: Clocks,
    class_name: str | None = None,
) -> list[Register]:
    """The registers of a school's classes as of one state of the log, or that of one class."""
    views = serving.views.registers
    at = views.position() if as_of.position is None else as_of.position
    rows = views.classes(institution, school_year, at)
    names = [row.class_name for row in rows if class_name in (None, row.class_name)]
    return [
        views.register(
            institution, name, school_year=school_year, effective_on=as_of.day, at_position=at
        )
        for name in names
    ]


def _register_form(
    serving: Serving, school: OrganisationRow, registers: list[Register], as_of: Clocks
) -> RegisterForm:
    """The form of a school's registers."""
    position = registers[0].position if registers else as_of.position or 0
    classes = [
        PrintedClass(
            register.class_name,
            [line.pupil.row() for line in register.lines],
            register.subtotals.rows(),
        )
        for register in registers
    ]
    return RegisterForm(
        city=serving.parts.services.rules.roll_up.city.zh,
        institution=school.name,
        day=as_of.day,
        foot=_foot("附件3", school.name, position, as_of),
        classes=classes or [PrintedClass("", [], [])],
    )


def roll_up_form(serving: Serving, found: RollUp, as_of: Clocks) -> RollUpForm:
    """The form of a roll-up."""
    unit = _reporting_unit(serving, found)
    return RollUpForm(
        unit=unit,
        is_kindergarten=found.entry_type == "kindergarten",
        day=as_of.day,
        foot=_foot("附件4", unit, found.position, as_of),
        rows=[row.row() for row in found.rows],
        total=found.total.row(),
    )


def as_file(content: bytes, file_format: FileFormat, name: str) -> Response:
    """The answer that carries a file."""
    disposition = f"inline; filename*=UTF-8''{quote(name)}"
    headers = NO_STORE | {"Content-Disposition": disposition}
    return Response(content, media_type=_TYPES[file_format], headers=headers)


def _reporting_unit(serving: Serving, found: RollUp) -> str:
    """Name of the organisation of the division whose form has such rows, else the division."""
    kind = _KINDS[found.level]
    rows = serving.views.organisations.within(found.division_prefix, kind)
    exact = [
        row.name for row in rows if row.division.rstrip("0") == found.division_prefix.rstrip("0")
    ]
    return exact[0] if exact else found.division_prefix


def _foot(form: str, unit: str, position: int, as_of: Clocks) -> str:
    return f"{form} · {unit} · 账本位置 {position} · 截至 {as_of.day.isoformat()}"
