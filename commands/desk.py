"""The desk: takes signed writes, lets the domain decide, and appends.

One write is one transaction: the author's event, the effects it has on other streams, claims,
guards, envelopes and sealed values are stored together or not at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from uuid import UUID

import structlog

from commands import (
    appointments,
    bookings,
    certificates,
    corrections,
    enrolments,
    log_keys,
    merging,
    organisations,
    protection,
    records,
    registration,
    reports,
    statements,
    supplies,
    visits,
    walk_ins,
)
from commands.ahead import GROUP, Admitted, Ahead, Flight
from commands.another_look import ATTEMPTS, is_worth_another_look
from commands.answering import Written, first_answer
from commands.counter import Counter
from commands.duplicates import remarks
from commands.errors import (
    CommandError,
    KeyHeaderMismatch,
    KeyUnknown,
    SignatureRefused,
    WrongOrigin,
    WrongTopic,
)
from commands.principal import Principal
from commands.reading import Seen
from commands.recording import Recorded, record, request_digest, signed_of
from commands.services import Services
from commands.signed_body import SignedBody
from commands.standing import Standing
from commands.writing import Handler, Writing
from domain.codec import statement_fields
from domain.errors import DomainError
from domain.quality import Check
from domain.topics import EVENTS
from ledger.envelope import verify_evidence
from ledger.errors import EnvelopeError
from ledger.statement import Statement
from ledger.store.append import Guard
from ledger.store.errors import (
    ClaimNotHeld,
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyConflict,
    KeyReused,
    VersionConflict,
)
from ledger.store.together import Together

HANDLERS: Mapping[str, Handler] = {
    **organisations.HANDLERS,
    **registration.HANDLERS,
    **records.HANDLERS,
    **merging.HANDLERS,
    **protection.HANDLERS,
    **corrections.HANDLERS,
    **enrolments.HANDLERS,
    **statements.HANDLERS,
    **reports.HANDLERS,
    **log_keys.HANDLERS,
    **supplies.HANDLERS,
    **appointments.HANDLERS,
    **visits.HANDLERS,
}

_LOG = structlog.get_logger(__name__)


class Desk:
    """The one way to write."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._standing = Standing()
        self._company: Together[Admitted, Flight | None] = Together(
            self.hand_in, lambda flight: flight.appended if flight else None
        )
        self.certificates = certificates.Console(services)
        self.bookings = bookings.Bookings(services)
        self.walk_ins = walk_ins.WalkIns(services, self.bookings)
        self.counter = Counter(services, HANDLERS)
        self.visits = visits.Visits(services, self.certificates)

    def submit(self, body: SignedBody, principal: Principal, key: UUID) -> Written:
        """Take one signed write.

        Args:
            body: Envelope and private parts; its commitments were checked when it was parsed.
            principal: The caller.
            key: The Idempotency-Key header.

        Raises:
            CommandError: signature, key, permission, form.
            DomainError: a rule of the domain.
            StoreError: a conflict, or the database does not answer.
        """
        admitted = self.admit(body, principal, key)
        return self._in_company(admitted) or self.alone(admitted)

    def admit(self, body: SignedBody, principal: Principal, key: UUID) -> Admitted:
        """Let a write in, once its key, origin, topic and signature hold.

        Raises:
            CommandError: one of them does not.
        """
        if key != body.statement.idempotency_key:
            raise KeyHeaderMismatch
        return self._admit(body, principal)

    def submit_ahead(
        self, bodies: Sequence[SignedBody], principal: Principal
    ) -> list[Written | None]:
        """Take many signed writes at once, deciding each before those in front of it are stored.

        Returns:
            For each, in their order, where it stands; None for one that is to be submitted by
            itself, in its turn: nothing was stored of it, or it was stored before.
        """
        ahead = Ahead(self._services, self._writing, Standing(), is_patient=True)
        flights: list[Flight | None] = [None] * len(bodies)
        numbered = iter(enumerate(bodies))
        while group := list(islice(numbered, GROUP)):
            admitted = dict(self._admit_each(group, principal, ahead))
            try:
                handed_in = ahead.hand_in(list(admitted.values()))
            except Exception as error:  # noqa: BLE001  the rest is submitted singly, and says why
                _LOG.info("left_to_single_writes", error=type(error).__name__)
                break
            for number, flight in zip(admitted, handed_in, strict=True):
                flights[number] = flight
        return [_landed(flight) for flight in flights]

    def _admit_each(
        self, group: Sequence[tuple[int, SignedBody]], principal: Principal, ahead: Ahead
    ) -> Iterator[tuple[int, Admitted]]:
        for number, body in group:
            try:
                yield number, self._admit(body, principal)
            except Exception:  # noqa: BLE001  submitted singly, it is refused in its own words
                ahead.leave(body.statement.stream)

    def _in_company(self, admitted: Admitted) -> Written | None:
        """Take a write together with whatever others hand in at this moment.

        One thread reads for all of them, decides one after the other, and hands in to the writer;
        each waits for its own answer. A thread for each costs more in being woken up between its
        reads than in its decision: 2.0 ms of processor time a dose at 256 callers, 1.2 ms this way.

        Returns:
            None for one that is to be submitted alone: it is of another kind, it was refused, or
            something moved.
        """
        flight = self._company.ask(admitted) if admitted.is_for_company else None
        return None if flight is None else self.land(flight)

    def land(self, flight: Flight) -> Written | None:
        """Where a write stands that was handed in; waits for its commit.

        Returns:
            None for one that is to be submitted alone: it was stored before, or something moved.

        Raises:
            StoreError: The database does not answer.
        """
        try:
            written = flight.land()
        except (VersionConflict, GuardFailed, ClaimTaken, ClaimNotHeld, KeyReused, ClockBehind):
            return None
        if written is not None and (stood := flight.stands(written.position)):
            self._standing.keep(stood)
        return written

    def hand_in(self, company: Sequence[Admitted]) -> list[Flight | None]:
        """Decide writes one after the other, and hand them in; all are for company.

        Returns:
            For each its flight, to `land`; None for one that is to be submitted alone.
        """
        try:
            return Ahead(self._services, self._writing, self._standing).hand_in(company)
        except Exception as error:  # noqa: BLE001  each is submitted alone, and says why
            _LOG.info("left_to_single_writes", error=type(error).__name__)
            return [None] * len(company)

    def alone(self, admitted: Admitted) -> Written:
        """Decide and store one write by itself.

        Raises:
            CommandError, DomainError, StoreError: See `submit`.
        """
        statement = admitted.body.statement
        request = request_digest(admitted.body.envelope.payload)
        try:
            return self._decide(admitted, request)
        except (DomainError, CommandError, VersionConflict, ClaimTaken) as refused:
            return first_answer(
                self._services,
                admitted.author.stream,
                statement.idempotency_key,
                request,
                refused,
            )

    def _admit(self, body: SignedBody, principal: Principal) -> Admitted:
        """Let a write in, once its origin, topic and signature hold."""
        statement = body.statement
        if statement.origin != self._services.platform.origin:
            raise WrongOrigin(origin=self._services.platform.origin)
        if statement.topic not in HANDLERS:
            raise WrongTopic(topic=statement.topic)
        return Admitted(body, principal, self._verify(body, principal))

    def _verify(self, body: SignedBody, principal: Principal) -> Guard:
        if principal.organisation is None:
            raise KeyUnknown
        public, author = self._services.directory.judged(principal.organisation, body.keyid)
        try:
            verify_evidence(body.envelope, public)
        except EnvelopeError as error:
            raise SignatureRefused from error
        return author

    def _decide(self, admitted: Admitted, request: bytes) -> Written:
        body, principal, author = admitted.body, admitted.principal, admitted.author
        statement = body.statement
        for attempt in range(1, ATTEMPTS + 1):
            try:
                writing = self._writing(body, principal, Seen())
                decision = HANDLERS[statement.topic](writing)
                told = remarks(writing, principal, statement.stream, decision.alike)
                recorded = record(
                    self._services,
                    decision,
                    key=statement.idempotency_key,
                    request=request,
                    signed=signed_of(body, author.stream),
                    author=author,
                )
            except (GuardFailed, KeyConflict, ClaimTaken, ClockBehind) as moved:
                if attempt == ATTEMPTS or not is_worth_another_look(moved):
                    raise
                self._services.directory.forget(author.stream)
                author = self._verify(body, principal)
            else:
                return _written(recorded, statement, (*decision.remarks, *told))
        raise AssertionError

    def _writing(self, body: SignedBody, principal: Principal, seen: Seen) -> Writing:
        statement = body.statement
        return Writing(
            seen=seen,
            services=self._services,
            statement=statement,
            fields=statement_fields(EVENTS[statement.topic], statement.data),
            private=body.private,
            principal=principal,
            recorded_at=self._services.clock(),
        )


def _landed(flight: Flight | None) -> Written | None:
    try:
        return None if flight is None else flight.land()
    except Exception:  # noqa: BLE001  submitted singly, it is decided anew or refused in words
        return None


def _written(recorded: Recorded, statement: Statement, remarks: tuple[Check, ...]) -> Written:
    return Written(
        recorded.position,
        statement.stream,
        statement.expected_version + 1,
        recorded.entry,
        replayed=recorded.replayed,
        remarks=remarks,
    )
