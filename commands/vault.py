"""Opening and sealing personal values: the only place where a person's key meets their data."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from commands.errors import Erased
from commands.signed_body import PrivatePart
from domain.sealed import Sealed
from ledger.entry import Entry
from ledger.envelope import commitment
from ledger.jcs import parse
from ledger.sealing import SealContext, seal, unseal
from ledger.store.append import Blob
from ledger.store.keys import KeyStore
from ledger.store.reading import LogReader

SALT_BYTES = 32


class Located(Protocol):
    """An entry with its position, as projections and readers hand it over."""

    @property
    def position(self) -> int:
        """Where the entry stands in the log."""

    @property
    def entry(self) -> Entry:
        """The decoded entry."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """What sealing one event's private parts gave.

    `fresh` holds the keys of persons seen for the first time; they are committed to the key
    database before the event, so that an event never refers to a key that was lost.
    """

    sealed: tuple[Sealed, ...]
    blobs: tuple[Blob, ...]
    fresh: Mapping[UUID, bytes]


NOTHING_SEALED = Sealing((), (), {})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event will stand.

    Attributes:
        topic: Its topic.
        stream: Its stream.
        version: Its version in the stream.
        event_index: Which of the write's events it is, from 0.
    """

    topic: str
    stream: UUID
    version: int
    event_index: int = 0


Opened = dict[tuple[int, UUID], dict[str, Any] | None]
"""Sealed values by position and person; None where they are erased."""


