"""Aggregates in, entries out: the library's application over the log."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import (
    BaseAggregate,
    DomainEventProtocol,
    MutableOrImmutableAggregate,
)
from eventsourcing.persistence import (
    ApplicationRecorder,
    EventStore,
    Mapper,
    Notification,
    ProgrammingError,
    Recording,
    StoredEvent,
)
from eventsourcing.utils import Environment, EnvType

from ledger.entry import Entry
from ledger.store.append import Append, Appended, Blob, Claim, Guard, NewEvent
from ledger.store.mapping import Codec, EntryMapper, Signed
from ledger.store.recorder import LedgerRecorder


@dataclass(frozen=True, slots=True)
class Write:
    """What a save brings besides its events.

    Attributes:
        author: Organisation in whose name the idempotency key is unique.
        key: Idempotency key.
        request: SHA-256 of the signed payload, 32 bytes.
        signed: Who signed: one for each event in the order of saving, or one for all of them.
        guards: Streams that were only read and must not have moved.
        claims: Unique things taken or released.
        blobs: The sealed parts, exactly those that the events name.
    """

    author: UUID
    key: UUID
    request: bytes
    signed: tuple[Signed, ...]
    guards: tuple[Guard, ...] = ()
    claims: tuple[Claim, ...] = ()
    blobs: tuple[Blob, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """What a save would append.

    Attributes:
        append: As the store takes it.
        entries: Of its events.
    """

    append: Append
    entries: tuple[Entry, ...]


class Saved(list[Recording[UUID]]):
    """The recordings of a save, and where they stand.

    After a replay they are the events that the first save under the key has stored, not those that
    were given now.

    Attributes:
        appended: Place in the log; None if there was nothing to save.
    """

    def __init__(
        self, recordings: Iterable[Recording[UUID]] = (), appended: Appended | None = None
    ) -> None:
        super().__init__(recordings)
        self.appended = appended


class Journal(Application[UUID]):
    """Loads aggregates from the log and saves their new events into it.

    There are no snapshots: streams are short, and loading one is a single indexed query (0.4 ms for
    ten events). There is no cache either: it would have to ask for newer events all the same, and a
    record that is written once a month is hardly ever found in it.

    Args:
        recorder: Where events are stored and loaded.
        origin: Name of the log.
        codec: What the events are.
    """

    name = "journal"

    def __init__(self, recorder: LedgerRecorder, *, origin: str, codec: Codec) -> None:
        self._ledger = recorder
        self._entry_mapper = EntryMapper(origin, codec)
        self._entry_store = _EntryStore(self._entry_mapper, recorder)
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Return an empty environment: the process's own configures nothing here."""
        return Environment(name, dict(env or {}))

    def construct_mapper(self) -> Mapper[UUID]:
        """Return the mapper between events and entries."""
        return self._entry_mapper

    def construct_recorder(self) -> ApplicationRecorder:
        """Return the recorder that this was built with."""
        return self._ledger

    def construct_event_store(self) -> EventStore[UUID]:
        """Return a store that gives each event its author."""
        return self._entry_store

    def aggregate_of(self, entries: Iterable[Entry]) -> object | None:
        """Rebuild an aggregate from all entries of its stream; None if there are none.

        Raises:
            KeyError: If a topic is unknown.
        """
        aggregate: Any = None
        for entry in entries:
            event: Any = self._entry_mapper.from_entry(entry)
            aggregate = event.mutate(aggregate)
        found: object | None = aggregate
        return found

    def save(
        self,
        *objs: MutableOrImmutableAggregate[UUID] | DomainEventProtocol[UUID] | None,
        **kwargs: Any,
    ) -> Saved:
        """Append the pending events of aggregates, all or none, in the order given.

        Args:
            *objs: Aggregates, each with a ``division``.
            **kwargs: ``write``, a ``Write``.

        Raises:
            StoreError: See ``Writer.submit``. The aggregates have lost their pending events then:
                load them again and decide anew.
            EntryError: If an event has no entry, being too long for instance.
            ProgrammingError: If ``write`` or a ``division`` is missing, or signatures or blobs are
                not those of the events.
        """
        recordings = super().save(*objs, divisions=_divisions(objs), **kwargs)
        assert isinstance(recordings, Saved)  # from _EntryStore.put
        return recordings

    def submission(self, aggregate: BaseAggregate[UUID], write: Write) -> Submission:
        """Take the pending events of an aggregate, and return what ``save`` would append.

        The aggregate goes on as if they were stored.

        Raises:
            EntryError, ProgrammingError: As ``save``.
        """
        divisions = _divisions([aggregate])
        return self._entry_store.submission(tuple(aggregate.collect_events()), write, divisions)

    def submit(self, append: Append) -> "Future[Appended]":
        """Let a submission be appended; see ``Writer.submit``."""
        return self._ledger.submit(append)


