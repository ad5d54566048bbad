"""What a handler reads before it decides: aggregates, histories, opened personal values."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from commands.errors import Erased, NotFound
from commands.services import Services
from commands.states import check_state
from commands.vault import PERSONAL, KeyRing, Opened
from domain.calendar import civil_day
from domain.contraindication import ContraindicationState
from domain.dose import DoseState
from domain.topics import GUARDIAN, RECIPIENT, check_private
from domain.vaccination_record import VaccinationRecord
from ledger.entry import Entry
from ledger.store.reading import Located
from ledger.stored import StoredEntry

A = TypeVar("A", bound=BaseAggregate[UUID])


class Change(NamedTuple):
    """An entry at its position."""

    position: int
    entry: Entry


@dataclass(slots=True, repr=False)
class Seen:
    """What was read of the log already, for one decision or for many that follow one another.

    Attributes:
        histories: The entries of streams from their first.
        standing: Aggregates with everything that was decided about them, stored or not.
        opened: Sealed values by position and person; None where they are erased.
        people: What is known of persons, typed, by record, person, day and the positions of the
            entries that tell of somebody.
        keys: Keys of people.
        keyless: People of whom it was seen that they have no key.
        found: Person and stream of whoever has a number, by its kind and the number.
        owners: Who holds a claim, by its kind and key.
    """

    histories: dict[UUID, list[Change]] = field(default_factory=dict)
    standing: dict[UUID, BaseAggregate[UUID]] = field(default_factory=dict)
    opened: Opened = field(default_factory=dict)
    people: dict[tuple[object, ...], dict[str, Any]] = field(default_factory=dict)
    keys: dict[UUID, bytes] = field(default_factory=dict)
    keyless: set[UUID] = field(default_factory=set)
    found: dict[tuple[str, str], list[tuple[UUID, UUID]]] = field(default_factory=dict)
    owners: dict[tuple[str, bytes], UUID | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A state of the log at one moment: else the newest, committed but perhaps not yet published.

    Attributes:
        services: The running parts.
        recorded_at: Our clock, UTC.
        seen: What was read of it already.
        up_to: What was known up to that position; None for all. Claims are read as they stand now.
        day: Civil day as of which it is read; that of the clock when absent.
    """

    services: Services
    recorded_at: datetime
    seen: Seen = field(default_factory=Seen, repr=False)
    up_to: int | None = None
    day: date | None = None

    @cached_property
    def ring(self) -> KeyRing:
        """The keys of this write."""
        return KeyRing(self.services.vault.keys, self.seen.keys, self.seen.keyless)

    @property
    def today(self) -> date:
        """The civil day as of which it is read (Asia/Shanghai)."""
        return self.day or civil_day(self.recorded_at)

    def load(self, kind: type[A], stream: UUID) -> A:
        """An aggregate of that kind; a record only where it may be processed.

        Raises:
            NotFound: there is none, or it is of another kind.
            Restricted, Erased: it is a record that is restricted or shredded.
        """
        found = self.stored(kind, stream)
        if isinstance(found, VaccinationRecord):
            check_state(found.protection.state)
        return found

    def stored(self, kind: type[A], stream: UUID) -> A:
        """An aggregate of that kind, whatever state it is in.

        Raises:
            NotFound: there is none, or it is of another kind.
        """
        found: object | None = self.seen.standing.get(stream)
        if found is None:
            entries = (change.entry for change in self.history(stream))
            found = self.services.journal.aggregate_of(entries)
        if not isinstance(found, kind):
            raise NotFound
        return found

    def survivor(self, stream: UUID) -> VaccinationRecord:
        """A record that may be processed, or the one that it was merged into.

        Raises:
            NotFound, Restricted, Erased: see `load`.
        """
        record = self.load(VaccinationRecord, stream)
        return record if record.merged_into is None else self.load(type(record), record.merged_into)

    def with_merged(self, record: VaccinationRecord) -> list[VaccinationRecord]:
        """A record and those that were merged into it: all that is known of one person."""
        return [record, *(self.stored(VaccinationRecord, one) for one in sorted(record.merged))]

    def doses_on(self, record: VaccinationRecord, day: date) -> list[DoseState]:
        """All doses of a person as effective on a civil day, by the day they were given."""
        known = self.with_merged(record)
        return sorted(
            (dose for one in known for dose in one.doses_on(day)),
            key=lambda dose: dose.occurred_on,
        )

    def corrected_since(self, record: VaccinationRecord, moment: datetime) -> tuple[UUID, ...]:
        """The corrections of a person's doses that count today and did not at a moment."""
        return tuple(
            event.correction
            for one in self.with_merged(record)
            for history in one.dose_histories.values()
            for event in history.later
            if event.derived.effective_on <= self.today
            and (event.timestamp > moment or event.derived.effective_on > civil_day(moment))
        )

    def contraindications_on(
        self, record: VaccinationRecord, day: date
    ) -> list[ContraindicationState]:
        """All contraindications of a person that hold on a civil day."""
        known = self.with_merged(record)
        return [state for one in known for state in one.contraindications_on(day)]

    def exists(self, stream: UUID) -> bool:
        """Whether the log has such a stream."""
        return bool(self.history(stream))

    def history(self, stream: UUID) -> list[Change]:
        """The entries of a stream from its first, published or not; read once."""
        if stream not in self.seen.histories:
            self.seen.histories[stream] = self._shown(self.services.reader.stream(stream))
        return self.seen.histories[stream]

    def read(self, streams: Collection[UUID]) -> None:
        """Read the entries of streams that were not read yet, in one query."""
        wanted = set(streams) - self.seen.histories.keys()
        if not wanted:
            return
        for stream, rows in self.services.reader.streams(wanted).items():
            self.seen.histories[stream] = self._shown(rows)

    def _shown(self, rows: Sequence[Located]) -> list[Change]:
        return [
            Change(position, StoredEntry.decode(raw))
            for position, raw, _ in rows
            if self.up_to is None or position <= self.up_to
        ]

    def open_recipients(self, records: Collection[UUID]) -> None:
        """Open what tells who the recipients of records are that were read, in two queries."""
        telling = [
            change
            for stream in records
            for change in self.seen.histories[stream]
            if change.entry.topic in PERSONAL
        ]
        recipients = {
            UUID(change.entry.data["recipient"])
            for change in telling
            if "recipient" in change.entry.data
        }
        if recipients:
            opened = self.services.vault.unseal(telling, self.ring, only=recipients)
            self.seen.opened.update(opened)

    def person(self, record: VaccinationRecord, who: UUID) -> dict[str, Any]:
        """What is known of a person of a record today, typed.

        Raises:
            Erased: their key is gone.
        """
        return self._person_on(record, who, self.today)

    def person_to_be(self, record: VaccinationRecord, who: UUID) -> dict[str, Any]:
        """What will be known of a person once every amendment that was entered counts (C-21).

        Raises:
            Erased: their key is gone.
        """
        return self._person_on(record, who, date.max)

    def _person_on(self, record: VaccinationRecord, who: UUID, day: date) -> dict[str, Any]:
        history, people = self.history(record.id), self.seen.people
        telling = [change for change in history if change.entry.topic in PERSONAL]
        key = (record.id, who, day, *(change.position for change in telling))
        if key not in people:
            role = RECIPIENT if who == record.recipient else GUARDIAN
            opened = self.seen.opened
            values = self.services.vault.person(telling, who, day, self.ring, opened)
            people[key] = check_private(VaccinationRecord.Registered.TOPIC, role, values)
        return people[key]

    def opened(self, stream: UUID, version: int, who: UUID) -> dict[str, Any] | None:
        """What one event seals for a person; None where it is erased."""
        change = self.history(stream)[version - 1]
        return self.services.vault.unseal([change], self.ring, only=[who])[change.position, who]

    def dose_values(self, record: VaccinationRecord, dose: UUID) -> dict[str, Any]:
        """The sealed values of a dose as corrected so far.

        Raises:
            Erased: they can no longer be opened.
        """
        about = [
            change
            for change in self.history(record.id)
            if change.entry.data.get("dose") == str(dose) and change.entry.sealed
        ]
        opened = self.services.vault.unseal(about, self.ring, only=[record.recipient])
        values: dict[str, Any] = {}
        for change in about:
            found = opened[change.position, record.recipient]
            if found is None:
                raise Erased
            values |= found.get("after", found)
        return values

    def find(self, kinds: Sequence[str], number: str) -> list[tuple[str, UUID, UUID]]:
        """Kind, person and stream of everyone who has a number, by the kinds' order."""
        found = self.seen.found
        missing = [kind for kind in kinds if (kind, number) not in found]
        if missing:
            found.update({(kind, number): [] for kind in missing})
            for kind, *hit in self.services.vault.keys.find_first(missing, number):
                found[kind, number].append((hit[0], hit[1]))
        return [(kind, *hit) for kind in kinds for hit in found[kind, number]]

    def owner(self, kind: str, key: bytes) -> UUID | None:
        """The stream that holds a claim, None where nobody does."""
        return self.owners(kind, [key])[0]

    def owners(self, kind: str, keys: Sequence[bytes]) -> list[UUID | None]:
        """The streams that hold claims of a kind, None where nobody does."""
        owners = self.seen.owners
        missing = [(kind, key) for key in keys if (kind, key) not in owners]
        if missing:
            owners.update(self.services.reader.claims.owners(missing))
        return [owners[kind, key] for key in keys]

    def blind(self, kind: str, value: str) -> bytes:
        """The blind index of a number."""
        return self.services.vault.keys.digest(kind, value)
