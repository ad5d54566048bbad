"""How the feed is, asked for whoever serves it."""

import time

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

    async def current(self) -> FeedStatus | None:
        """Return how the feed is; None where it does not answer or there is none."""
        if self._server is None:
            return None
        async with self._lock:
            if time.monotonic() >= self._at + _FRESH_SECONDS:
                try:
                    self._status = await look(self._server)
                except UnavailableError:
                    self._status = None
                self._at = time.monotonic()
        return self._status
