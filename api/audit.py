"""The audit of a record: its trail as JSON, and the dossier that proves it offline."""

from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from api.answers import json_response
from api.callers import Caller
from api.clocks import AsOf
from api.dossier import Dossier
from api.noting import note_read
from api.parameters import MAX_POSITION
from api.parts import serving_of
from api.reads import MAX_PAGE, NO_STORE, read_together, readable
from api.trail import trail

JSON = "application/json"

router = APIRouter(prefix="/v1/records", tags=["records"])


@router.get("/{record}/audit", operation_id="getAudit", response_class=Response)
async def get_audit(
    request: Request,
    caller: Caller,
    record: UUID,
    as_of: AsOf,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 200,
) -> Response:
    """The trail of a record: who wrote, for which organisation, when and why, before and after.

    Lines of records that were merged into it are part of it, as long as they are; `record` of a
    line says whose it is.
    Each signature is checked with the key that was valid at its position. `receipt` is where an
    entry's proof is found. `Link: rel="next"` leads on.
    """
    serving = serving_of(request)
    row = await to_thread.run_sync(readable, serving, caller, record)
    records = await to_thread.run_sync(read_together, serving, row, as_of)
    await note_read(request, caller, "audit", records)
    position = serving.projected.reached if as_of.position is None else as_of.position

    def read() -> list[dict[str, Any]]:
        return trail(serving, records, up_to=position, after=after, limit=limit)

    lines = await to_thread.run_sync(read, limiter=serving.threads)
    headers = dict(NO_STORE)
    if len(lines) == limit:
        last = lines[-1]["position"]
        address = f"/v1/records/{record}/audit?after={last}&limit={limit}&known_at={position}"
        headers["Link"] = f'<{address}>; rel="next"'
    body = {"record": record, "position": position, "lines": lines}
    return json_response(body, headers=headers)


@router.get("/{record}/dossier", operation_id="getDossier", response_class=Response)
async def get_dossier(request: Request, caller: Caller, record: UUID, as_of: AsOf) -> Response:
    """Every entry about a record with its envelope and `.tlog-proof`, and its authors' keys.

    With those of records that were merged into it then. `vaxledger record verify FILE` checks it
    offline. However many entries there are, all of them come.
    """
    serving = serving_of(request)
    row = await to_thread.run_sync(readable, serving, caller, record)
    records = await to_thread.run_sync(read_together, serving, row, as_of)
    await note_read(request, caller, "dossier", records)
    found = await to_thread.run_sync(
        Dossier.of, serving, records, as_of.position, limiter=serving.threads
    )
    name = f'attachment; filename="{record}.dossier.json"'
    return StreamingResponse(
        found.text(), headers=NO_STORE | {"Content-Disposition": name}, media_type=JSON
    )
