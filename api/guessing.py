"""How often somebody may name what is not theirs to see, and how often a citizen may ask at all.

An id that nobody has and one that is another's are answered alike; who names too many of either is
answered nothing for a while, whatever they name.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, Request

from api.callers import Caller
from api.errors import AddressUnknown
from api.parts import serving_of
from api.session import Reader
from commands.errors import NotFound
from commands.principal import Principal
from domain.show_code import ShowCodeUnknown

_MISSES = (AddressUnknown, NotFound, ShowCodeUnknown)


async def _by_token(request: Request, caller: Caller) -> AsyncIterator[None]:
    async with _bounded(request, caller):
        yield


async def _by_session(request: Request, caller: Reader) -> AsyncIterator[None]:
    async with _bounded(request, caller):
        yield


GUESSES = Depends(_by_token)
"""For routers whose addresses name certificates, visits or codes."""
GUESSES_AT_PAGES = Depends(_by_session)
"""Likewise for pages."""


@asynccontextmanager
async def _bounded(request: Request, caller: Principal) -> AsyncIterator[None]:
    """Count what a caller asks for in vain.

    Raises:
        AskedTooOften: There was too much of it.
    """
    serving = serving_of(request)
    if caller.identity is not None:
        serving.citizens.take(caller.subject)
    serving.misses.check(caller.subject)
    try:
        yield
    except _MISSES:
        serving.misses.take(caller.subject)
        raise
