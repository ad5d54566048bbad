"""The desk: takes signed writes, lets the domain decide, and appends.

One write is one transaction: the author's event, the effects it has on other streams, claims,
guards, envelopes and sealed values are stored together or not at all.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

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
from commands.ahead import Ahead
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
from commands.seats import SEAT
from commands.services import Services
from commands.signed_body import SignedBody
from commands.statements import PAPER_DIFFERS
from commands.writing import PERSON, Handler, Writing
from domain.codec import statement_fields
from domain.errors import DomainError
from domain.quality import Check
from domain.topics import EVENTS
from ledger.envelope import verify_evidence
from ledger.errors import EnvelopeError
from ledger.statement import Statement
from ledger.store.errors import (
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyConflict,
    VersionConflict,
)

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
ATTEMPTS = 3
"""How often a decision is made anew when a stream it rests on moved in between."""


class Desk:
    """The one way to write."""

    def __init__(self, services: Services) -> None:
        self._services = services
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
        statement = body.statement
        if key != statement.idempotency_key:
            raise KeyHeaderMismatch
        organisation = self._admit(body, principal)
        request = request_digest(body.envelope.payload)
        try:
            return self._decide(body, principal, organisation, request)
        except (DomainError, CommandError, VersionConflict, ClaimTaken) as refused:
            return first_answer(
                self._services, organisation, statement.idempotency_key, request, refused
            )

    def submit_ahead(
        self, bodies: Sequence[SignedBody], principal: Principal
    ) -> list[Written | None]:
        """Take many signed writes at once, deciding each before those in front of it are stored.

        Returns:
            For each, in their order, where it stands; None for one that is to be submitted by
            itself, in its turn: nothing was stored of it, or it was stored before.
        """
        ahead = Ahead(self._services, self._admit, self._writing)
        return ahead.submit(bodies, principal)

    def _admit(self, body: SignedBody, principal: Principal) -> UUID:
        """Return in whose name a write is, once its origin, topic and signature hold."""
        statement = body.statement
        if statement.origin != self._services.platform.origin:
            raise WrongOrigin(origin=self._services.platform.origin)
        if statement.topic not in HANDLERS:
            raise WrongTopic(topic=statement.topic)
        return self._verify(body, principal)

    def _verify(self, body: SignedBody, principal: Principal) -> UUID:
        if principal.organisation is None:
            raise KeyUnknown
        public = self._services.directory.public_key(principal.organisation, body.keyid)
        try:
            verify_evidence(body.envelope, public)
        except EnvelopeError as error:
            raise SignatureRefused from error
        return principal.organisation

    def _decide(
        self, body: SignedBody, principal: Principal, organisation: UUID, request: bytes
    ) -> Written:
        statement = body.statement
        for attempt in range(1, ATTEMPTS + 1):
            try:
                writing = self._writing(body, principal)
                decision = HANDLERS[statement.topic](writing)
                told = remarks(writing, principal, statement.stream, decision.alike)
                recorded = record(
                    self._services,
                    decision,
                    key=statement.idempotency_key,
                    request=request,
                    signed=signed_of(body, organisation),
                )
            except (GuardFailed, KeyConflict, ClaimTaken, ClockBehind) as moved:
                if attempt == ATTEMPTS or not _is_worth_another_look(moved):
                    raise
                self._services.directory.forget(organisation)
                self._verify(body, principal)
            else:
                return _written(recorded, statement, (*decision.remarks, *told))
        raise AssertionError

    def _writing(self, body: SignedBody, principal: Principal, seen: Seen | None = None) -> Writing:
        statement = body.statement
        return Writing(
            seen=seen or Seen(),
            services=self._services,
            statement=statement,
            fields=statement_fields(EVENTS[statement.topic], statement.data),
            private=body.private,
            principal=principal,
            recorded_at=self._services.clock(),
        )


def _is_worth_another_look(moved: Exception) -> bool:
    """Whether what was in the way can be seen and taken into account by now.

    A clock is behind when the write waited for seconds while other processes appended: deciding
    again takes a fresh time, and a clock that is really behind is refused in the end.
    A guardian's handle that another record took meanwhile is a sibling's guardian at the next look;
    instead of a seat that somebody took meanwhile another one is withdrawn; a statement that a
    difference came before is refused with its reason.
    """
    return not isinstance(moved, ClaimTaken) or moved.kind in (PERSON, SEAT, PAPER_DIFFERS)


def _written(recorded: Recorded, statement: Statement, remarks: tuple[Check, ...]) -> Written:
    return Written(
        recorded.position,
        statement.stream,
        statement.expected_version + 1,
        recorded.entry,
        replayed=recorded.replayed,
        remarks=remarks,
    )
