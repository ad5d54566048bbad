"""What staff enter at a page: the platform signs, and the entry says so.

Whoever sits at a page has no signing key. The platform knows them by their access token, holds
them to the same table of permissions, and signs; the entry's author is then the platform, and the
clinic stands among the fields. Whose account it was is sealed with the entry, under the key of whom
it is about, and noted in the access journal before anything is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commands.another_look import ATTEMPTS, is_worth_another_look
from commands.answering import Written, first_answer
from commands.duplicates import remarks
from commands.errors import CommandError, Forbidden
from commands.principal import Principal, Role
from commands.reading import Reading
from commands.recording import platform_signed, record, request_digest
from commands.services import Services
from commands.signed_body import PrivatePart
from commands.writing import Handler, Writing
from domain.appointment import Appointment
from domain.codec import statement_fields
from domain.correction import Correction
from domain.errors import DomainError
from domain.registration import Registered
from domain.topics import EVENTS
from domain.vaccination_record import VaccinationRecord
from domain.visit import Visit
from ledger.entry import Entry
from ledger.jcs import canonical
from ledger.statement import Statement
from ledger.store.errors import (
    ClaimTaken,
    GuardFailed,
    KeyConflict,
    KeyReused,
    VersionConflict,
)

_FORMS = frozenset(
    {
        "enrolment.enrolled.v1",
        "enrolment.notice-given.v1",
        "preparation.recorded.v1",
        "register-report.submitted.v1",
        "roll-up-report.submitted.v1",
    }
)
"""Entries that seal nothing: the access journal alone tells whose account it was."""

_SUPPLY = frozenset(f"slot-supply.{step}.v1" for step in ("opened", "raised", "lowered", "closed"))
"""About no person either."""

TOPICS: Mapping[Role, frozenset[str]] = {
    Role.CLINIC: frozenset(
        {
            "vaccination-record.registered.v1",
            "vaccination-record.dose-administered.v1",
            "correction.requested.v1",
            "correction.verified.v1",
            "correction.applied.v1",
            "correction.rejected.v1",
            "correction.withdrawn.v1",
            "visit.registered.v1",
            "visit.vaccinated.v1",
            "visit.observed.v1",
            "visit.left.v1",
            "appointment.verified.v1",
            "appointment.redeemed.v1",
            "appointment.called-off.v1",
        }
    )
    | _SUPPLY,
    **dict.fromkeys((Role.SCHOOL, Role.TOWNSHIP, Role.COUNTY_CDC, Role.CITY_CDC), _FORMS),
}
"""What may be entered at a page, by whom."""


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody entered.

    Attributes:
        caller: Who.
        key: Names this entry of theirs for ever; sent again, it is written once.
        topic: Kind of the event.
        stream: Id of the aggregate.
        expected_version: Its version as the page showed it, 0 for a new one.
        data: The clear fields.
        private: Values to seal, by person.
    """

    caller: Principal
    key: UUID
    topic: str
    stream: UUID
    expected_version: int
    data: Mapping[str, Any]
    private: Mapping[UUID, Mapping[str, Any]]

    @property
    def own_key(self) -> UUID:
        """The idempotency key: of this content, entered once by this account.

        What the platform signs has new salts each time, so the key itself must tell whether the
        same was entered before.
        """
        entered = {
            "subject": self.caller.subject,
            "key": str(self.key),
            "topic": self.topic,
            "stream": str(self.stream),
            "expected_version": self.expected_version,
            "data": dict(self.data),
            "private": {str(who): dict(values) for who, values in self.private.items()},
        }
        return UUID(bytes=request_digest(canonical(entered))[:16], version=4)


class Counter:
    """Takes what staff enter, decides as for a signed write, and signs as the platform.

    Args:
        services: The running parts.
        handlers: What decides, by topic.
    """

    def __init__(self, services: Services, handlers: Mapping[str, Handler]) -> None:
        self._services = services
        self._handlers = handlers

    def enter(self, form: Form) -> Written:
        """Write what was entered.

        Raises:
            Forbidden: it is not theirs to write.
            DomainError: a rule of the domain.
            StoreError: a conflict, or the database does not answer.
        """
        if form.topic not in TOPICS.get(form.caller.role, ()):
            raise Forbidden(what=form.topic, role=str(form.caller.role))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._write(form)
            except (DomainError, CommandError, VersionConflict, KeyReused) as refused:
                return self._first_answer(form, refused)
            except (GuardFailed, KeyConflict, ClaimTaken) as moved:
                if attempt == ATTEMPTS or not is_worth_another_look(moved):
                    return self._first_answer(form, moved)
        raise AssertionError

    def _first_answer(self, form: Form, refused: Exception) -> Written:
        """The answer that the same form had before; raises `refused` if it had none."""
        platform = self._services.platform.organisation
        earlier = self._services.reader.answered(platform, form.own_key)
        if earlier is None:
            raise refused
        return first_answer(self._services, platform, form.own_key, earlier.request, refused)

    def _write(self, form: Form) -> Written:
        services = self._services
        private = self._signed_off(form)
        sealed = {who: services.vault.part(values) for who, values in private.items()}
        statement = services.platform.statement(
            key=form.own_key,
            topic=form.topic,
            stream=form.stream,
            expected_version=form.expected_version,
            data=form.data,
            commitments={who: commitment for who, (_, commitment) in sealed.items()},
        )
        parts = {who: part for who, (part, _) in sealed.items()}
        writing = self._writing(form, statement, parts)
        decision = self._handlers[form.topic](writing)
        told = remarks(writing, form.caller, form.stream, decision.alike)
        recorded = record(
            services,
            decision,
            key=form.own_key,
            request=request_digest(statement.encode()),
            signed=platform_signed(services, statement),
        )
        entry = Entry.decode(recorded.entry)  # after a replay, that of the first answer
        return Written(
            recorded.position,
            entry.stream,
            entry.version,
            recorded.entry,
            replayed=recorded.replayed,
            remarks=(*decision.remarks, *told),
        )

    def _signed_off(self, form: Form) -> dict[UUID, Mapping[str, Any]]:
        """What is sealed, with the account of who entered it: the entry tells it for ever."""
        if form.topic in _FORMS | _SUPPLY:
            return dict(form.private)
        recipient = self._recipient(form)
        own = {**form.private.get(recipient, {}), "entered_by": form.caller.subject}
        return {**form.private, recipient: own}

    def _recipient(self, form: Form) -> UUID:
        """Whose record it concerns."""
        if form.topic == Registered.TOPIC:
            return UUID(str(form.data["recipient"]))
        reading = Reading(services=self._services, recorded_at=self._services.clock())
        if form.topic.startswith("appointment."):
            return reading.load(Appointment, form.stream).person
        record = form.stream
        if form.topic == Correction.Requested.TOPIC:
            record = UUID(str(form.data["record"]))
        elif form.topic.startswith("correction."):
            record = reading.load(Correction, form.stream).record
        elif form.topic.startswith("visit."):
            record = reading.load(Visit, form.stream).record
        return reading.load(VaccinationRecord, record).recipient

    def _writing(
        self, form: Form, statement: Statement, parts: Mapping[UUID, PrivatePart]
    ) -> Writing:
        return Writing(
            services=self._services,
            recorded_at=self._services.clock(),
            statement=statement,
            fields=statement_fields(EVENTS[form.topic], statement.data),
            private=parts,
            principal=form.caller,
        )
