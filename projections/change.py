"""What a projection is fed: an entry of the log and its position."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import orjson

from ledger.entry import Author, Entry, Seal


class Change(NamedTuple):
    """One entry at its place in the log.

    Attributes:
        position: Counted from 1.
        entry: What stands there.
    """

    position: int
    entry: Entry


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
    """Read the canonical bytes of a published entry.

    The integrator has checked them strictly; here only their members are taken out, seven times
    faster than `Entry.decode`.
    """
    members = orjson.loads(raw)
    author = members["author"]
    return Change(
        position,
        Entry(
            members["origin"],
            members["topic"],
            UUID(members["stream"]),
            members["version"],
            members["division"],
            datetime.fromisoformat(members["recorded_at"]),
            Author(author["org"], author["keyid"], author["envelope"]),
            members["data"],
            tuple([Seal(seal["subject"], seal["sha256"]) for seal in members["sealed"]]),
        ),
    )


def read_data(raw: bytes) -> dict[str, Any]:
    """Read only the clear data of a published entry."""
    data: dict[str, Any] = orjson.loads(raw)["data"]
    return data


def read_batch(reader: EntryReader, after: int, limit: int) -> Batch:
    """Read the published entries that follow a position."""
    stored = reader.entries(after + 1, limit)
    return Batch(after, [read_change(position, raw) for position, raw, _ in stored])
