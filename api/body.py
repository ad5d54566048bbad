"""Reading a request body: limits first, then strict JSON, once."""

import asyncio
from typing import Any

from fastapi import Request

from api.errors import (
    BodyTooLarge,
    BodyTooSlow,
    MalformedJson,
    NestedTooDeep,
    UnsupportedMediaType,
)
from ledger.errors import LedgerError
from ledger.jcs import check_depth, parse

MAX_BODY_BYTES = 65_536
MAX_BODY_SECONDS = 15.0
MAX_DEPTH = 32
_CLOSE = {"Connection": "close"}
_LONGEST_LENGTH = 12


async def read_body(
    request: Request,
    *,
    limit: int = MAX_BODY_BYTES,
    seconds: float = MAX_BODY_SECONDS,
    media: str = "application/json",
) -> bytes:
    """The bytes of a body of one media type, not encoded any further.

    The limit is kept while reading, so a body without an honest Content-Length cannot fill memory;
    whoever sends more, or too slowly, loses the connection.

    Raises:
        UnsupportedMediaType, BodyTooLarge, BodyTooSlow: in this order.
    """
    headers = request.headers
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != media or headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType(takes=media)
    declared = headers.get("content-length", "0")
    if len(declared) > _LONGEST_LENGTH or not (declared.isascii() and declared.isdigit()):
        raise BodyTooLarge(_CLOSE, limit=limit)
    if int(declared) > limit:
        raise BodyTooLarge(_CLOSE, limit=limit)
    raw = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > limit:
                    raise BodyTooLarge(_CLOSE, limit=limit)
    except TimeoutError as error:
        raise BodyTooSlow(_CLOSE, seconds=int(seconds)) from error
    return bytes(raw)


def parse_json(raw: bytes) -> Any:
    """JSON values: no floats, no duplicate names, at most 32 levels, no lone surrogates.

    Raises:
        NestedTooDeep, MalformedJson: in this order.
    """
    try:
        check_depth(raw, MAX_DEPTH)
    except LedgerError as error:
        raise NestedTooDeep(limit=MAX_DEPTH) from error
    try:
        return parse(raw, max_depth=MAX_DEPTH)
    except LedgerError as error:
        raise MalformedJson(reason=error.message) from error


async def read_json(request: Request) -> Any:
    """Both."""
    return parse_json(await read_body(request))
