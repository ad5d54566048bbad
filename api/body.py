"""Reading a request body: limits first, then strict JSON, once."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from fastapi import Request

from api.errors import (
    BodyTooLarge,
    BodyTooSlow,
    MalformedJson,
    NestedTooDeep,
    UnsupportedMediaType,
)
from api.parts import serving_of
from ledger.errors import LedgerError, TooDeepError
from ledger.jcs import check_depth, parse

MAX_BODY_BYTES = 65_536
MAX_BODY_SECONDS = 15.0
MAX_DEPTH = 32
MAX_CONTAINERS = 1_024
"""Arrays and objects of a body: what is all brackets takes fifty times as long to read as text. A
class list has 501, a history of a hundred doses some 300."""
SMALL_BODY_BYTES = 4_096
"""Up to here a body is read at once: going to a thread would cost more."""
_CLOSE = {"Connection": "close"}
_LONGEST_LENGTH = 12

T = TypeVar("T")


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
        NestedTooDeep: It has more levels.
        MalformedJson: It is not of this kind, or has more than 1,024 arrays and objects.
    """
    try:
        if raw.count(b"[") + raw.count(b"{") > MAX_CONTAINERS:
            check_depth(raw[:SMALL_BODY_BYTES], MAX_DEPTH)  # which says more, where it is that
            raise MalformedJson(reason=f"more than {MAX_CONTAINERS} arrays and objects")
        return parse(raw, max_depth=MAX_DEPTH)
    except TooDeepError as error:
        raise NestedTooDeep(limit=MAX_DEPTH) from error
    except LedgerError as error:
        raise MalformedJson(reason=error.message) from error


async def read_json(request: Request) -> Any:
    """Both."""
    return await parse_aside(request, parse_json, await read_body(request))


async def parse_aside(request: Request, parse_raw: Callable[[bytes], T], raw: bytes) -> T:
    """Parse what is small here, what is large in a thread."""
    if len(raw) <= SMALL_BODY_BYTES:
        return parse_raw(raw)
    return await serving_of(request).aside.run(partial(parse_raw, raw))
