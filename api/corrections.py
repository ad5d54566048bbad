"""Corrections as a clinic and its CDC follow them, and the preview of one of many doses at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import read_json
from api.callers import Caller
from api.clocks import AsOf
from api.errors import MalformedBody
from api.noting import note_read
from api.parameters import MAX_POSITION
from api.parts import Serving, serving_of
from api.people import EVER
from api.reads import MAX_PAGE, NO_STORE, readable
from api.schemas import CorrectionPreview
from commands.errors import Forbidden
from commands.permissions import COUNTY_DIGITS, Scope, check_read, check_write
from commands.principal import Principal, Role
from commands.states import states_of
from domain.correction import OPEN
from ledger.jcs import canonical
from projections.corrections import Asked, CorrectionRow
from projections.doses import DoseRow
from projections.lots import Lot
from projections.records import RecordRow

MAX_PREVIEW = 1_000
State = Literal["open", "requested", "verified", "applied", "rejected", "withdrawn"]
_REQUESTED = "correction.requested.v1"

router = APIRouter(prefix="/v1/corrections", tags=["corrections"])


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be done to each dose of a preview."""

    caller: Principal
    body: CorrectionPreview


@router.get("", operation_id="listCorrections", response_class=Response)
async def list_corrections(  # noqa: PLR0913, PLR0917 - a parameter each
    request: Request,
    caller: Caller,
    as_of: AsOf,
    record: UUID | None = None,
    clinic: UUID | None = None,
    state: State | None = None,
    list_digest: Annotated[str | None, Query(alias="list", pattern="^[0-9a-f]{64}$")] = None,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 200,
) -> Response:
    """Corrections of the caller's divisions, oldest request first, as known at a moment.

    `state=open` stands for requested and verified ones. `Link: rel="next"` leads on.
    """
    serving = serving_of(request)
    if record is not None:
        await to_thread.run_sync(readable, serving, caller, record)
    states = states_named(state)
    asked = Asked(division_of(caller), record, clinic, states, list_digest)

    def read() -> Sequence[CorrectionRow]:
        find = serving.views.corrections.find
        return shown(serving, find(asked, at_position=as_of.position, after=after, limit=limit))

    rows = await to_thread.run_sync(read, limiter=serving.threads)
    await note_read(request, caller, "corrections", sorted({row.record for row in rows}))
    headers = dict(NO_STORE)
    if len(rows) == limit:
        query = request.url.include_query_params(after=rows[-1].requested_position).query
        headers["Link"] = f'</v1/corrections?{query}>; rel="next"'
    return json_response({"corrections": [asdict(row) for row in rows]}, headers=headers)


@router.post(
    "/preview",
    operation_id="previewCorrections",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/CorrectionPreview"}}
            },
        }
    },
)
async def preview(request: Request, caller: Caller) -> Response:
    """What a correction of one lot, or of listed doses, would be: nothing is written.

    Each line has the `data` of a `correction.requested.v1` to sign. All of them name `list`, the
    digest over them: signed as one batch and sent to `/v1/batches`, each dose has a correction of
    its own, and all can be found and counted by the digest. Doses that the caller may not correct
    stand under `left_out`.
    """
    wanted = _Wanted(caller, CorrectionPreview.read(await read_json(request)))
    serving = serving_of(request)
    body = await to_thread.run_sync(_preview, serving, wanted, limiter=serving.threads)
    await note_read(
        request, caller, "corrections", sorted({line["record"] for line in body["lines"]})
    )
    return json_response(body, headers=NO_STORE)


def list_digest_of(lines: Sequence[Mapping[str, Any]]) -> str:
    """The digest that all corrections of a list name: SHA-256 of their data, in JCS, without it."""
    stated = [{name: value for name, value in line.items() if name != "list"} for line in lines]
    return sha256(canonical(sorted(stated, key=lambda line: str(line["dose"])))).hexdigest()


def states_named(state: str | None) -> Sequence[str] | None:
    """The states that a filter means; None for all."""
    if state is None:
        return None
    return [str(one) for one in OPEN] if state == "open" else [state]


def shown(serving: Serving, rows: Sequence[CorrectionRow]) -> Sequence[CorrectionRow]:
    """The rows without those of records that may not be processed."""
    hidden = states_of(serving.parts.reader, {row.record for row in rows})
    return [row for row in rows if row.record not in hidden] if hidden else rows


def division_of(caller: Principal) -> str:
    """The divisions in which the caller reads records.

    Raises:
        Forbidden: none.
    """
    division = caller.division
    if caller.role == Role.CLINIC:
        division = division[:COUNTY_DIGITS]
    check_read(caller, "record", Scope(division, managing=caller.organisation))
    return division


def _preview(serving: Serving, wanted: _Wanted) -> Mapping[str, Any]:
    body, views = wanted.body, serving.views
    which = body.doses
    if body.maker is not None and body.lot is not None:
        lot, division = Lot(body.maker, body.lot), division_of(wanted.caller)
        rows = views.lots.doses(lot, EVER, division=division, limit=MAX_PREVIEW + 1)
        which = tuple(str(row.dose) for row in rows)
    if which is None or len(which) > MAX_PREVIEW:
        raise MalformedBody(pointer="", reason=f"more than {MAX_PREVIEW} doses")
    found = views.doses.of_ids(which, EVER)
    hidden = states_of(serving.parts.reader, {dose.record for dose in found})
    lines, left_out = [], []
    for dose in found:
        row = views.records.get(dose.record)
        if row is None or dose.record in hidden or not _may_correct(wanted, row):
            left_out.append({"dose": dose.dose, "reason": "not-yours"})
            continue
        changes = list(_changes(body, dose))
        if body.kind == "amend" and not changes:
            left_out.append({"dose": dose.dose, "reason": "nothing-changes"})
            continue
        lines.append(_data(wanted, dose, row, changes))
    digest = list_digest_of(lines)
    return {
        "list": digest,
        "lines": [
            {"record": UUID(line["record"]), "data": {**line, "list": digest}} for line in lines
        ],
        "left_out": left_out,
    }


def _may_correct(wanted: _Wanted, row: RecordRow) -> bool:
    scope = Scope(row.division, wanted.caller.organisation, row.managing_organisation)
    try:
        check_write(wanted.caller, _REQUESTED, scope)
    except Forbidden:
        return False
    return True


def _changes(body: CorrectionPreview, dose: DoseRow) -> Iterator[dict[str, str]]:
    """What reads differently afterwards, with what stands there now."""
    for change in body.changes:
        before = _text(getattr(dose, change.field))
        if before != change.after:
            sides = {"before": before, "after": change.after}
            yield {"field": change.field} | {
                side: value for side, value in sides.items() if value is not None
            }


def _data(
    wanted: _Wanted, dose: DoseRow, row: RecordRow, changes: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    body = wanted.body
    return {
        "record": str(dose.record),
        "dose": str(dose.dose),
        "division": row.division,
        "kind": body.kind,
        "changes": list(changes),
        "urgency": body.urgency,
        "reason": body.reason,
        "requested_by": "clinic",
        "clinic": str(wanted.caller.organisation),
    }


def _text(value: Any) -> str | None:
    """A value as a correction spells it."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
