"""Vaccination records as staff read them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import etag, json_response
from api.callers import Caller
from api.clocks import AsOf, Clocks
from api.errors import AddressUnknown
from api.forecasting import coming_doses
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import EVER, organisation_names, people_on
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.states import check_readable, states_of
from domain.dose_counts import component_counts
from domain.dose_duplicates import entered_twice
from domain.retention import retention_until
from projections.change import read_change
from projections.corrections import AppliedRow
from projections.doses import DoseRow
from projections.record_as_of import record_as_of
from projections.records import RecordRow

NO_STORE = {"Cache-Control": "no-store"}
MAX_PAGE = 500
SHORTLY = ("handle", "erased", "name", "sex", "birth_date")
"""What lists show of a recipient."""
router = APIRouter(prefix="/v1/records", tags=["records"])


@router.get("/{record}", operation_id="getRecord", response_class=Response)
async def get_record(
    request: Request,
    caller: Caller,
    record: UUID,
    as_of: AsOf,
) -> Response:
    """A record as known at a moment and effective on a day: persons, roll, doses, doses to come.

    It reads with what was merged into it (`merged`); one that was merged itself names the record
    to go on with (`merged_into`). Doses that may be one, entered twice, are flagged.
    The entity tag is the stream's version then, for `If-Match`. A record outside the caller's
    scope answers like one that does not exist; so does one that was not registered yet.
    """
    serving = serving_of(request)
    row = await to_thread.run_sync(readable, serving, caller, record)
    row = await to_thread.run_sync(row_as_of, serving, row, as_of)
    await note_read(request, caller, "record", [record, *row.merged])
    body = await to_thread.run_sync(record_body, serving, row, as_of, limiter=serving.threads)
    return json_response(body, headers=NO_STORE | {"ETag": etag(row.version)})


def dose_lines(
    serving: Serving, rows: Sequence[DoseRow], applied: Sequence[AppliedRow]
) -> list[dict[str, Any]]:
    """Doses with the names of vaccines and clinics, each with its provenance (C-27).

    `corrections` are those that made a dose read so.
    """
    clinics = organisation_names(serving.views, [row.clinic for row in rows])
    vaccines = serving.parts.services.rules.catalogue.vaccines
    names = {row.vaccine: vaccines[row.vaccine].name for row in rows if row.vaccine in vaccines}
    called = {vaccine: asdict(name) for vaccine, name in names.items()}
    return [
        {
            **vars(row),
            "vaccine_name": called.get(row.vaccine),
            "clinic_name": clinics[row.clinic],
            "corrections": [one.correction for one in applied if one.dose == row.dose],
        }
        for row in rows
    ]


def readable(serving: Serving, caller: Principal, record: UUID) -> RecordRow:
    """A record within the caller's scope; to everyone else it does not exist.

    Raises:
        Restricted, Erased: it may not be processed.
    """
    row = serving.views.records.get(record)
    if row is None or not may_read(caller, row):
        raise AddressUnknown
    check_readable(serving.parts.reader, record)
    return row


def surviving(serving: Serving, record: UUID) -> RecordRow | None:
    """A record, or the one that it was merged into."""
    row = serving.views.records.get(record)
    if row is None or row.merged_into is None:
        return row
    return serving.views.records.get(row.merged_into)


def may_read(caller: Principal, row: RecordRow) -> bool:
    """Whether a record lies in the caller's scope."""
    try:
        check_read(caller, "record", Scope(row.division, managing=row.managing_organisation))
    except Forbidden:
        return False
    return True


def row_as_of(serving: Serving, row: RecordRow, as_of: Clocks) -> RecordRow:
    """The record as it was known.

    Raises:
        AddressUnknown: It was not registered yet.
    """
    if as_of.position is None:
        return row
    stream = serving.parts.reader.stream(row.record)
    past = record_as_of([read_change(at, raw) for at, raw, _ in stream], as_of.position)
    if past is None:
        raise AddressUnknown
    return past


def read_together(serving: Serving, row: RecordRow, as_of: Clocks) -> list[UUID]:
    """A record and those that were merged into it then, unless they may not be processed."""
    try:
        merged = row_as_of(serving, row, as_of).merged
    except AddressUnknown:
        merged = ()
    hidden = states_of(serving.parts.reader, merged) if merged else {}
    return [row.record, *(one for one in merged if one not in hidden)]


def record_body(serving: Serving, row: RecordRow, as_of: Clocks) -> Mapping[str, Any]:
    """A record as its readers see it: what `GET /v1/records/<record>` answers."""
    views, day, at = serving.views, as_of.day, as_of.position
    about = views.about.get(row.record, day, at)
    assert about is not None, "there is a row"
    guardians = {guardian.person: guardian.relation for guardian in row.guardians}
    people = people_on(views, [row.recipient, *guardians], day, at)
    hidden = states_of(serving.parts.reader, row.merged) if row.merged else {}
    doses = [dose for dose in about.doses if dose.record not in hidden]
    contraindications = [one for one in about.contraindications if one.record not in hidden]
    return {
        "record": row.record,
        "version": row.version,
        "position": serving.projected.reached if at is None else at,
        "effective_on": day,
        "kind": row.kind,
        "birth_year": row.birth_year,
        "managing_organisation": row.managing_organisation,
        "managing_organisation_name": organisation_names(views, [row.managing_organisation])[
            row.managing_organisation
        ],
        "division": row.division,
        "roll": row.roll,
        "registered_on": row.registered_on,
        "retention_until": retention_until(views.doses.of_record(row.record, EVER, at)),
        "recipient": people[row.recipient],
        "guardians": [
            {"relation": relation} | people[person] for person, relation in guardians.items()
        ],
        "rolls": [asdict(state) for state in row.rolls],
        "merged": row.merged,
        "merged_into": row.merged_into,
        "doses": dose_lines(serving, doses, about.corrections),
        "counts": {
            "doses": len(doses),
            "components": component_counts(doses, serving.parts.services.rules.catalogue),
        },
        "entered_twice": [
            {"doses": [found.one, found.other]} | found.check.describe()
            for found in entered_twice(doses, serving.parts.services.rules.catalogue)
        ],
        "contraindications": [asdict(found) for found in contraindications],
        "adverse_events": [
            asdict(found) for found in views.doses.adverse_events([dose.dose for dose in doses], at)
        ],
        "next_due": coming_doses(
            serving.parts.services.rules,
            row,
            people[row.recipient],
            doses,
            contraindications,
            day,
        ),
    }
