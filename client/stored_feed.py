"""Reading what the feed's stream holds, by position, without subscribing."""

import asyncio
from collections.abc import Sequence
from typing import Self

import nats.errors
from nats.aio.client import Client as Connection
from nats.js.errors import NotFoundError

from client import feed
from client.errors import MessageError, UnavailableError
from client.feed import FeedServer
from client.message import Delivered, parse


class StoredFeed:
    """The stream of entries; a context manager, for it holds a connection.

    Args:
        server: Where it is.
    """

    def __init__(self, server: FeedServer) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self._connection: Connection | None = None

    def read(self, first: int, count: int) -> Sequence[Delivered]:
        """Return messages from a position on, up to the first that is missing or malformed.

        Raises:
            UnavailableError: If the server does not answer.
        """
        try:
            return self._runner.run(self._read(first, count))
        except (nats.errors.Error, OSError) as error:
            raise UnavailableError(url=self._server.url, reason=str(error)) from error

    def extent(self) -> tuple[int, int]:
        """Return how many messages the stream holds, and the last sequence; both 0 without it.

        Raises:
            UnavailableError: If the server does not answer.
        """
        try:
            return self._runner.run(self._extent())
        except (nats.errors.Error, OSError) as error:
            raise UnavailableError(url=self._server.url, reason=str(error)) from error

    async def _extent(self) -> tuple[int, int]:
        connection = await self._connected()
        try:
            state = (await connection.jetstream().stream_info(feed.ENTRIES)).state
        except NotFoundError:
            return 0, 0
        return state.messages, state.last_seq

    async def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = await feed.connect(self._server, reconnect=False)
        return self._connection

    async def _read(self, first: int, count: int) -> Sequence[Delivered]:
        connection = await self._connected()
        messages = (_message(connection, at) for at in range(first, first + count))
        dense: list[Delivered] = []
        for position, found in enumerate(await asyncio.gather(*messages), first):
            if found is None or found.position != position:
                break
            dense.append(found)
        return dense

    def __enter__(self) -> Self:
        """Connect with the first reading."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._runner.run(self._connection.close())
        self._runner.close()


async def _message(connection: Connection, sequence: int) -> Delivered | None:
    try:
        stored = await connection.jetstream().get_msg(feed.ENTRIES, seq=sequence)
        return parse(stored.subject or "", stored.headers, stored.data or b"")
    except (NotFoundError, MessageError):
        return None
