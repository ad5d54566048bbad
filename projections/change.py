"""What a projection is fed: an entry of the log and its position."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson

from ledger.stored import StoredEntry


class Change(NamedTuple):
    """One entry at its place in the log.

    Attributes:
        position: Counted from 1.
        entry: What stands there.
    """

    position: int
    entry: StoredEntry


class EntryReader(Protocol):
    """Where entries come from: the log's store, or an export."""

    def published(self) -> int:
        """Return the position up to which a signed checkpoint covers the log."""

    def entries(self, first: int, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
        """Return up to `limit` published entries from position `first` on.

        Each as position, entry bytes and leaf hash.
        """


@dataclass(frozen=True)
class Batch:
    """Entries one after the other, without a gap.

    Attributes:
        after: Position before the first.
        changes: The entries.
    """

    after: int
    changes: Sequence[Change]

    @property
    def last(self) -> int:
        """Position of the last entry, or `after` when there is none."""
        return self.after + len(self.changes)


def read_change(position: int, raw: bytes) -> Change:
    """Read the canonical bytes of a published entry, which the integrator has checked."""
    return Change(position, StoredEntry.decode(raw))


def read_data(raw: bytes) -> dict[str, Any]:
    """Read only the clear data of a published entry."""
    data: dict[str, Any] = orjson.loads(raw)["data"]
    return data


def read_batch(reader: EntryReader, after: int, limit: int) -> Batch:
    """Read the published entries that follow a position."""
    stored = reader.entries(after + 1, limit)
    return Batch(after, [read_change(position, raw) for position, raw, _ in stored])


class ReadAhead:
    """Batches of a log; while one is applied, the next is read.

    Args:
        reader: The log.
        limit: Entries of a batch at most.
    """

    def __init__(self, reader: EntryReader, limit: int) -> None:
        self._reader = reader
        self._limit = limit
        self._thread = ThreadPoolExecutor(1, "read-ahead")
        self._next: dict[int, Future[Batch]] = {}

    def read(self, after: int) -> Batch:
        """Return the published entries that follow a position."""
        ahead = self._next.pop(after, None)
        batch = ahead.result() if ahead is not None else None
        if batch is None or not batch.changes:  # there may be some by now
            batch = read_batch(self._reader, after, self._limit)
        self._next.clear()
        if len(batch.changes) == self._limit:  # else there is nothing more yet
            self._next[batch.last] = self._thread.submit(
                read_batch, self._reader, batch.last, self._limit
            )
        return batch

    def close(self) -> None:
        """Read no more."""
        self._thread.shutdown(cancel_futures=True)
