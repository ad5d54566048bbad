"""Following the stream alone: every message checked in itself, gaps repaired.

    async for event in Subscription(server, after=stored_position).events():
        ...  # store event.position together with what you make of it
        await event.ack()

Each message must be exactly what its entry, its position and its chain make it, at the sequence
that is its position. What is missing or altered is read again over HTTP, from the log itself. That
an entry lies in the signed tree is not shown here: whoever stores an effect uses ``client.follow``.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import nats.errors
from nats.aio.msg import Msg

from client.continuity import Continuity, Place
from client.errors import FeedGapError, MessageError
from client.feed import FeedServer
from client.message import Delivered
from client.pulling import Pull, read_message, sequence_of
from client.served import ServedLog
from ledger.entry import Entry
from ledger.errors import EntryError
from ledger.hashing import leaf_hash

_FETCH_SECONDS = 4.0  # a fetch hangs through a server's death for as long as it may last
_LAST_FETCH_SECONDS = 1.0
_RETRY_SECONDS = 0.2

Repair = Callable[[int, int], Awaitable[Sequence[tuple[int, bytes]]]]
"""Returns position and entry of all a subscriber may see beyond one position, up to another."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry, in order and once.

    Attributes:
        position: Place in the log.
        entry: The entry.
        raw: Its bytes.
        leaf: Their leaf hash.
        repaired: Whether it came over HTTP because the stream did not have it.
    """

    position: int
    entry: Entry
    raw: bytes
    leaf: bytes
    repaired: bool
    _message: Msg | None = None

    async def ack(self) -> None:
        """Tell a durable consumer that the effect of this event is stored."""
        if self._message is not None and self._message.reply:
            await self._message.ack()


class Subscription:
    """A pull subscription to a division.

    Args:
        server: Where the feed is.
        continuity: Division, and the position that the caller has stored.
        durable: Name of a consumer that an administrator made; None for one of our own that
            starts behind the stored position and is forgotten with us.
        repair: Reads what the stream has lost; None to stop there.
    """

    def __init__(
        self,
        server: FeedServer,
        continuity: Continuity | None = None,
        *,
        durable: str | None = None,
        repair: Repair | None = None,
    ) -> None:
        self._server = server
        self._continuity = continuity or Continuity()
        self._durable = durable
        self._repair = repair
        self._ended = False
        self.duplicates = 0
        self.repaired = 0

    async def events(self, until: int | None = None) -> AsyncGenerator[Event, None]:
        """Yield events, through every loss of the server.

        Args:
            until: Last position wanted; ends there, or where the division ends before it (with an
                administrator's consumer, where nothing is left to be sent). None for ever.

        Raises:
            MessageError: If a message is not what its entry makes it and cannot be repaired.
            FeedGapError: If entries are missing and cannot be repaired.
        """
        self._ended = False
        while not (self._ended or self._has_reached(until)):
            try:
                async with (
                    Pull.open(
                        self._server,
                        self._durable,
                        self._continuity.division,
                        self._continuity.last,
                    ) as pull,
                    aclosing(self._receive(pull, until)) as events,
                ):
                    async for event in events:
                        yield event
            except (nats.errors.Error, OSError):
                await asyncio.sleep(_RETRY_SECONDS)

    async def _receive(self, pull: Pull, until: int | None) -> AsyncGenerator[Event, None]:
        """Yield events over one connection, for as long as it lasts."""
        patience = _FETCH_SECONDS if until is None else _LAST_FETCH_SECONDS
        while not pull.is_closed:
            messages = await pull.fetch(patience)
            for message in messages:
                for event in await self._accept(message):
                    if until is None or event.position <= until:
                        yield event
                if self._has_reached(until):
                    return
            if not messages and until is not None and await pull.is_quiet(until):
                self._ended = True
                return

    def _has_reached(self, until: int | None) -> bool:
        return until is not None and self._continuity.last >= until

    async def _accept(self, message: Msg) -> list[Event]:
        """Return what a message brings: itself, nothing if it was seen, or what was missing too."""
        sequence = sequence_of(message)
        try:
            delivered = read_message(message)
        except MessageError as error:
            # The stream holds something else than the log: the log says what belongs here.
            return await self._replace(message, sequence, error)
        place = self._continuity.place(delivered)
        if place is Place.SEEN:
            return await self._skip(message)
        events: list[Event] = []
        if place is Place.AFTER_GAP:
            events = await self._recover(self._continuity.previous(delivered), complete=True)
        self._continuity.accept(delivered.position)
        return [*events, Event(*_parts(delivered), repaired=False, _message=message)]

    async def _skip(self, message: Msg) -> list[Event]:
        self.duplicates += 1
        if message.reply:
            await message.ack()
        return []

    async def _replace(self, message: Msg, sequence: int, error: MessageError) -> list[Event]:
        """Return what should have come instead of an unreadable message, or raise on."""
        if sequence <= self._continuity.last:
            return await self._skip(message)
        if self._repair is None:
            raise error
        events = await self._recover(sequence, complete=not self._continuity.division)
        if events:
            events[-1] = replace(events[-1], _message=message)
        return events

    async def _recover(self, upto: int, *, complete: bool) -> list[Event]:
        """Read entries up to a position over HTTP; ``complete`` if that one must be among them."""
        after = self._continuity.last
        if self._repair is None:
            raise FeedGapError("Messages are missing.", after=after, upto=upto)
        events = [_event(position, raw) for position, raw in await self._repair(after, upto)]
        positions = [event.position for event in events]
        ordered = positions == sorted(set(positions))
        within = not positions or (after < positions[0] and positions[-1] <= upto)
        dense = bool(self._continuity.division) or len(positions) == upto - after
        if not (ordered and within and dense) or (complete and positions[-1:] != [upto]):
            raise FeedGapError("The log did not bring what is missing.", after=after, upto=upto)
        if any(not e.entry.division.startswith(self._continuity.division) for e in events):
            raise FeedGapError("The log brought another division's.", after=after, upto=upto)
        for position in positions:
            self._continuity.accept(position)
        self.repaired += len(events)
        return events


class HttpRepair:
    """Reads missing entries from the log's server.

    Args:
        log: With the token of an integrator or regulator.
    """

    def __init__(self, log: ServedLog) -> None:
        self._log = log

    async def __call__(self, after: int, upto: int) -> list[tuple[int, bytes]]:
        """Return position and entry of what the caller may see in (after, upto].

        Raises as ``ServedLog.entries``.
        """
        return [(row.position, row.raw) for row in await self._log.entries(after, upto)]


def _parts(delivered: Delivered) -> tuple[int, Entry, bytes, bytes]:
    return delivered.position, delivered.entry, delivered.raw, delivered.leaf


def _event(position: int, raw: bytes) -> Event:
    try:
        return Event(position, Entry.decode(raw), raw, leaf_hash(raw), repaired=True)
    except EntryError as error:
        raise FeedGapError("The log brought something else.", position=position) from error
