"""One submission to the log: what it brings, what it rests on, what it claims, what it gets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from ledger.entry import Entry
from ledger.merkle import leaf_hash


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event on its way into the log.

    Attributes:
        stream: Id of the aggregate.
        version: Its version after this event, from 1.
        topic: Kind of the event.
        division: Administrative division, six or nine digits.
        recorded_at: The submitter's clock, aware.
        entry: Canonical bytes of the entry.
        leaf: Its leaf hash, 32 bytes.
    """

    stream: UUID
    version: int
    topic: str
    division: str
    recorded_at: datetime
    entry: bytes
    leaf: bytes

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Encode an entry.

        Raises:
            EntryError: If the entry has no canonical bytes or too many.
        """
        raw = entry.encode()
        return cls(
            entry.stream,
            entry.version,
            entry.topic,
            entry.division,
            entry.recorded_at,
            raw,
            leaf_hash(raw),
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """A stream that was only read and must still stand at this version (0: must not exist)."""

    stream: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that only one stream can have, taken or released together with the events.

    Attributes:
        kind: Which kind of thing, such as ``package-code``.
        key: The thing itself; a digest where it is personal.
        stream: Who takes or releases it.
        release: Whether it is given back instead of taken.
    """

    kind: str
    key: bytes
    stream: UUID
    release: bool = False


@dataclass(frozen=True, slots=True)
class Blob:
    """A sealed part of one of the events.

    Attributes:
        subject: Handle of the person under whose key it is sealed.
        blob: The ciphertext.
        event_index: Which of the submission's events it belongs to, from 0.
    """

    subject: UUID
    blob: bytes
    event_index: int


@dataclass(frozen=True, slots=True)
class Append:
    """One submission: stored whole or not at all.

    Attributes:
        author: Organisation in whose name the idempotency key is unique.
        key: Idempotency key.
        request: SHA-256 of what the key stands for (the envelope's payload), 32 bytes.
        events: At least one, in order; versions of a stream follow one another.
        guards: Streams that must not have moved.
        claims: Taken and released in this order.
        envelopes: The signed envelopes of the events, each once.
        blobs: The sealed parts.
    """

    author: UUID
    key: UUID
    request: bytes
    events: tuple[NewEvent, ...]
    guards: tuple[Guard, ...] = ()
    claims: tuple[Claim, ...] = ()
    envelopes: tuple[bytes, ...] = ()
    blobs: tuple[Blob, ...] = ()

    def __post_init__(self) -> None:
        if not self.events:
            raise ValueError("A submission has at least one event.")

    @property
    def size(self) -> int:
        """Bytes of entries, envelopes and blobs."""
        size = sum(map(len, self.envelopes))
        for event in self.events:
            size += len(event.entry)
        for blob in self.blobs:
            size += len(blob.blob)
        return size


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a submission stands in the log.

    Attributes:
        first_position: Position of its first event; the others follow without a gap.
        count: Number of events.
        leaves: Their leaf hashes.
        replayed: Whether an earlier submission under the same key brought them.
    """

    first_position: int
    count: int
    leaves: tuple[bytes, ...]
    replayed: bool = False
