"""Between the library's domain events and the log's entries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, MapperDeserialisationError, StoredEvent

from ledger.entry import Author, Entry, Seal
from ledger.errors import LedgerError


@dataclass(frozen=True, slots=True)
class Codec:
    """What the ledger does not know of its events.

    Attributes:
        classes: Event class by topic; nothing else is ever instantiated. Each has a ``TOPIC``.
        encode: Event to the ``data`` of its entry.
        restore: Class, frame (``originator_id``, ``originator_version``, ``timestamp`` and
            ``sealed``) and ``data`` of a stored entry to the event that it was.
        sealed: Makes one member of an event's ``sealed`` from a stored subject and digest.
    """

    classes: Mapping[str, type[Any]]
    encode: Callable[[Any], dict[str, Any]]
    restore: Callable[[type[Any], Mapping[str, Any], Mapping[str, Any]], Any]
    sealed: Callable[[str, str], Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed an event.

    Attributes:
        org: Stream id of the organisation.
        keyid: SHA-256 of its public key, 64 hex digits.
        envelope: The signed envelope, the bytes as they came.
    """

    org: UUID
    keyid: str
    envelope: bytes

    def author(self) -> Author:
        """Return what the entry says of it."""
        return Author(str(self.org), self.keyid, sha256(self.envelope).hexdigest())


class EntryMapper(Mapper[UUID]):
    """Writes events as entries, and reads them back.

    Args:
        origin: Name of the log.
        codec: What the events are.
    """

    def __init__(self, origin: str, codec: Codec) -> None:
        self._origin = origin
        self._codec = codec

    def to_entry(self, event: DomainEventProtocol[UUID], division: str, author: Author) -> Entry:
        """Return the entry of a new event.

        Raises:
            EntryError: If a field is malformed.
        """
        fact = cast("Any", event)  # beyond the library's protocol: TOPIC, timestamp and sealed
        return Entry(
            origin=self._origin,
            topic=fact.TOPIC,
            stream=event.originator_id,
            version=event.originator_version,
            division=division,
            recorded_at=fact.timestamp,
            author=author,
            data=self._codec.encode(event),
            sealed=tuple(Seal(str(part.subject), part.sha256) for part in fact.sealed),
        )

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Refuse: an event becomes an entry only together with its author.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"{type(domain_event).__name__} has no author yet: use to_entry.")

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        """Read an event back.

        Raises:
            MapperDeserialisationError: If the stored bytes are no entry, of an unknown topic, or
                not what their class requires.
        """
        try:
            return self.from_entry(Entry.decode(stored_event.state))
        except (LedgerError, KeyError) as error:
            raise MapperDeserialisationError(
                f"Version {stored_event.originator_version} of stream "
                f"{stored_event.originator_id} is not readable: {error}"
            ) from error

    def from_entry(self, entry: Entry) -> DomainEventProtocol[UUID]:
        """Return the event of an entry.

        Raises:
            KeyError: If its topic is unknown.
        """
        stream, version, recorded_at, seals = entry.frame()
        frame = {
            "originator_id": stream,
            "originator_version": version,
            "timestamp": recorded_at,
            "sealed": tuple([self._codec.sealed(*seal) for seal in seals]),
        }
        event = self._codec.restore(self._codec.classes[entry.topic], frame, entry.data)
        return cast("DomainEventProtocol[UUID]", event)
