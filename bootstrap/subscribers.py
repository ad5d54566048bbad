"""The administration of subscribers: a durable consumer each, a user, a credentials file."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Self

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from bootstrap.addresses import Addresses
from bootstrap.embedded.nats_users import NatsUsers
from bootstrap.errors import SubscriberExistsError, SubscriberUnknownError
from bootstrap.feed import feed_server
from bootstrap.floors import Floors
from bootstrap.settings import Settings
from client import feed
from client.credentials import Credentials, durable_of, inbox_prefix_of
from client.durables import Durable, account_of, durable_config, durables, read_durable
from client.feed import FeedServer
from client.parked import Parked, parked, retry

_PASSWORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Subscribers:
    """What an administrator does with subscribers.

    Attributes:
        server: Where the feed is, as a user who may use the JetStream API.
        origin: Name of the log.
        floors: What the publisher of this data directory keeps of them.
        users: The users of our own embedded server; None for a server that is not ours, whose
            administrator includes the block that `account_block` returns.
    """

    server: FeedServer
    origin: str
    floors: Floors
    users: NatsUsers | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return those of the server that is set, else of this data directory's.

        Raises:
            NotServingError: If nothing serves from the data directory.
        """
        users = None
        if settings.nats_url is None:
            settings = Addresses.load(settings.data_dir).settings(settings)
            users = NatsUsers((settings.data_dir / "nats").resolve())
        floors = Floors.of(settings.data_dir)
        return cls(feed_server(settings), settings.origin, floors, users)

    async def add(self, name: str, division: str, after: int = 0) -> Credentials:
        """Make a subscriber of a division, which begins behind a position.

        Crash points: the consumer is made first and harms nobody; `rotate` gives the rest.

        Raises:
            ValueError: If the name is not one.
            SubscriberExistsError: If there is one of this name.
            UsersNotReadError: If our server does not read its users.
            nats.errors.Error: If the server does not answer or refuses us.
        """
        durable = durable_of(name)
        async with self._streams() as js:
            with suppress(NotFoundError):
                await js.consumer_info(feed.ENTRIES, durable)
                raise SubscriberExistsError(name)
            await js.add_consumer(feed.ENTRIES, durable_config(durable, division, after))
        return await self._admit(durable, division)

    async def rotate(self, name: str) -> Credentials:
        """Give a subscriber another password at once; the old one ends. Raises as `add`.

        Raises:
            SubscriberUnknownError: If there is none of this name.
        """
        durable = await self.find(name)
        return await self._admit(durable.name, durable.division)

    async def revoke(self, name: str) -> None:
        """End a subscriber: its user first, then its consumer. Raises as `rotate`."""
        durable = await self.find(name)
        if self.users is not None:
            await asyncio.to_thread(self.users.remove, durable.name)
        self.floors.forget(durable.name)
        async with self._streams() as js:
            await js.delete_consumer(feed.ENTRIES, durable.name)
        self.floors.forget(durable.name)  # a publisher may have looked in between

    async def find(self, name: str) -> Durable:
        """Return a subscriber. Raises as `rotate`."""
        durable = durable_of(name)
        async with self._streams() as js:
            try:
                return read_durable(await js.consumer_info(feed.ENTRIES, durable))
            except NotFoundError:
                raise SubscriberUnknownError(name) from None

    async def all(self) -> list[Durable]:
        """Return every consumer that is there, ours or not, by name."""
        async with self._streams() as js:
            return await durables(js)

    async def parked(self, names: list[str]) -> list[Parked]:
        """Return the parked messages of subscribers, of all where none is named."""
        chosen = [await self.find(name) for name in names] or await self.all()
        async with self._streams() as js:
            return [message for durable in chosen for message in await parked(js, durable)]

    async def retry(self, name: str) -> int:
        """Send a subscriber again all that it has not acknowledged; return from where."""
        durable = await self.find(name)
        async with self._streams() as js:
            return await retry(js, durable)

    @asynccontextmanager
    async def _streams(self) -> AsyncIterator[JetStreamContext]:
        connection = await feed.connect(self.server, reconnect=False)
        try:
            yield connection.jetstream()
        finally:
            await connection.close()

    async def _admit(self, durable: str, division: str) -> Credentials:
        made = Credentials(
            url=self.server.url,
            user=durable,
            password=secrets.token_urlsafe(_PASSWORD_BYTES),
            durable=durable,
            inbox_prefix=inbox_prefix_of(durable),
            origin=self.origin,
            division=division,
        )
        if self.users is not None:
            await asyncio.to_thread(self.users.set, durable, made.password)
        return made


def account_block(credentials: Credentials) -> str:
    """Return the subscriber's account as a server's configuration wants it, in `accounts {...}`."""
    durable = credentials.durable
    return json.dumps({durable: account_of(durable, credentials.password)}, indent=1)


def at(credentials: Credentials, url: str) -> Credentials:
    """Return credentials that name the address by which the subscriber reaches the server."""
    return replace(credentials, url=url) if url else credentials
