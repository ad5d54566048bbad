"""What a projection is fed: an entry of the log and its position."""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter
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


_POSITION = itemgetter(0)
_AHEAD = 2


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

    def about(self, follows: tuple[str, ...]) -> Sequence[Change]:
        """Return the entries whose topics begin in one of these ways, in their order."""
        found = [some for topic, some in self._by_topic.items() if topic.startswith(follows)]
        return found[0] if len(found) == 1 else sorted(chain(*found), key=_POSITION)

    @cached_property
    def _by_topic(self) -> dict[str, list[Change]]:
        """Once for all projections, most of which a batch does not concern."""
        by_topic: defaultdict[str, list[Change]] = defaultdict(list)
        for change in self.changes:
            by_topic[change.entry.topic].append(change)
        return by_topic


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
    """Batches of a log; while one is applied, the next ones are read.

    Two of them: the first is read while the batch's rows are made, by turns on one interpreter;
    the second while PostgreSQL takes them.

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
        is_full = len(batch.changes) == self._limit  # else there is nothing more yet
        following = [batch.last + n * self._limit for n in range(_AHEAD)] if is_full else []
        self._next = {at: self._next.get(at) or self._submit(at) for at in following}
        return batch

    def _submit(self, after: int) -> Future[Batch]:
        return self._thread.submit(read_batch, self._reader, after, self._limit)

    def close(self) -> None:
        """Read no more."""
        self._thread.shutdown(cancel_futures=True)
