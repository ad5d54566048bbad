"""Many writes decided ahead of their commits: a bulk request, or all that callers hand in at once.

By itself each write reads its stream, opens what is sealed in it, and waits for its commit before
the next of the stream may be decided. Here streams, keys and sealed values of a whole group are
read at once, each decision rests on those before it, and all are handed to the writer together.
The store judges each as ever: versions, guards, claims and idempotency keys. What it refuses, and
whatever follows on that stream, is left to be submitted singly; so a mistake here costs time only.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from typing import Protocol
from uuid import UUID

from commands import records, registration
from commands.answering import Written
from commands.duplicates import remarks_on
from commands.permissions import may_ever_write
from commands.principal import Principal
from commands.reading import Change, Reading, Seen
from commands.recording import keep_keys, request_digest, signed_of, write_of
from commands.services import Services
from commands.signed_body import SignedBody
from commands.standing import Standing, Stood
from commands.writing import Decision, Writing
from domain.quality import Check
from ledger.entry import Entry
from ledger.store.append import Append, Appended, Guard, NewEvent
from ledger.store.errors import Backlogged

GROUP = 250
"""Writes that are read, decided and handed in at once: some tenths of a second."""

_HANDLERS = {**registration.HANDLERS, **records.HANDLERS}
"""Writes that concern one record; others are submitted singly."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A write whose origin, topic and signature hold.

    Attributes:
        body: What was handed in.
        principal: By whom.
        author: In whose name, and at which version of the organisation its key was judged.
    """

    body: SignedBody
    principal: Principal
    author: Guard

    @property
    def is_for_company(self) -> bool:
        """Whether it may be decided with others; for whom may never write so, nothing is read."""
        topic = self.body.statement.topic
        return topic in _HANDLERS and may_ever_write(self.principal, topic)


class _WritingOf(Protocol):
    """Makes a write of a body."""

    def __call__(self, body: SignedBody, principal: Principal, seen: Seen) -> Writing:
        """Return the write, which rests on what was seen."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """A write that was decided.

    Attributes:
        number: Of the write in its group.
        principal: Who hands it in.
        decision: What was decided.
        append: What is stored.
    """

    number: int
    principal: Principal
    decision: Decision
    append: Append


@dataclass(frozen=True, slots=True)
class Flight:
    """A write that was handed in."""

    event: NewEvent
    remarks: tuple[Check, ...]
    stood: Stood
    appended: "Future[Appended]"

    def stands(self, position: int) -> Stood | None:
        """The record as it stands once this is stored; None where more was decided about it."""
        *earlier, newest = self.stood.history
        if newest.entry.version != self.event.version or any(one.position < 0 for one in earlier):
            return None
        return Stood(self.stood.aggregate, [*earlier, newest._replace(position=position)])

    def land(self) -> Written | None:
        """Where it stands; None for one that was stored before.

        Raises:
            StoreError: It was not stored, or the database does not answer.
        """
        appended = self.appended.result()
        if appended.replayed:
            return None
        return Written(
            appended.first_position,
            self.event.stream,
            self.event.version,
            self.event.entry,
            replayed=False,
            remarks=self.remarks,
        )


class Ahead:
    """Writes that rest on one another.

    Args:
        services: The running parts.
        writing: Makes a write of a body.
        standing: Records that need not be read again.
        is_patient: Whether to wait where too much is queued, instead of leaving what is too much.
    """

    def __init__(
        self,
        services: Services,
        writing: _WritingOf,
        standing: Standing,
        *,
        is_patient: bool = False,
    ) -> None:
        self._services = services
        self._writing = writing
        self._standing = standing
        self._is_patient = is_patient
        self._seen = Seen()
        self._left: set[UUID] = set()
        self._places = count(-1, -1)  # of entries that are nowhere yet

    def hand_in(self, group: Sequence[Admitted]) -> list[Flight | None]:
        """Hand in what can be decided of a group.

        Returns:
            For each, in their order, its flight; None for one that is to be submitted singly.

        Raises:
            Exception: Nothing more should be handed in. Among others somebody else made a person's
                key at this moment, or too much waits: what was decided on such keys must not be
                stored, so all of the group is to be submitted singly.
        """
        decided = self._decide(group)
        flights: list[Flight | None] = [None] * len(group)
        keep_keys(self._services, [one.decision for one in decided])
        # Durable: the keys of everyone in the group. Died here: keys that seal nothing.
        for one, flight in zip(decided, self._flights(decided), strict=True):
            flights[one.number] = flight
        return flights

    def leave(self, stream: UUID) -> None:
        """Decide nothing more about a stream: the aggregate may have half a change in it."""
        self._left.add(stream)
        self._seen.standing.pop(stream, None)

    def _decide(self, group: Sequence[Admitted]) -> list[_Decided]:
        self._read([one.body for one in group if one.is_for_company])
        decided = []
        for number, one in enumerate(group):
            stream = one.body.statement.stream
            if not self._is_next(one):
                self.leave(stream)
                continue
            try:
                decision, append = self._one(one)
            except Exception:  # noqa: BLE001  submitted singly, it is refused in its own words
                self.leave(stream)
            else:
                decided.append(_Decided(number, one.principal, decision, append))
        return decided

    def _is_next(self, one: Admitted) -> bool:
        """Whether a write goes on from what was decided of its stream, and is of such a kind."""
        statement = one.body.statement
        standing = self._seen.standing.get(statement.stream)
        if statement.stream in self._left or not one.is_for_company:
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
        wanted = {
            body.statement.stream: body.statement.expected_version
            for body in bodies
            if body.statement.expected_version and body.statement.stream not in seen.histories
        }
        for stream, version in wanted.items():
            if stood := self._standing.take(stream, version):
                seen.standing[stream], seen.histories[stream] = stood
        reading = self._reading()
        reading.read(wanted)
        reading.open_recipients(wanted)

    def _one(self, one: Admitted) -> tuple[Decision, Append]:
        body = one.body
        writing = self._writing(body, one.principal, self._seen)
        decision = _HANDLERS[body.statement.topic](writing)
        assert not decision.effects, "these writes concern one record"
        write = write_of(
            self._services,
            decision,
            key=body.statement.idempotency_key,
            request=request_digest(body.envelope.payload),
            signed=signed_of(body, one.author.stream),
            author=one.author,
        )
        made = self._services.journal.submission(decision.aggregate, write)
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

    def _flights(self, decided: Sequence[_Decided]) -> Iterator[Flight | None]:
        """Hand in one after the other; nothing waits for what comes behind it."""
        flight: Flight | None = None
        for one, remarks in zip(decided, self._told(decided), strict=True):
            (event,) = one.append.events
            try:
                appended = self._services.journal.submit(one.append)
            except Backlogged:
                if not self._is_patient:
                    yield None
                    continue
                if flight is not None:
                    flight.appended.exception()  # so many fewer wait then
                appended = self._services.journal.submit(one.append)
            stood = Stood(one.decision.aggregate, self._seen.histories[event.stream])
            flight = Flight(event, remarks, stood, appended)
            yield flight

    def _told(self, decided: Sequence[_Decided]) -> list[tuple[Check, ...]]:
        """What the writer is told of each, asked for together."""
        sharing = self._services.vault.keys.sharing_each(one.decision.alike for one in decided)
        reading = self._reading()
        return [
            (
                *one.decision.remarks,
                *remarks_on(reading, one.principal, one.decision.aggregate.id, shared),
            )
            for one, shared in zip(decided, sharing, strict=True)
        ]

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock(), seen=self._seen)
