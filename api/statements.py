"""Check statements (annex 2) and notices (annex 1): what was issued, and its paper."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks, reading_as_of
from api.errors import AddressUnknown
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import EVER, organisation_names
from api.reads import NO_STORE
from api.school_forms import Asked, as_file, read_registers
from api.schools import institution_of
from api.statement_code import code_of
from commands.errors import Forbidden, NotFound
from commands.permissions import Scope, check_read
from commands.principal import Principal, Role
from commands.statements import corrected_by
from commands.states import check_readable
from domain.audit import Audit
from domain.check_statement import CheckStatement
from domain.verdict import cells
from printing.notice import NoticeForm
from printing.statement import StatementForm, StatementRow
from projections.people import Person

_SEXES = {"male": "男", "female": "女"}

router = APIRouter(prefix="/v1", tags=["school checks"])


@router.get(
    "/check-statements/{statement}.pdf", operation_id="printCheckStatement", response_class=Response
)
async def print_statement(
    request: Request, caller: Caller, statement: UUID, as_of: AsOf
) -> Response:
    """A statement on paper, with the rows that were completed since.

    It bears a code that anyone verifies offline: what the clinic stated when it was issued.
    """
    serving = serving_of(request)
    found = await to_thread.run_sync(_readable, serving, caller, statement, as_of)
    await note_read(request, caller, "statement", [found.record])
    made = await to_thread.run_sync(
        lambda: _form(serving, statement, found, as_of).pdf(), limiter=serving.threads
    )
    return as_file(made, "pdf", f"{statement}-附件2.pdf")


@router.get("/check-statements/{statement}", operation_id="getCheckStatement")
async def get_statement(request: Request, caller: Caller, statement: UUID, as_of: AsOf) -> Response:
    """A statement: what the audit found, its rows, and by what it was replaced.

    `corrected_by` names the corrections since which the record reads otherwise.
    """
    serving = serving_of(request)
    found = await to_thread.run_sync(_readable, serving, caller, statement, as_of)
    await note_read(request, caller, "statement", [found.record])
    body = {
        "statement": statement,
        "version": found.version,
        "record": found.record,
        "clinic": found.clinic,
        "checked_on": found.checked_on,
        "entry_type": found.entry_type,
        "audit": asdict(_audit(found)),
        "rows": [_row(found, row) for row in found.rows],
        "superseded_by": found.superseded_by,
        "corrected_by": await to_thread.run_sync(_corrected_by, serving, found, as_of),
    }
    return json_response(body, headers=NO_STORE | {"ETag": f'"{found.version}"'})


@router.get(
    "/institutions/{institution}/notice.pdf", operation_id="printNotices", response_class=Response
)
async def print_notices(
    request: Request, caller: Caller, institution: UUID, asked: Asked
) -> Response:
    """Annex 1 for each child of a class, or one without a name for those who are not enrolled."""
    which = (asked.school_year, asked.class_name)
    return await notices(request, caller, institution, which, asked.as_of)


async def notices(
    request: Request,
    caller: Principal,
    institution: UUID,
    which: tuple[int, str | None],
    as_of: Clocks,
) -> Response:
    """Print annex 1 for a school year and a class, noted as a read of its register."""
    serving, (_, class_name) = serving_of(request), which
    school = await to_thread.run_sync(institution_of, serving, caller, institution)
    registers = (
        []
        if class_name is None
        else await read_registers(request, caller, institution, which, as_of)
    )
    names = [line.pupil.particulars.name for one in registers for line in one.lines]
    form = NoticeForm(
        city=serving.parts.services.rules.roll_up.city.zh,
        institution=school.name,
        day=as_of.day,
        children=[name or "" for name in names] or [""],
        foot=f"附件1 · {school.name}",
    )
    made = await to_thread.run_sync(form.pdf, limiter=serving.threads)
    return as_file(made, "pdf", f"{school.name}-附件1.pdf")


def _readable(
    serving: Serving, caller: Principal, statement: UUID, as_of: Clocks
) -> CheckStatement:
    """A statement within the caller's scope; to everyone else it does not exist.

    A school sees those of its pupils.

    Raises:
        Restricted, Erased: the record may not be processed.
    """
    try:
        found = reading_as_of(serving, as_of).stored(CheckStatement, statement)
        acting = caller.organisation if _is_pupil(serving, caller, found.record) else None
        check_read(caller, "statement", Scope(found.division, acting=acting))
    except NotFound as error:
        _is_pupil(serving, caller, statement)  # what is missing takes as long as what is hidden
        raise AddressUnknown from error
    except Forbidden as error:
        raise AddressUnknown from error
    check_readable(serving.parts.reader, found.record)
    return found


def _corrected_by(serving: Serving, found: CheckStatement, as_of: Clocks) -> Sequence[UUID]:
    return corrected_by(reading_as_of(serving, as_of), found)


def _is_pupil(serving: Serving, caller: Principal, record: UUID) -> bool:
    if caller.role is not Role.SCHOOL or caller.organisation is None:
        return False
    return serving.views.registers.has_enrolled(caller.organisation, record)


def _audit(found: CheckStatement) -> Audit:
    assert found.audit is not None, "a statement is issued with its audit"
    return found.audit


def _row(found: CheckStatement, row: tuple[str, int]) -> Mapping[str, Any]:
    made_up = found.made_up.get(row)
    return {
        "vaccine_group": row[0],
        "dose_number": row[1],
        "appointment": found.appointments.get(row),
        "made_up": asdict(made_up) | {"clinic": found.certifiers[row]} if made_up else None,
    }


def _form(serving: Serving, statement: UUID, found: CheckStatement, as_of: Clocks) -> StatementForm:
    record = serving.views.records.get(found.record)
    assert record is not None, "the views have followed"
    known = serving.views.people.lookup([record.recipient], found.checked_on, as_of.position)
    newest = serving.views.people.lookup([record.recipient], EVER, as_of.position)
    person = known.get(record.recipient) or newest.get(record.recipient) or Person()
    rules = serving.parts.services.rules
    names = {code: group.name.zh for code, group in rules.requirements.groups.items()}
    clinics = organisation_names(serving.views, [found.clinic, *found.certifiers.values()])
    audit = _audit(found)
    return StatementForm(
        city=rules.roll_up.city.zh,
        name=person.name or "",
        sex=_SEXES.get(person.sex or "", ""),
        birth_date=person.birth_date,
        rows=[_printed(found, row, names, clinics) for row in found.rows],
        exempt=[f"{names[group]}第{number}剂" for group, number in cells(audit.exempt)],
        reissue=audit.reissue_certificate,
        superseded=found.superseded_by is not None,
        corrected=bool(_corrected_by(serving, found, as_of)),
        clinic=clinics[found.clinic] or "",
        day=found.checked_on,
        foot=_foot(serving, statement),
        code=code_of(serving, found),
    )


def _foot(serving: Serving, statement: UUID) -> str:
    """Which document it is, and where anyone asks whether it still stands."""
    known, here = f"附件2 · {statement}", serving.parts.settings.public_url
    return f"{known} · 是否有效请查 {here}/statement/{statement}" if here else known


def _printed(
    found: CheckStatement,
    row: tuple[str, int],
    names: Mapping[str, str],
    clinics: Mapping[UUID, str | None],
) -> StatementRow:
    vaccine, appointment = f"{names[row[0]]}第{row[1]}剂", found.appointments.get(row)
    made_up = found.made_up.get(row)
    if made_up is None:
        return StatementRow(vaccine, appointment)
    certifier = clinics[found.certifiers[row]] or ""
    return StatementRow(vaccine, appointment, made_up.date, made_up.lot or "", certifier)
