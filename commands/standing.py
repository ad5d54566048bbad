"""Records as they stood after their last write, for the next write of the same visit.

An infant is given two or three doses at a visit, and a clinic brings a child's history dose by
dose. Reading and folding the record again costs two fifths of such a decision.

Nothing rests on what is kept: a write states the version that it was decided on, and the store
refuses it where the stream has moved. What is refused on a kept record is decided again on a fresh
one. Only the log's entries are kept; personal values and keys go with the write that opened them.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.reading import Change

MOST_ENTRIES = 2_000
"""Of all records kept, some 3.8 kB each. The record that was written longest ago goes first."""


class Stood(NamedTuple):
    """An aggregate with the entries that it was built from."""

    aggregate: BaseAggregate[UUID]
    history: list[Change]


class Standing:
    """What was written last, by stream; whoever takes it has it alone."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, Stood] = OrderedDict()
        self._entries = 0
        self._lock = threading.Lock()

    def take(self, stream: UUID, version: int) -> Stood | None:
        """Hand over a record at that version; one at another version is forgotten."""
        with self._lock:
            found = self._remove(stream)
        return found if found is not None and found.aggregate.version == version else None

    def keep(self, stood: Stood) -> None:
        """Keep a record whose every entry is stored; the caller changes it no more."""
        with self._lock:
            self._remove(stood.aggregate.id)
            self._kept[stood.aggregate.id] = stood
            self._entries += len(stood.history)
            while self._entries > MOST_ENTRIES:
                self._remove(next(iter(self._kept)))

    def _remove(self, stream: UUID) -> Stood | None:
        found = self._kept.pop(stream, None)
        if found is not None:
            self._entries -= len(found.history)
        return found
