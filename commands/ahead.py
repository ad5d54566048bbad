"""Many writes decided ahead of their commits: what a bulk request is made of.

By itself each write reads its stream, opens what is sealed in it, and waits for its commit before
the next of the stream may be decided. Here streams, keys and sealed values of a whole group are
read at once, each decision rests on those before it, and all are handed to the writer together.
The store judges each as ever: versions, guards, claims and idempotency keys. What it refuses, and
whatever follows on that stream, is left to be submitted singly; so a mistake here costs time only.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count, islice
from typing import Protocol
from uuid import UUID

import structlog

from commands import records, registration
from commands.answering import Written
from commands.duplicates import remarks_on
from commands.principal import Principal
from commands.reading import Change, Reading, Seen
from commands.recording import keep_keys, request_digest, signed_of, write_of
from commands.services import Services
from commands.signed_body import SignedBody
from commands.vault import PERSONAL, KeyRing
from commands.writing import Decision, Writing
from domain.quality import Check
from ledger.entry import Entry
from ledger.store.append import Append, Appended, NewEvent
from ledger.store.errors import Backlogged

GROUP = 250
"""Writes that are read, decided and handed in at once: some tenths of a second."""

_HANDLERS = {**registration.HANDLERS, **records.HANDLERS}
"""Writes that concern one record; others are submitted singly."""
_LOG = structlog.get_logger(__name__)


class _WritingOf(Protocol):
    """Makes a write of a body."""

    def __call__(self, body: SignedBody, principal: Principal, seen: Seen) -> Writing:
        """Return the write, which rests on what was seen."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """A write that was decided.

    Attributes:
        number: Of the write.
        decision: What was decided.
        append: What is stored.
    """

    number: int
    decision: Decision
    append: Append


@dataclass(frozen=True, slots=True)
class _Flight:
    """A write that was handed in."""

    number: int
    event: NewEvent
    remarks: tuple[Check, ...]
    appended: "Future[Appended]"


class Ahead:
    """One bulk of writes of one caller.

    Args:
        services: The running parts.
        admit: Checks origin, topic and signature; returns the author's organisation.
        writing: Makes a write of a body.
    """

    def __init__(
        self,
        services: Services,
        admit: Callable[[SignedBody, Principal], UUID],
        writing: _WritingOf,
    ) -> None:
        self._services = services
        self._admit = admit
        self._writing = writing
        self._seen = Seen()
        self._left: set[UUID] = set()
        self._places = count(-1, -1)  # of entries that are nowhere yet
        self._written: list[Written | None] = []

    def submit(self, bodies: Sequence[SignedBody], principal: Principal) -> list[Written | None]:
        """Hand in what can be decided; see `Desk.submit_ahead`."""
        self._written = [None] * len(bodies)
        flights: list[_Flight] = []
        numbered = iter(enumerate(bodies))
        while group := list(islice(numbered, GROUP)):
            try:
                decided = self._decide(group, principal)
                flights += self._hand_in(decided, self._told(decided, principal))
            except Exception as error:  # noqa: BLE001  the rest is submitted singly, and says why
                # Among others: somebody else made a person's key at this moment, or too much
                # waits. What was decided on such keys must not be stored, so all of it goes.
                _LOG.info("left_to_single_writes", error=type(error).__name__)
                break
        for flight in flights:
            self._settle(flight)
        return self._written

    def _decide(
        self, group: Sequence[tuple[int, SignedBody]], principal: Principal
    ) -> list[_Decided]:
        self._read([body for _, body in group])
        decided = []
        for number, body in group:
            stream = body.statement.stream
            if not self._is_next(body):
                self._leave(stream)
                continue
            try:
                decision, append = self._one(body, principal)
            except Exception:  # noqa: BLE001  submitted singly, it is refused in its own words
                self._leave(stream)
            else:
                decided.append(_Decided(number, decision, append))
        return decided

    def _is_next(self, body: SignedBody) -> bool:
        """Whether a write goes on from what was decided of its stream, and is of such a kind."""
        statement = body.statement
        standing = self._seen.standing.get(statement.stream)
        if statement.stream in self._left or statement.topic not in _HANDLERS:
            return False
        return standing is None or standing.version == statement.expected_version

    def _read(self, bodies: Sequence[SignedBody]) -> None:
        """Read streams, keys and what tells who their people are, in four queries."""
        seen, services = self._seen, self._services
        newcomers = {
            who
            for body in bodies
            if not body.statement.expected_version
            for who in body.private.keys() - seen.keys.keys()
        }
        held = services.vault.keys.open(newcomers)
        seen.keys.update(held)
        seen.keyless.update(newcomers - held.keys())
        known = {body.statement.stream for body in bodies if body.statement.expected_version}
        wanted = known - seen.histories.keys()
        if not wanted:
            return
        for stream, rows in services.reader.streams(wanted).items():
            seen.histories[stream] = [
                Change(position, Entry.decode(raw)) for position, raw, _ in rows
            ]
        telling = [
            change
            for stream in wanted
            for change in seen.histories[stream]
            if change.entry.topic in PERSONAL
        ]
        recipients = {
            UUID(change.entry.data["recipient"])
            for change in telling
            if "recipient" in change.entry.data
        }
        if recipients:
            ring = KeyRing(services.vault.keys, seen.keys)
            seen.opened.update(services.vault.unseal(telling, ring, only=recipients))

    def _one(self, body: SignedBody, principal: Principal) -> tuple[Decision, Append]:
        organisation = self._admit(body, principal)
        writing = self._writing(body, principal, self._seen)
        decision = _HANDLERS[body.statement.topic](writing)
        assert not decision.effects, "these writes concern one record"
        write = write_of(
            self._services,
            decision,
            key=body.statement.idempotency_key,
            request=request_digest(body.envelope.payload),
            signed=signed_of(body, organisation),
        )
        division = decision.aggregate.division  # type: ignore[attr-defined]  # of every aggregate of ours
        made = self._services.journal.submission(decision.aggregate, division, write)
        self._remember(body, decision, made.entries)
        return decision, made.append

    def _remember(self, body: SignedBody, decision: Decision, entries: Sequence[Entry]) -> None:
        """Let the next decision on this stream rest on this one."""
        seen, stream = self._seen, decision.aggregate.id
        history = seen.histories.setdefault(stream, [])
        for entry in entries:
            place = next(self._places)
            history.append(Change(place, entry))
            seen.opened.update(
                {(place, who): dict(part.values) for who, part in body.private.items()}
            )
        seen.standing[stream] = decision.aggregate
        seen.keys.update(decision.sealing.fresh)

    def _leave(self, stream: UUID) -> None:
        """Decide nothing more about a stream: the aggregate may have half a change in it."""
        self._left.add(stream)
        self._seen.standing.pop(stream, None)

    def _told(self, decided: Sequence[_Decided], principal: Principal) -> list[tuple[Check, ...]]:
        """What the writer is told of each, asked for together."""
        sharing = self._services.vault.keys.sharing_each(one.decision.alike for one in decided)
        reading = Reading(
            services=self._services, recorded_at=self._services.clock(), seen=self._seen
        )
        return [
            (
                *one.decision.remarks,
                *remarks_on(reading, principal, one.decision.aggregate.id, shared),
            )
            for one, shared in zip(decided, sharing, strict=True)
        ]

    def _hand_in(
        self, decided: Sequence[_Decided], told: Sequence[tuple[Check, ...]]
    ) -> list[_Flight]:
        keep_keys(self._services, [one.decision for one in decided])
        # Durable: the keys of everyone in the group. Died here: keys that seal nothing.
        flights: list[_Flight] = []
        for one, remarks in zip(decided, told, strict=True):
            (event,) = one.append.events
            try:
                appended = self._services.journal.submit(one.append)
            except Backlogged:
                if flights:
                    flights[-1].appended.exception()  # so many fewer wait then
                appended = self._services.journal.submit(one.append)
            flights.append(_Flight(one.number, event, remarks, appended))
        return flights

    def _settle(self, flight: _Flight) -> None:
        try:
            appended = flight.appended.result()
        except Exception:  # noqa: BLE001  submitted singly, it is decided anew or refused in words
            return
        if not appended.replayed:
            self._written[flight.number] = Written(
                appended.first_position,
                flight.event.stream,
                flight.event.version,
                flight.event.entry,
                replayed=False,
                remarks=flight.remarks,
            )
