"""An entry as the log's own tables give it back: its bytes were read strictly before they came in.

Projections and decisions read so. Whoever has entries from elsewhere (an export, the feed, another
log) reads them with ``Entry.decode``, which checks everything.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

import orjson

from ledger.entry import Author, Entry, Frame, Seal


class StoredEntry(Entry):
    """An entry of which is made, out of its JSON, only what is asked for.

    Most readers need no more than topic and data.

    Attributes:
        members: What stands in it, each in its one spelling, which PostgreSQL reads as well.
    """

    members: Mapping[str, Any]

    def __init__(self, members: Mapping[str, Any]) -> None:
        put = object.__setattr__  # an entry is frozen
        put(self, "members", members)
        put(self, "origin", members["origin"])
        put(self, "topic", members["topic"])
        put(self, "version", members["version"])
        put(self, "division", members["division"])
        put(self, "data", members["data"])

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read what was checked when it was stored: 5 us instead of the 17 of ``Entry.decode``."""
        return cls(orjson.loads(raw))

    def frame(self) -> Frame:
        """Return what its event needs, straight from its JSON: a fold asks for nothing else."""
        members = self.members
        return Frame(
            _uuid(members["stream"]),
            self.version,
            datetime.fromisoformat(members["recorded_at"]),
            [(seal["subject"], seal["sha256"]) for seal in members["sealed"]],
        )

    def __getattr__(self, name: str) -> Any:
        """Make a member that is asked for the first time."""
        if name not in _MAKERS:
            raise AttributeError(name)
        made = _MAKERS[name](self.members)
        object.__setattr__(self, name, made)
        return made


def _stored_seal(members: Mapping[str, str]) -> Seal:
    seal = object.__new__(Seal)  # its check costs as much as reading the rest
    object.__setattr__(seal, "subject", members["subject"])
    object.__setattr__(seal, "sha256", members["sha256"])
    return seal


_uuid = lru_cache(maxsize=4096)(UUID)  # the entries of a stream are read together

_MAKERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "stream": lambda members: _uuid(members["stream"]),
    "recorded_at": lambda members: datetime.fromisoformat(members["recorded_at"]),
    "author": lambda members: Author(**members["author"]),
    "sealed": lambda members: tuple([_stored_seal(seal) for seal in members["sealed"]]),
}
