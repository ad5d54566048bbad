"""Who has read a record: for its persons, its clinic, and the CDCs above."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.errors import AddressUnknown
from api.noting import note_read
from api.parts import Serving, serving_of
from api.people import organisation_names
from api.reads import NO_STORE
from commands.citizens import is_about
from commands.errors import Forbidden, NotFound
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.reading import Reading
from domain.vaccination_record import VaccinationRecord
from ledger.store.access import Read

MAX_LINES = 1_000

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.get("/{record}/access", operation_id="listAccess", response_class=Response)
async def list_access(
    request: Request,
    caller: Caller,
    record: UUID,
    limit: Annotated[int, Query(ge=1, le=MAX_LINES)] = 200,
) -> Response:
    """Who has read a record, newest first: for its persons, its clinic, and the CDCs above.

    Staff also see which reader it was, as a handle that is the same each time.
    """
    serving = serving_of(request)
    await to_thread.run_sync(_check, serving, caller, record, limiter=serving.threads)
    await note_read(request, caller, "access", [record])
    reads = await to_thread.run_sync(serving.views.access.of_record, record, limit)
    lines = await to_thread.run_sync(read_lines, serving, caller, reads)
    return json_response({"record": record, "reads": lines}, headers=NO_STORE)


def _check(serving: Serving, caller: Principal, record: UUID) -> None:
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    try:
        found = reading.stored(VaccinationRecord, record)
        if not _may_look(reading, caller, found):
            raise AddressUnknown
    except NotFound as error:
        raise AddressUnknown from error


def _may_look(reading: Reading, caller: Principal, record: VaccinationRecord) -> bool:
    if caller.identity is not None:
        return is_about(reading, record, caller.identity)
    try:
        check_read(caller, "access", Scope(record.division, managing=record.managing_organisation))
    except Forbidden:
        return False
    return True


def read_lines(serving: Serving, caller: Principal, reads: list[Read]) -> list[Mapping[str, Any]]:
    """What is told of reads: to staff also which reader it was, as a handle."""
    organisations = {read.organisation for read in reads if read.organisation}
    names = organisation_names(serving.views, organisations)
    return [
        {
            "at": read.at,
            "organisation": read.organisation,
            "organisation_name": names.get(read.organisation) if read.organisation else None,
            "role": read.role,
            "purpose": read.purpose,
            "what": read.what,
        }
        | ({"reader": read.reader.hex()[:16]} if caller.identity is None else {})
        for read in reads
    ]
