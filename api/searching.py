"""Finding a record: by an exact number, or by name and birth date. For staff, within their scope.

What is asked for is in the body and never in an address; it is compared as a keyed digest, so that
nothing lies in clear to be searched. Nothing found, and nothing that the caller may see, are the
same answer, and each account and each target is asked at a bounded rate.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import read_json
from api.callers import Caller
from api.noting import note_read
from api.parameters import AtLeast, day_or_today, wait_for_views
from api.parts import Serving, serving_of
from api.people import people_on
from api.reads import NO_STORE, SHORTLY, may_read, surviving
from api.schemas import SearchRequest
from commands.principal import Principal
from commands.records import id_number
from commands.states import states_of
from commands.writing import ID_NUMBER
from domain import private
from domain.duplicates import BIRTH_CERTIFICATE, CERTIFICATE, SOUND, keys
from projections.records import RecordRow

_FIELDS = {
    "id_number": private.ID_NUMBER.optional(),
    "id_type": private.choice(private.IdType).optional(),
    "birth_certificate_number": private.BIRTH_CERTIFICATE.optional(),
    "certificate_number": private.CERTIFICATE_NUMBER.optional(),
    "name": private.NAME.optional(),
    "birth_date": private.DATE.optional(),
}
_KINDS = (BIRTH_CERTIFICATE.id, CERTIFICATE.id, SOUND.id)
"""What is searched by, beside the number of a document; names by their sound."""

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.post(
    "/search",
    operation_id="searchRecords",
    response_class=Response,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/SearchRequest"}}
            },
        }
    },
)
async def search(request: Request, caller: Caller, at_least: AtLeast = 0) -> Response:
    """Find records by an exact number, or by name and birth date.

    A number of a document may be the recipient's or a guardian's. Names are compared by sound:
    variant characters find each other. Nothing found, and nothing that the caller may read, are the
    same answer. Who asks too often, or about one person too often, is told when to come again.
    """
    asked = SearchRequest.read(await read_json(request)).model_dump(exclude_none=True)
    await wait_for_views(request, at_least)
    found = await find(request, caller, asked)
    return json_response({"records": found}, headers=NO_STORE)


async def find(
    request: Request, caller: Principal, asked: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the records that were asked for, and note that they were.

    Args:
        request: What is answered.
        caller: Who asks.
        asked: Texts by the names of `SearchRequest`.

    Raises:
        AskedTooOften: by this account, or about this target.
        DomainError: a number is none.
    """
    serving = serving_of(request)
    targets = list(_targets(private.check_identity(private.read_fields(_FIELDS, asked))))
    serving.searches.take(caller.subject)
    for kind, text in targets:
        serving.targets.take(serving.parts.vault.keys.digest(kind, text))
    day = day_or_today(request, None)
    found = await to_thread.run_sync(_find, serving, caller, targets, day)
    await note_read(request, caller, "search", [line["record"] for line in found])
    return found


def _targets(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of what is looked up."""
    number = id_number(values)
    if number is not None:
        yield ID_NUMBER, number
    for kind, text in keys(values, []):
        if kind in _KINDS:
            yield kind, text


def _find(
    serving: Serving, caller: Principal, targets: Collection[tuple[str, str]], day: date
) -> list[dict[str, Any]]:
    found = [pair for target in targets for pair in serving.parts.vault.keys.find(*target)]
    hidden = states_of(serving.parts.reader, [record for _, record in found])
    lines: dict[UUID, dict[str, Any]] = {}
    for person, record in found:
        row = surviving(serving, record)
        if row is None or record in hidden or row.record in lines or not may_read(caller, row):
            continue
        lines[row.record] = _line(serving, row, person, day)
    return list(lines.values())


def _line(serving: Serving, row: RecordRow, person: UUID, day: date) -> dict[str, Any]:
    recipient = people_on(serving.views, [row.recipient], day)[row.recipient]
    as_guardian = person in {guardian.person for guardian in row.guardians}
    return {
        "record": row.record,
        "version": row.version,
        "kind": row.kind,
        "roll": row.roll,
        "managing_organisation": row.managing_organisation,
        "matched": "guardian" if as_guardian else "recipient",
        "recipient": {name: recipient.get(name) for name in SHORTLY},
    }
