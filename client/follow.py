"""Following a log to its end and on: every entry once, in order, proven, whatever the feed does.

    follower = Follower(Access.load(path), memory, alarm)
    async for batch in follower.batches():       # or, blocking: for batch in follow(follower)
        ...  # the effect of batch.events and batch.memory, stored in ONE transaction

The stream is the fast way and the log's server the other one. What was missed before the first
message, what lies far behind, and whatever the stream lost, altered or reordered is read from the
server. Nothing is handed on before a signed checkpoint covers it, and no position twice. A batch
is acknowledged to the stream when the next one is asked for, that is after its effect is stored;
one that comes again is recognised by its position.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import nats.errors
from nats.aio.msg import Msg

from client.access import Access
from client.batch import Alarm, Batch, Event
from client.confirming import Confirmer
from client.continuity import Place
from client.errors import (
    FeedGapError,
    MessageError,
    ProblemError,
    RefutedError,
    UnavailableError,
)
from client.message import Delivered
from client.pulling import Pull, read_message, sequence_of
from client.remembering import Memory
from client.served import PAGE, ServedLog
from client.verify import KNOWN, SIGNED

_FETCH_SECONDS = 2.0
_LAST_FETCH_SECONDS = 0.5
_RETRY_SECONDS = 0.5
_COVER_SECONDS = 0.1
_COVER_TRIES = 20
_RECENT = 4_096
_PASSING = (404, 500)
"""What a server answers that lags behind another of the same log, or has trouble of its own."""


@dataclass(slots=True)
class _Received:
    """What a fetch brought: the new entries, and how far to read if they are not all."""

    rows: list[Delivered] = field(default_factory=list)
    upto: int = 0
    flawed: bool = False


class Follower:
    """Follows one division of one log.

    Args:
        access: How to reach it.
        memory: What the last run stored; None for one who has seen nothing.
        alarm: Told of everything that was refused; must not block for long.

    Attributes:
        duplicates: Messages that came again and were recognised.
        repaired: Entries that came from the log's server.
    """

    def __init__(
        self,
        access: Access,
        memory: Memory | None = None,
        alarm: Callable[[Alarm], None] = lambda _alarm: None,
    ) -> None:
        self._access = access
        self._log = ServedLog(access.caller)
        self._confirmer = Confirmer(self._log, memory or access.new_memory())
        self._alarm = alarm
        self._raised: set[str] = set()
        self._recent: dict[int, bytes] = {}
        self._until: int | None = None
        self.duplicates = 0
        self.repaired = 0

    @property
    def memory(self) -> Memory:
        """As of the newest batch."""
        return self._confirmer.memory

    async def batches(self, until: int | None = None) -> AsyncGenerator[Batch, None]:
        """Yield batches, through every loss of either server.

        Args:
            until: Last position wanted, None for ever.

        Raises:
            RefutedError: The log does not hold: it forked, or does not bring what it signed. A
                human decides; the alarm was raised before.
            ProblemError: The log's server refuses the caller, as when the token has expired.
        """
        self._until = until
        try:
            while not self._is_done():
                try:
                    async with aclosing(self._round()) as batches:
                        async for batch in batches:
                            yield batch
                except RefutedError as error:
                    self._judge(error)
                    await asyncio.sleep(_RETRY_SECONDS)
                except ProblemError as error:
                    if error.status not in _PASSING:
                        raise
                    await asyncio.sleep(_RETRY_SECONDS)
                except (nats.errors.Error, UnavailableError, OSError):
                    await asyncio.sleep(_RETRY_SECONDS)
        finally:
            await self._log.close()

    async def _round(self) -> AsyncGenerator[Batch, None]:
        """Catch up with the server, then follow the stream for as long as it brings all."""
        await self._confirmer.renew()
        self._raised -= {"checkpoint-not-trusted", "rolled-back"}
        async with aclosing(self._read_on(self._confirmer.size)) as batches:
            async for batch in batches:
                yield batch
        if self._is_done():
            return
        place, division = self._access, self.memory.division
        async with (
            Pull.open(place.server, place.durable, division, self.memory.position) as pull,
            aclosing(self._pull(pull)) as batches,
        ):
            async for batch in batches:
                yield batch

    async def _pull(self, pull: Pull) -> AsyncGenerator[Batch, None]:
        patience = _FETCH_SECONDS if self._until is None else _LAST_FETCH_SECONDS
        while not (pull.is_closed or self._is_done()):
            messages = await pull.fetch(patience)
            if not messages:
                # The server says whether there was nothing, or the stream has lost it.
                await self._confirmer.renew()
                brought = self.repaired
                async with aclosing(self._read_on(self._confirmer.size)) as batches:
                    async for batch in batches:
                        yield batch
                if self.repaired > brought:
                    return  # to subscribe anew: our consumer may have gone with the old stream
                continue
            async with aclosing(self._accept(self._receive(messages))) as batches:
                async for batch in batches:
                    yield batch
            for message in messages:
                if message.reply:
                    await message.ack()

    def _receive(self, messages: Sequence[Msg]) -> _Received:
        """Read messages as far as they follow each other."""
        received, last = _Received(), self.memory.position
        for message in messages:
            sequence = sequence_of(message)
            try:
                row = read_message(message)
                place = self._confirmer.place(row)
            except (MessageError, FeedGapError) as error:
                self._alert("message-refused", sequence, str(error))
                received.flawed = True
                received.upto = max(received.upto, sequence)
                continue
            if place is Place.SEEN or row.position <= last:
                self._recognise(row)
                continue
            if self._confirmer.previous(row) > last:
                self._alert("message-missing", row.position)
                received.flawed = True
            received.rows.append(row)
            received.upto = max(received.upto, row.position)
            last = row.position
        return received

    def _recognise(self, row: Delivered) -> None:
        self.duplicates += 1
        if self._recent.get(row.position, row.leaf) != row.leaf:
            self._alert("redelivery-altered", row.position)

    async def _accept(self, received: _Received) -> AsyncGenerator[Batch, None]:
        """Confirm what a fetch brought, or read it from the server where it does not hold."""
        await self._cover(received)
        upto = self._bounded(received.upto)
        if not received.flawed and upto > self.memory.position:
            rows = [row for row in received.rows if row.position <= upto]
            try:
                await self._confirmer.confirm(rows, upto)
            except (RefutedError, FeedGapError) as error:
                self._alert("message-altered", rows[0].position, str(error))
            else:
                self._raised.clear()
                yield self._batch(rows, rows)
        async with aclosing(self._read_on(upto, received.rows)) as batches:
            async for batch in batches:
                yield batch

    async def _cover(self, received: _Received) -> None:
        """Wait a little for the checkpoint of the newest message: the stream may be faster."""
        for _ in range(_COVER_TRIES):
            if received.upto <= self._confirmer.size:
                return
            await self._confirmer.renew()
            if received.upto > self._confirmer.size:
                await asyncio.sleep(_COVER_SECONDS)
        self._alert("ahead-of-the-log", received.upto)
        received.flawed = True

    async def _read_on(
        self, upto: int, streamed: Sequence[Delivered] = ()
    ) -> AsyncGenerator[Batch, None]:
        """Read from the server what lies between the memory and a position."""
        upto = self._bounded(upto)
        while self.memory.position < upto:
            end = min(self.memory.position + PAGE, upto)
            try:
                division = self.memory.division
                rows = await self._log.entries(self.memory.position, end, division)
                await self._confirmer.confirm(rows, end)
            except FeedGapError as error:
                self._alert("log-incomplete", self.memory.position + 1, str(error))
                raise UnavailableError(reason=str(error)) from error
            yield self._batch(rows, streamed)

    def _batch(self, rows: Sequence[Delivered], streamed: Sequence[Delivered]) -> Batch:
        by_stream = {(row.position, row.leaf) for row in streamed}
        events = tuple(
            Event(
                row.position,
                row.entry,
                row.raw,
                row.leaf,
                (row.position, row.leaf) not in by_stream,
            )
            for row in rows
        )
        self.repaired += sum(event.repaired for event in events)
        self._recent |= {row.position: row.leaf for row in rows}
        while len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        return Batch(events, self.memory, self._confirmer.witnessed)

    def _bounded(self, upto: int) -> int:
        size = min(upto, self._confirmer.size)
        return size if self._until is None else min(size, self._until)

    def _is_done(self) -> bool:
        return self._until is not None and self.memory.position >= self._until

    def _judge(self, error: RefutedError) -> None:
        """Raise an alarm, and the error too unless a later checkpoint may put it right."""
        self._alert(error.reason, error.position, str(error), **error.fields)
        if error.step not in (SIGNED, KNOWN) or error.reason == "forked":
            raise error

    def _alert(
        self, kind: str, position: int | None = None, reason: str = "", **facts: Any
    ) -> None:
        """Raise an alarm once until the feed is well again."""
        if kind not in self._raised:
            self._raised.add(kind)
            self._alarm(Alarm(kind, position, reason, facts))


def follow(follower: Follower, until: int | None = None) -> Iterator[Batch]:
    """Yield a follower's batches to a program without an event loop; raises as they do.

    While the caller works on a batch, nothing is read; a connection that this costs is restored.
    """
    batches = follower.batches(until)

    async def advance() -> Batch | None:
        return await anext(batches, None)

    with asyncio.Runner() as runner:
        try:
            while (batch := runner.run(advance())) is not None:
                yield batch
        finally:
            runner.run(batches.aclose())
