"""Noting a read before it is answered (DESIGN section 6)."""

import asyncio
from collections.abc import Collection
from concurrent.futures import Future
from uuid import UUID

from fastapi import Request

from api.errors import MalformedParameter
from api.parts import serving_of
from commands.access import Purpose, read_of
from commands.principal import Principal

PURPOSE = "Access-Purpose"


async def note_read(
    request: Request, caller: Principal, what: str, records: Collection[UUID]
) -> None:
    """Note a read durably; nothing may be answered before this returns.

    Raises:
        MalformedParameter, StoreUnavailable, Backlogged: As `begin_note`.
    """
    await asyncio.wrap_future(begin_note(request, caller, what, records))


def begin_note(
    request: Request, caller: Principal, what: str, records: Collection[UUID]
) -> Future[None]:
    """Begin to note a read; nothing may be answered before its future is done.

    A thread that answers waits for it itself, and the loop is not woken once more.

    The header `Access-Purpose` says why; without it the role's own purpose counts.

    Raises:
        MalformedParameter: The purpose is none of the vocabulary.
        StoreUnavailable, Backlogged: It could not be noted; the former by the future too.
    """
    parts = serving_of(request).parts
    read = read_of(parts.services, caller, what, records, _purpose(request))
    return parts.access.note(read)


def _purpose(request: Request) -> Purpose | None:
    stated = request.headers.get(PURPOSE)
    if stated is None:
        return None
    try:
        return Purpose(stated)
    except ValueError as error:
        raise MalformedParameter(parameter=PURPOSE, one_of=list(Purpose)) from error
