"""Where a record stands: what whoever decides about it needs, and nothing personal."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import etag, json_response
from api.callers import Caller
from api.errors import AddressUnknown
from api.parts import Serving, serving_of
from api.reads import NO_STORE
from commands.errors import Forbidden, NotFound
from commands.papers import papers_of
from commands.permissions import Scope, check_read
from commands.principal import Principal
from commands.reading import Reading
from domain.shredding import Retention
from domain.vaccination_record import VaccinationRecord

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.get("/{record}/protection", operation_id="getProtection", response_class=Response)
async def get_protection(request: Request, caller: Caller, record: UUID) -> Response:
    """Whether a record may be processed, until when it and its school papers are kept, what waits.

    It answers also for a record that is restricted or shredded. The entity tag is the stream's
    version, for `If-Match`.
    """
    serving = serving_of(request)
    found, kept = await to_thread.run_sync(
        _stored, serving, caller, record, limiter=serving.threads
    )
    return json_response(_answer(found, kept), headers=NO_STORE | {"ETag": etag(found.version)})


def _stored(
    serving: Serving, caller: Principal, record: UUID
) -> tuple[VaccinationRecord, Retention]:
    services = serving.parts.services
    reading = Reading(services=services, recorded_at=services.clock())
    try:
        found = reading.stored(VaccinationRecord, record)
        check_read(caller, "record", Scope(found.division, managing=found.managing_organisation))
    except (NotFound, Forbidden) as error:
        raise AddressUnknown from error
    return found, Retention.of(found, papers_of(reading, found))


def _answer(record: VaccinationRecord, kept: Retention) -> Mapping[str, Any]:
    protection = record.protection
    return {
        "record": record.id,
        "version": record.version,
        "state": protection.state,
        "changed_on_version": protection.changed_on_version,
        "request": asdict(protection.request) if protection.request else None,
        "retention_until": kept.retention_until,
        "register_until": kept.register_until,
        "has_statement": bool(kept.has_statement),
    }
