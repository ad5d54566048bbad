"""Everything that a key has signed: what a regulator asks when a key was lost or stolen."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from api.callers import Caller
from api.log import MAX_RANGE, NDJSON, PAGE, PRIVATE
from api.parameters import MAX_POSITION
from api.parts import serving_of
from commands.permissions import Scope, check_read
from commands.principal import Principal
from ledger.entry import Entry, encode_time
from ledger.jcs import canonical
from ledger.store.reading import LogReader

router = APIRouter(tags=["log"])

KeyId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("/v1/keys/{keyid}/entries", operation_id="listEntriesOfKey", response_class=Response)
async def entries_of_key(
    request: Request,
    caller: Caller,
    keyid: KeyId,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_RANGE)] = PAGE,
) -> Response:
    """What a key has signed after a position, a JSON object a line, oldest first (NDJSON).

    For regulators, of their division, and for the operator. Fewer lines than `limit` are the last;
    else ask again after the last line's `position`. The leaf hash leads to the receipt.
    """
    check_read(caller, "signatures", Scope(caller.division))
    lines = _lines(serving_of(request).parts.reader, caller, keyid, (after, limit))
    return StreamingResponse(lines, media_type=NDJSON, headers={"Cache-Control": PRIVATE})


def _lines(
    reader: LogReader, caller: Principal, keyid: str, wanted: tuple[int, int]
) -> Iterator[bytes]:
    after, left = wanted
    while left and (page := reader.signed_by(keyid, after, PAGE)):
        for position, raw, leaf in page:
            after = position
            entry = Entry.decode(raw)
            if left and caller.is_within(entry.division):
                left -= 1
                yield canonical(_line(position, entry, leaf)) + b"\n"


def _line(position: int, entry: Entry, leaf: bytes) -> dict[str, object]:
    return {
        "position": position,
        "topic": entry.topic,
        "stream": str(entry.stream),
        "organisation": entry.author.org,
        "recorded_at": encode_time(entry.recorded_at),
        "leaf": leaf.hex(),
    }
