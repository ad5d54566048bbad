"""How the feed is, asked for whoever serves it."""

import time
from collections.abc import Mapping

from anyio import Lock

from client.errors import UnavailableError
from client.feed import FeedServer
from client.feed_status import FeedStatus, look

_FRESH_SECONDS = 2.0


class FeedWatch:
    """Asks the feed how it is, at most every two seconds however many want to know.

    Args:
        server: Where the feed is; None where there is none.
    """

    def __init__(self, server: FeedServer | None) -> None:
        self._server = server
        self._lock = Lock()
        self._at = float("-inf")
        self._status: FeedStatus | None = None
        self._before: tuple[float, FeedStatus] | None = None

    async def current(self) -> FeedStatus | None:
        """Return how the feed is; None where it does not answer or there is none."""
        if self._server is None:
            return None
        async with self._lock:
            if time.monotonic() >= self._at + _FRESH_SECONDS:
                if self._status is not None:
                    self._before = self._at, self._status
                try:
                    self._status = await look(self._server)
                except UnavailableError:
                    self._status = None
                self._at = time.monotonic()
        return self._status

    async def rates(self) -> Mapping[str, float]:
        """Return how many messages a second each consumer acknowledged between the last two looks.

        A consumer of which there are not two looks yet is left out.
        """
        status = await self.current()
        if status is None or self._before is None:
            return {}
        before_at, before = self._before
        seconds = self._at - before_at
        known = {one.durable.name: one.durable.acknowledged for one in before.subscribers}
        return {
            one.durable.name: max(0, one.durable.acknowledged - known[one.durable.name]) / seconds
            for one in status.subscribers
            if one.durable.name in known
        }
