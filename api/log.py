"""The log over HTTP: checkpoint and hash tiles for everyone, entries for those entitled.

Paths and formats are those of C2SP tlog-tiles; `/envelopes` and `/v1/entries` are ours: the
authors' envelopes beside each entry bundle, and ranges for the feed's repair.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from api.answers import json_response
from api.callers import Caller
from api.errors import AddressUnknown
from api.parameters import MAX_POSITION
from api.parts import Serving, serving_of
from api.proving import Prover
from api.receipts import receipt_body
from bootstrap.policy import with_log_keys
from bootstrap.wiring import signing_keys
from client.key_history import encode_history
from client.sources import encode_envelopes
from commands.errors import Forbidden
from commands.permissions import Scope, check_read
from commands.principal import Principal
from ledger.bundle import BUNDLE_ENTRIES, encode_bundle
from ledger.entry import Entry
from ledger.errors import TileError
from ledger.jcs import canonical
from ledger.merkle import consistency_proof, inclusion_proof
from ledger.signature import VerifierKey
from ledger.store.reading import LogReader, Predecessors
from ledger.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileAddress,
    parse_entries_path,
    parse_tile_path,
    truncate_tile,
)

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=1"
HOUR = "public, max-age=3600"
PRIVATE = "private, no-store"
OCTETS = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"
NDJSON = "application/x-ndjson"
MAX_RANGE = 10_000
PAGE = 1_000

Position = Annotated[int, Path(ge=1, le=MAX_POSITION)]
_Parsed = TypeVar("_Parsed")

router = APIRouter(tags=["log"])


@router.head("/checkpoint", include_in_schema=False)
@router.get("/checkpoint", operation_id="getCheckpoint", response_class=PlainTextResponse)
async def checkpoint(request: Request) -> Response:
    """The newest published checkpoint (C2SP tlog-checkpoint), signed with Ed25519 and ML-DSA-44.

    Beside these stand the cosignatures that witnesses have given for it so far, perhaps none.
    """
    _, note = serving_of(request).prover.newest()
    return Response(note, media_type=TEXT, headers={"Cache-Control": SHORT})


@router.get("/log.vkey", operation_id="getLogKeys", response_class=PlainTextResponse)
async def log_keys(request: Request) -> Response:
    """The log's verifier keys, one a line: Ed25519 (0x01) and ML-DSA-44 (0x06)."""
    keys = await to_thread.run_sync(verifier_keys, serving_of(request))
    lines = "".join(f"{key.text()}\n" for key in keys)
    return Response(lines, media_type=TEXT, headers={"Cache-Control": HOUR})


@router.get("/policy", operation_id="getPolicy", response_class=PlainTextResponse)
async def policy(request: Request) -> Response:
    """A trust policy for this log (C2SP tlog-policy), to be compared with one from elsewhere."""
    serving = serving_of(request)
    keys = await to_thread.run_sync(verifier_keys, serving)
    own = with_log_keys(serving.policy.current(), serving.parts.settings.origin, keys)
    return Response(own.encode(), media_type=TEXT, headers={"Cache-Control": HOUR})


@router.get("/log-keys", operation_id="getLogKeyHistory", response_class=PlainTextResponse)
async def key_history(request: Request) -> Response:
    """The history of the log's keys: whoever trusts a pair finds its successors proven (NDJSON).

    Empty while no key was rotated. Each line has `entry` and `proof`, a C2SP tlog-proof.
    """
    history = await to_thread.run_sync(encode_history, serving_of(request).parts.reader)
    return Response(history, media_type=NDJSON, headers={"Cache-Control": SHORT})


def verifier_keys(serving: Serving) -> tuple[VerifierKey, ...]:
    """The public keys that sign this log's checkpoints: two pairs during a rotation."""
    return signing_keys(serving.parts)


@router.get("/tile/entries/{path:path}", operation_id="getEntryBundle", response_class=Response)
async def entry_bundle(request: Request, caller: Caller, path: str) -> Response:
    """256 entries, or the first W of them: needs a regulator's or an integrator's token."""
    check_whole_log(caller)
    index, width = _parsed(parse_entries_path, f"tile/entries/{path}")
    entries = await to_thread.run_sync(_entries, serving_of(request), index, width)
    return Response(encode_bundle(entries), media_type=OCTETS, headers={"Cache-Control": PRIVATE})


