"""Noting a read before it is answered (DESIGN section 6)."""

import asyncio
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import NamedTuple
from uuid import UUID

from fastapi import Request

from api.errors import MalformedParameter
from api.parts import Serving, serving_of
from commands.access import Purpose, read_of
from commands.principal import Principal

PURPOSE = "Access-Purpose"


class Noted(NamedTuple):
    """Who reads what of which records, and why; without a purpose the role's own counts."""

    caller: Principal
    what: str
    records: Collection[UUID]
    purpose: Purpose | None


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
    read = read_of(parts.services, caller, what, records, purpose_of(request))
    return parts.access.note(read)


def note_each(serving: Serving, reads: Sequence[Noted]) -> Future[None] | None:
    """Begin to note many reads as one; None where there is nothing to note.

    Raises:
        StoreUnavailable, Backlogged: They could not be noted; the former by the future too.
    """
    parts = serving.parts
    rows = [read_of(parts.services, *one) for one in reads]
    return parts.access.note(*rows) if rows else None


def purpose_of(request: Request) -> Purpose | None:
    """What a request states as its purpose; None where it states none.

    Raises:
        MalformedParameter: The purpose is none of the vocabulary.
    """
    stated = request.headers.get(PURPOSE)
    if stated is None:
        return None
    try:
        return Purpose(stated)
    except ValueError as error:
        raise MalformedParameter(parameter=PURPOSE, one_of=list(Purpose)) from error
