"""Those who come while others are served, and are served next, together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 64
"""Served at once: some tens of milliseconds, and what is held of them stays bounded."""


class Gathering(Generic[T]):
    """Serves all who wait at once, then all who came meanwhile; alone one waits for nobody.

    Args:
        serve: Serves some of them, in the order they came, and answers each, whatever happens.
    """

    def __init__(self, serve: Callable[[list[T]], Awaitable[None]]) -> None:
        self._serve = serve
        self._waiting: deque[T] = deque()
        self._serving: asyncio.Task[None] | None = None

    def join(self, one: T) -> None:
        """Let one wait to be served; who joins in the same turn of the loop is served with it."""
        self._waiting.append(one)
        if self._serving is None:
            self._serving = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), MOST)
                await self._serve([self._waiting.popleft() for _ in range(count)])
        finally:
            self._serving = None