@router.get("/envelopes/{path:path}", operation_id="getEnvelopes", response_class=Response)
async def envelopes(request: Request, caller: Caller, path: str) -> Response:
    """The authors' envelopes of an entry bundle, in its order, each after its length.

    The length is four bytes, big endian. Needs the token that the bundle needs.
    """
    check_whole_log(caller)
    index, width = _parsed(parse_entries_path, f"tile/entries/{path}")
    body = await to_thread.run_sync(_envelopes, serving_of(request), index, width)
    return Response(body, media_type=OCTETS, headers={"Cache-Control": PRIVATE})


@router.head("/tile/{path:path}", include_in_schema=False)
@router.get("/tile/{path:path}", operation_id="getTile", response_class=Response)
async def tile(request: Request, path: str) -> Response:
    """256 hashes of one level, or the first W of them: immutable."""
    level, index, width = _parsed(parse_tile_path, f"tile/{path}")
    prover = serving_of(request).prover
    covered = (index * TILE_WIDTH + width) << TILE_HEIGHT * level
    if level == ENTRIES or covered > await _published(prover, covered):
        raise AddressUnknown
    await _load(prover, [(level, index, width)])
    stored = prover.tiles.find(level, index, width)
    if stored is None:
        raise AddressUnknown
    body = truncate_tile(stored, width)
    return Response(body, media_type=OCTETS, headers={"Cache-Control": IMMUTABLE})


@router.get("/v1/receipts/{position}", operation_id="getReceipt", response_class=Response)
async def receipt(request: Request, caller: Caller, position: Position) -> Response:
    """The receipt of a position: as `text/plain` the bare `.tlog-proof`, else with its entry.

    Under the newest checkpoint that a quorum of witnesses has cosigned, if that covers it; else
    under the newest of all. The entry goes to its author, to the citizen for whom the platform
    signed it, and to regulators and integrators of the whole log; to others it does not exist.
    """
    serving = serving_of(request)
    headers = {"Cache-Control": PRIVATE}
    await _published(serving.prover, position)
    if "text/plain" in request.headers.get("accept", ""):
        proof = serving.prover.prove_at_once(position)
        if proof is None:
            proof = await to_thread.run_sync(serving.prover.prove_witnessed, position)
        return Response(proof.encode(), media_type=TEXT, headers=headers)
    body = await to_thread.run_sync(_receipt, serving, caller, position)
    return json_response(body, headers=headers)


@router.get("/v1/proofs/inclusion", operation_id="getInclusionProof", response_class=Response)
async def inclusion(
    request: Request,
    index: Annotated[int, Query(ge=0, le=MAX_POSITION)],
    size: Annotated[int, Query(ge=1, le=MAX_POSITION)],
) -> Response:
    """The RFC 9162 inclusion proof of a leaf in the tree of some size, as hex hashes.

    The index is the position less one; the leaf's sibling comes first.
    """
    prover = serving_of(request).prover
    await _published(prover, size)
    await _load(prover, prover.needed_for_inclusion(index, size))
    return _proof(inclusion_proof(index, size, prover.tiles.node))


@router.get("/v1/proofs/consistency", operation_id="getConsistencyProof", response_class=Response)
async def consistency(
    request: Request,
    old: Annotated[int, Query(ge=0, le=MAX_POSITION)],
    new: Annotated[int, Query(ge=0, le=MAX_POSITION)],
) -> Response:
    """The RFC 9162 consistency proof between two sizes of the tree, as hex hashes."""
    prover = serving_of(request).prover
    await _published(prover, new)
    await _load(prover, prover.needed_for_consistency(old, new))
    return _proof(consistency_proof(old, new, prover.tiles.node))