class KeySource(Protocol):
    """Where persons' keys come from."""

    def open(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of persons; whoever is missing has none."""

    def prepare(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of persons, new ones for those who have none; nothing is stored yet."""


class KeyRing:
    """The keys that one write needs, each fetched once and forgotten with the write.

    Args:
        keys: Where they are.
        held: Those that are at hand; what is opened is added.
        keyless: Persons of whom it was seen that they have none.
    """

    def __init__(
        self,
        keys: KeyStore,
        held: dict[UUID, bytes] | None = None,
        keyless: Container[UUID] = (),
    ) -> None:
        self._keys = keys
        self._held = {} if held is None else held
        self._keyless = keyless

    def open(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of persons; whoever is missing has none."""
        wanted = set(handles)
        missing = [handle for handle in wanted if handle not in self._held]
        if missing:
            self._held.update(self._keys.open(missing))
        return {handle: self._held[handle] for handle in wanted if handle in self._held}

    def prepare(self, handles: Iterable[UUID]) -> dict[UUID, bytes]:
        """Return the keys of persons, new ones for those who have none; nothing is stored yet.

        Who was given a key by a decision before this one keeps it.
        """
        wanted = set(handles)
        missing = [handle for handle in wanted if handle not in self._held]
        made = self._keys.prepare(missing, self._keyless)
        return {handle: self._held.get(handle) or made[handle] for handle in wanted}


class Vault:
    """Seals and opens the personal values of entries.

    Args:
        keys: The key database.
        reader: Where the sealed blobs are.
        origin: The log's origin; part of the context of every new seal.
        random: A source of random bytes, such as `secrets.token_bytes`.
    """

    def __init__(
        self, keys: KeyStore, reader: LogReader, origin: str, random: Callable[[int], bytes]
    ) -> None:
        self.keys = keys
        self._reader = reader
        self._origin = origin
        self._random = random

    def seal(
        self,
        private: Mapping[UUID, PrivatePart],
        place: Place,
        newcomers: Iterable[UUID] = (),
        ring: KeySource | None = None,
    ) -> Sealing:
        """Seal each person's part for one event.

        Args:
            private: The parts by person.
            place: Where the event will stand; the seal is bound to it.
            newcomers: Persons who get a key with this event; everyone else must have one.
            ring: Keys that are at hand already.

        Raises:
            Erased: a known person's key was destroyed.
        """
        source, new = ring or self.keys, private.keys() & set(newcomers)
        held = source.open(private.keys() - new)
        if len(held) + len(new) != len(private):
            raise Erased
        fresh = source.prepare(new) if new else {}
        sealed, blobs = [], []
        for who, part in private.items():
            context = _context(self._origin, place.topic, place.stream, place.version, who)
            key = held.get(who) or fresh[who]
            blob = seal(key, self._random(SALT_BYTES), context, part.plaintext())
            sealed.append(Sealed(subject=who, sha256=sha256(blob).hexdigest()))
            blobs.append(Blob(subject=who, blob=blob, event_index=place.event_index))
        return Sealing(tuple(sealed), tuple(blobs), fresh)

    def ring_for(self, drawn: Iterable[UUID]) -> KeyRing:
        """A ring that looks for no key of handles that were drawn a moment ago."""
        return KeyRing(self.keys, keyless=frozenset(drawn))

    def part(self, values: Mapping[str, Any]) -> tuple[PrivatePart, str]:
        """A private part under a new salt, and its commitment: for what the platform signs."""
        fresh = PrivatePart(self._random(SALT_BYTES), values)
        return fresh, commitment(fresh.r, values)

    def unseal(
        self,
        changes: Sequence[Located],
        ring: KeySource | None = None,
        *,
        only: Collection[UUID] | None = None,
    ) -> Opened:
        """Open everything sealed in the entries, as `unseal_parts` does.

        Returns:
            By position and person: the values, or None where they are erased.
        """
        opened = self.unseal_parts(changes, ring, only=only)
        return {of: None if part is None else dict(part.values) for of, part in opened.items()}

    def unseal_parts(
        self,
        changes: Sequence[Located],
        ring: KeySource | None = None,
        *,
        only: Collection[UUID] | None = None,
    ) -> dict[tuple[int, UUID], PrivatePart | None]:
        """Open everything sealed in the entries, in two queries however many there are.

        Args:
            changes: The entries.
            ring: Keys that are at hand already.
            only: Whose values; everyone's where nobody is named.

        Returns:
            By position and person: the values with the salt of their commitment, or None where
            they are erased.
        """
        wanted = [
            (change, part.subject, part.sha256)
            for change in changes
            for part in change.entry.sealed
            if only is None or UUID(part.subject) in only
        ]
        keys = (ring or self.keys).open({UUID(subject) for _, subject, _ in wanted})
        blobs = self._reader.blobs(digest for _, _, digest in wanted)
        opened: dict[tuple[int, UUID], PrivatePart | None] = {}
        for change, subject, digest in wanted:
            who = UUID(subject)
            key, blob = keys.get(who), blobs.get(digest)
            if key is None or blob is None:
                opened[change.position, who] = None
                continue
            entry = change.entry
            context = _context(entry.origin, entry.topic, entry.stream, entry.version, who)
            held = parse(unseal(key, context, blob))
            opened[change.position, who] = PrivatePart(bytes.fromhex(held["r"]), held["values"])
        return opened

    def person(
        self,
        history: Sequence[Located],
        who: UUID,
        day: date,
        ring: KeySource | None = None,
        opened: Opened | None = None,
    ) -> dict[str, Any]:
        """A person's values as one stream tells them: as registered, with amendments in effect.

        Args:
            history: The stream's entries from its first.
            who: The person's handle.
            day: Amendments that take effect later are left out (C-21).
            ring: Keys that are at hand already.
            opened: What was opened already; what is opened now is added.

        Raises:
            Erased: the person's key or blobs are gone.
        """
        subject = str(who)
        about = [
            change
            for change in history
            if change.entry.topic in PERSONAL
            and any(part.subject == subject for part in change.entry.sealed)
        ]
        opened = {} if opened is None else opened
        closed = [change for change in about if (change.position, who) not in opened]
        if closed:
            opened.update(self.unseal(closed, ring, only={who}))
        values: dict[str, Any] = {}
        for change in about:
            found = opened[change.position, who]
            if found is None:
                raise Erased
            derived = change.entry.data.get("derived", {})
            if date.fromisoformat(derived.get("effective_on", "0001-01-01")) > day and values:
                continue
            values |= found.get("after", found)
        if not values:
            raise Erased
        return values


def _context(origin: str, topic: str, stream: UUID, version: int, who: UUID) -> SealContext:
    return SealContext(origin=origin, topic=topic, stream=stream, version=version, subject=str(who))


PERSONAL = frozenset(
    {
        "vaccination-record.registered.v1",
        "vaccination-record.identity-amended.v1",
        "vaccination-record.guardian-added.v1",
        "certificate.granted.v1",
    }
)
"""Topics of which each tells who somebody is."""
