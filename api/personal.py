"""Personal values for those entitled: what entries have sealed, noted first, then opened.

A subscriber of the feed asks here for what it may know beyond the entries. An item that cannot be
answered is named with the problem that it would be alone.
"""

from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from anyio import to_thread
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import json_response
from api.body import parse_json, read_body
from api.callers import Caller
from api.errors import AddressUnknown, MalformedParameter, SealingKeyMissing
from api.noting import PURPOSE, note_read
from api.parameters import AtLeast, wait_for_views
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from api.schemas import PersonalRequest
from client.personal import ADDRESS, SUITE, context
from commands.access import Purpose
from commands.errors import Erased, Forbidden, Restricted
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.states import states_of
from domain.protection import State
from ledger.hpke import seal_to
from projections.change import read_change

_REFUSED = {State.RESTRICTED: Restricted.code, State.SHREDDED: Erased.code}

router = APIRouter(tags=["records"])


@dataclass(frozen=True, slots=True)
class _Found:
    """What may be opened: records of positions; and why the other items may not."""

    records: Mapping[int, UUID]
    refused: Mapping[int | UUID, str]


@router.post(
    ADDRESS,
    operation_id="openPersonal",
    response_class=Response,
    openapi_extra={
        "parameters": [
            {
                "name": PURPOSE,
                "in": "header",
                "required": True,
                "description": "Why, for the access journal.",
                "schema": {"enum": list(Purpose)},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/PersonalRequest"}}
            },
        },
    },
)
async def open_personal(request: Request, caller: Caller, at_least: AtLeast = 0) -> Response:
    """The personal values that entries have sealed, by position or by record.

    For integrators and regulators, of records that lie in their divisions now. Each record is
    noted in the access journal before its values are answered. Where the installation has a file
    of integrators' keys, the answer is sealed to the caller's (HPKE), and there is no other.
    """
    check_read(caller, "personal", Scope(caller.division))
    if PURPOSE not in request.headers:
        raise MalformedParameter(parameter=PURPOSE, one_of=list(Purpose))
    serving = serving_of(request)
    key = _key_of(serving, caller)
    raw = await read_body(request)
    asked = PersonalRequest.read(parse_json(raw))
    published = await to_thread.run_sync(serving.parts.reader.published)
    await wait_for_views(request, max(at_least, min(published, max(asked.positions, default=0))))
    found = await to_thread.run_sync(_find, serving, caller, asked, limiter=serving.threads)
    await note_read(request, caller, "personal", sorted(set(found.records.values())))
    body = await to_thread.run_sync(_answer, serving, found, limiter=serving.threads)
    if key is not None:
        info = context(serving.parts.settings.origin, raw)
        sealed = seal_to(key, info, orjson.dumps(body))
        body = {"suite": SUITE, "sealed": b64encode(sealed).decode()}
    return json_response(body, headers=NO_STORE)


def _key_of(serving: Serving, caller: Principal) -> X25519PublicKey | None:
    """The key to seal to; None where the installation answers in clear."""
    keys = serving.personal_keys
    key = keys.of(caller.organisation)
    if key is None and keys.is_required:
        raise SealingKeyMissing
    return key


def _find(serving: Serving, caller: Principal, asked: PersonalRequest) -> _Found:
    views = serving.views.records
    if asked.records:
        wanted = {UUID(record) for record in asked.records}
        refused = _refused(serving, caller, wanted)
        return _Found(views.positions_of(wanted - refused.keys()), refused)
    about = views.records_of(asked.positions)
    by_record = _refused(serving, caller, set(about.values()))
    items = {
        position: by_record.get(about[position]) if position in about else AddressUnknown.code
        for position in asked.positions
    }
    return _Found(
        {position: about[position] for position, reason in items.items() if reason is None},
        {position: reason for position, reason in items.items() if reason is not None},
    )


def _refused(
    serving: Serving, caller: Principal, records: Collection[UUID]
) -> dict[int | UUID, str]:
    """Why records are not opened; one out of scope is not said to exist."""
    states = states_of(serving.parts.reader, records)
    refused: dict[int | UUID, str] = {record: _REFUSED[state] for record, state in states.items()}
    for record in records:
        if not _is_in_scope(serving, caller, record):
            refused[record] = AddressUnknown.code
    return refused


def _is_in_scope(serving: Serving, caller: Principal, record: UUID) -> bool:
    row = serving.views.records.get(record)
    if row is None:
        return False
    try:
        check_read(caller, "personal", Scope(row.division))
    except Forbidden:
        return False
    return True


def _answer(serving: Serving, found: _Found) -> dict[str, Any]:
    parts = serving.parts
    rows = parts.reader.entries_at(list(found.records)) if found.records else []
    changes = [read_change(position, raw) for position, raw, _ in rows]
    signed = {change.position: change.entry.author.envelope for change in changes}
    envelopes = parts.reader.envelopes(set(signed.values()))
    return {
        "parts": [
            {
                "position": position,
                "record": found.records[position],
                "person": person,
                "values": part and part.values,
                "r": part and part.r.hex(),
                "envelope": envelopes.get(signed[position], b"").decode() or None,
            }
            for (position, person), part in parts.vault.unseal_parts(changes).items()
        ],
        "refused": [{"item": item, "reason": reason} for item, reason in found.refused.items()],
    }