@router.get("/v1/entries", operation_id="listEntries", response_class=Response)
async def entries(
    request: Request,
    caller: Caller,
    after: Annotated[int, Query(ge=0, le=MAX_POSITION)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_RANGE)] = PAGE,
) -> Response:
    """Published entries after a position, one `{"position", "entry", "previous"}` a line (NDJSON).

    `previous` holds the newest earlier positions of the entry's `province`, `city` and `county`.
    Integrators of one province, city or county get that division's entries only.
    """
    check_read(caller, "entries", Scope(caller.division))
    reader, division = serving_of(request).parts.reader, caller.division
    lines = (
        _lines_within(reader, division, after, limit) if division else _lines(reader, after, limit)
    )
    return StreamingResponse(lines, media_type=NDJSON, headers={"Cache-Control": PRIVATE})


def check_whole_log(caller: Principal) -> None:
    """Refuse whoever may not read every entry.

    Raises:
        Forbidden: the role or the division does not reach that far.
    """
    check_read(caller, "entries", Scope(caller.division))
    if caller.division:
        raise Forbidden(what="entries", role=str(caller.role))


def _parsed(parse: Callable[[str], _Parsed], path: str) -> _Parsed:
    try:
        return parse(path)
    except TileError as error:
        raise AddressUnknown from error


def _lines(reader: LogReader, after: int, limit: int) -> Iterator[bytes]:
    last = after + limit
    while after < last:
        page = reader.entries(after + 1, min(PAGE, last - after))
        if not page:
            return
        previous = reader.previous_many(after + 1, page[-1][0])
        for position, raw, _ in page:
            yield _line(position, raw, previous[position])
        after = page[-1][0]


def _lines_within(reader: LogReader, division: str, after: int, limit: int) -> Iterator[bytes]:
    last = after + limit
    while after < last:
        page = reader.entries_within(division, after + 1, last, PAGE)
        previous = reader.previous_of([position for position, _, _ in page])
        for position, raw, _ in page:
            yield _line(position, raw, previous[position])
        after = page[-1][0] if len(page) == PAGE else last


def _line(position: int, raw: bytes, previous: Predecessors) -> bytes:
    names = dict(zip(("province", "city", "county"), previous, strict=True))
    return canonical({"position": position, "entry": raw.decode(), "previous": names}) + b"\n"


def _receipt(serving: Serving, caller: Principal, position: int) -> dict[str, object]:
    entry = serving.parts.reader.entry(position)
    if not _may_have(serving, caller, Entry.decode(entry)):
        raise AddressUnknown
    return receipt_body(position, entry, serving.prover.prove_witnessed(position))


def _may_have(serving: Serving, caller: Principal, entry: Entry) -> bool:
    if caller.organisation is not None and entry.author.org == str(caller.organisation):
        return True
    if caller.identity is not None:
        console = serving.parts.desk.certificates
        return entry.topic.startswith("certificate.") and console.use.holds(caller, entry.stream)
    try:
        check_whole_log(caller)
    except Forbidden:
        return False
    return True


def _entries(serving: Serving, index: int, width: int) -> list[bytes]:
    if index * BUNDLE_ENTRIES > MAX_POSITION:
        raise AddressUnknown
    page = serving.parts.reader.entries(index * BUNDLE_ENTRIES + 1, width)
    if len(page) < width:
        raise AddressUnknown
    return [raw for _, raw, _ in page]


def _envelopes(serving: Serving, index: int, width: int) -> bytes:
    digests = [Entry.decode(raw).author.envelope for raw in _entries(serving, index, width)]
    found = serving.parts.reader.envelopes(digests)
    if not found.keys() >= set(digests):
        raise AddressUnknown
    return encode_envelopes(found[digest] for digest in digests)


async def _published(prover: Prover, size: int) -> int:
    """How far the newest checkpoint reaches; another process may have shown a newer one already."""
    known, _ = prover.newest()
    return known if size <= known else await to_thread.run_sync(prover.refresh)


async def _load(prover: Prover, needed: Sequence[TileAddress]) -> None:
    """Have tiles at hand: mostly they are, and then no thread is asked."""
    if prover.tiles.missing(needed):
        await to_thread.run_sync(prover.tiles.load, needed)


def _proof(hashes: Sequence[bytes]) -> Response:
    """A proof between published trees is the same for ever."""
    body = {"hashes": [digest.hex() for digest in hashes]}
    return json_response(body, headers={"Cache-Control": IMMUTABLE})
