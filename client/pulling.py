"""Pulling messages of the stream of entries over one connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from nats.aio.client import Client as Connection
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from client import feed
from client.continuity import subjects_of
from client.errors import MessageError
from client.feed import FeedServer
from client.message import Delivered, parse

_FETCH = 200
_FORGET_SECONDS = 60.0


class Pull:
    """A pull subscription, for as long as its connection lasts."""

    def __init__(
        self,
        connection: Connection,
        subscription: JetStreamContext.PullSubscription,
        *,
        is_bound: bool,
    ) -> None:
        self._connection = connection
        self._subscription = subscription
        self._is_bound = is_bound

    @classmethod
    @asynccontextmanager
    async def open(
        cls, server: FeedServer, durable: str | None, division: str, after: int
    ) -> AsyncIterator[Self]:
        """Connect and subscribe.

        Args:
            server: Where the feed is.
            durable: A consumer that an administrator made; None for one of our own that is
                forgotten with us.
            division: Zero, two, four or six digits.
            after: Position behind which our own consumer starts.

        Raises:
            nats.errors.Error: No server answers or it refuses us.
            OSError: No server can be reached.
        """
        connection = await feed.connect(server, reconnect=False)
        try:
            js = connection.jetstream(prefix=server.api_prefix)
            if durable is not None:
                subscription = await js.pull_subscribe_bind(durable, feed.ENTRIES)
            else:
                subscription = await js.pull_subscribe(
                    subjects_of(division), stream=feed.ENTRIES, config=_own(after)
                )
            yield cls(connection, subscription, is_bound=durable is not None)
        finally:
            await connection.close()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone."""
        return bool(self._connection.is_closed)

    async def fetch(self, seconds: float) -> list[Msg]:
        """Return the next messages, none if none came in time.

        Args:
            seconds: How long to wait; a fetch hangs through a server's death for as long.
        """
        try:
            messages: list[Msg] = await self._subscription.fetch(_FETCH, timeout=seconds)
        except TimeoutError:
            return []
        return messages

    async def is_quiet(self, until: int) -> bool:
        """Tell whether the stream holds a position and nothing of ours is left before it.

        How far the stream is is not for a subscriber that is bound to an administrator's consumer:
        there it is quiet when nothing is left to be sent.
        """
        if not self._is_bound:
            last = (await self._connection.jetstream().stream_info(feed.ENTRIES)).state.last_seq
            # The end of the stream first: what arrives in between shows as pending.
            if last < until:
                return False
        return (await self._subscription.consumer_info()).num_pending == 0


def _own(after: int) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=after + 1,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=_FORGET_SECONDS,
        mem_storage=True,
        num_replicas=1,
    )


def sequence_of(message: Msg) -> int:
    """Return the stream sequence of a message, which must be its position."""
    return int(message.metadata.sequence.stream)


def read_message(message: Msg) -> Delivered:
    """Read a message of the stream.

    Raises:
        MessageError: It is not what its entry makes it, or lies at another sequence.
    """
    sequence = sequence_of(message)
    delivered = parse(message.subject, message.headers, message.data)
    if delivered.position != sequence:
        raise MessageError(
            "The sequence is not the position.", sequence=sequence, position=delivered.position
        )
    return delivered
