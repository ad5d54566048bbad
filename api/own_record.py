"""One's own record to take along: what it says, and the entries that prove it, in one file."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.callers import Caller
from api.clocks import Clocks
from api.dossier import Dossier
from api.errors import AddressUnknown
from api.noting import note_read
from api.parameters import AtLeast, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.reads import NO_STORE, read_together, record_body
from commands.citizens import identity_of, is_about, number_of
from commands.errors import NotFound
from commands.principal import Principal
from commands.reading import Reading
from commands.states import check_readable
from domain.vaccination_record import VaccinationRecord
from projections.records import RecordRow

_OF_OTHERS = frozenset({"handle", "erased", "relation", "name"})
"""What is told of a guardian other than the caller."""

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.get("/{record}/own", operation_id="exportOwnRecord", response_class=Response)
async def export(request: Request, caller: Caller, record: UUID, at_least: AtLeast = 0) -> Response:
    """One's own record, or one's child's, with the dossier that proves it offline.

    For the recipient and the guardians, known by their verified identity; for everyone else the
    record does not exist. Of another guardian only name and relation are told.
    """
    await wait_for_views(request, at_least)
    serving = serving_of(request)
    day = day_or_today(request, None)
    row = await to_thread.run_sync(_own, serving, caller, record, limiter=serving.threads)
    await note_read(request, caller, "own-record", [record, *row.merged])
    now = Clocks(None, day)
    body = await to_thread.run_sync(
        lambda: {
            "record": _without_others(caller, record_body(serving, row, now)),
            "dossier": Dossier.of(serving, read_together(serving, row, now), None).document(),
        },
        limiter=serving.threads,
    )
    return json_response(body, headers=NO_STORE)


def _own(serving: Serving, caller: Principal, record: UUID) -> RecordRow:
    """The record, if the caller is one of its people.

    Raises:
        Forbidden: the caller is no citizen.
        Restricted, Erased: it may not be processed.
    """
    identity_of(caller)
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    row = serving.views.records.get(record)
    try:
        found = reading.stored(VaccinationRecord, record)
        identity = identity_of(caller)
        if row is None or not is_about(reading, found, identity):
            raise AddressUnknown
    except NotFound as error:
        raise AddressUnknown from error
    check_readable(serving.parts.reader, record)
    return row


def _without_others(caller: Principal, body: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the numbers and telephones of guardians who are not the caller."""
    own = number_of(identity_of(caller)).partition(":")[2]
    guardians = [
        guardian
        if str(guardian.get("id_number", "")).upper() == own
        else {name: value for name, value in guardian.items() if name in _OF_OTHERS}
        for guardian in body["guardians"]
    ]
    return {**body, "guardians": guardians}