class _EntryStore(EventStore[UUID]):
    """Turns events into one submission."""

    def __init__(self, mapper: EntryMapper, recorder: LedgerRecorder) -> None:
        super().__init__(mapper, recorder)
        self._entries = mapper
        self._ledger = recorder

    def put(self, domain_events: Sequence[DomainEventProtocol[UUID]], **kwargs: Any) -> Saved:
        """Append events; see ``Journal.save``."""
        write, divisions = kwargs.get("write"), kwargs.get("divisions", {})
        if not domain_events:
            return Saved()
        if not isinstance(write, Write):
            raise ProgrammingError("Events are saved together with a Write.")
        append = self.submission(domain_events, write, divisions).append
        appended = self._ledger.append(append)
        if appended.replayed:
            return self._recorded_before(appended)
        return Saved(
            (
                Recording(event, _notification(new, position))
                for position, (event, new) in enumerate(
                    zip(domain_events, append.events, strict=True), appended.first_position
                )
            ),
            appended,
        )

    def submission(
        self,
        domain_events: Sequence[DomainEventProtocol[UUID]],
        write: Write,
        divisions: Mapping[UUID, str],
    ) -> Submission:
        """Return what events are stored as; see ``Journal.save``."""
        signed = write.signed * len(domain_events) if len(write.signed) == 1 else write.signed
        if len(signed) != len(domain_events):
            raise ProgrammingError("Each event is signed by someone.")
        missing = {event.originator_id for event in domain_events} - divisions.keys()
        if missing:
            raise ProgrammingError("Each event belongs to an aggregate with a division.")
        entries = [
            self._entries.to_entry(event, divisions[event.originator_id], one.author())
            for event, one in zip(domain_events, signed, strict=True)
        ]
        named = {(n, seal.sha256) for n, entry in enumerate(entries) for seal in entry.sealed}
        brought = {(blob.event_index, sha256(blob.blob).hexdigest()) for blob in write.blobs}
        if named != brought:
            raise ProgrammingError("The blobs are not those that the events name.")
        append = Append(
            author=write.author,
            key=write.key,
            request=write.request,
            events=tuple(map(NewEvent.of, entries)),
            guards=write.guards,
            claims=write.claims,
            envelopes=tuple(dict.fromkeys(one.envelope for one in signed)),
            blobs=write.blobs,
        )
        return Submission(append, tuple(entries))

    def _recorded_before(self, appended: Appended) -> Saved:
        notifications = self._ledger.select_notifications(appended.first_position, appended.count)
        return Saved(
            (Recording(self.mapper.to_domain_event(one), one) for one in notifications), appended
        )


def _divisions(aggregates: Iterable[Any]) -> dict[UUID, str]:
    """Return by id the division of each aggregate that says which one its events belong to."""
    return {one.id: one.division for one in aggregates if hasattr(one, "division")}


def _notification(event: NewEvent, position: int) -> Notification:
    stored = StoredEvent(event.stream, event.version, event.topic, event.entry)
    return Notification(**vars(stored), id=position)
