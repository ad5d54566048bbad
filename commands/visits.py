"""Visits: a citizen shows a code, a clinic scans it and signs the steps that follow (C-19)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from commands.answering import Written, first_answer
from commands.behalf import record_for
from commands.certificates import Console
from commands.citizens import Asked
from commands.errors import CommandError, Forbidden, NotFound
from commands.kept_bookings import awaited, check_kept, redeemed_by
from commands.permissions import Scope, check_read, check_write
from commands.principal import Principal
from commands.reading import Reading
from commands.services import Services
from commands.show_codes import NONCE_BYTES, ShowCode
from commands.states import check_readable, states_of
from commands.vault import NOTHING_SEALED
from commands.writing import Decision, Handler, Writing
from domain.appointment import Appointment
from domain.certificate import Certificate, NotClaimed
from domain.dose import DoseState
from domain.errors import DomainError
from domain.grant import GrantEnded
from domain.show_code import ShowCodeUsed
from domain.topics import people
from domain.vaccination_record import VaccinationRecord
from domain.visit import DoseNotOfVisit, Presenter, Queued, Visit
from ledger.store.append import Claim, Guard
from ledger.store.errors import ClaimTaken, GuardFailed, VersionConflict

SHOWN = "show-code"
QUEUE = "visit-queue"
MOST_A_DAY = 100_000
_ATTEMPTS = 200


class Visits:
    """Codes shown, and visits opened with them."""

    def __init__(self, services: Services, console: Console) -> None:
        self._services = services
        self._console = console

    @property
    def _key(self) -> bytes:
        return self._services.vault.keys.digest(SHOWN, "sealing key")

    def show(self, caller: Principal, stream: UUID) -> ShowCode:
        """A fresh code, for the holder or a grantee with the scope `show-code`.

        Raises:
            Forbidden, NotFound: not a citizen; not the caller's to show.
            Restricted, Erased: the record may not be processed.
        """
        certificate, presenter = self._console.use.shows_code(caller, stream)
        now = self._services.clock()
        made_at = now - timedelta(microseconds=now.microsecond % 1000)
        return ShowCode(self._services.random(NONCE_BYTES), certificate.id, presenter, made_at)

    def text(self, code: ShowCode) -> str:
        """The text of a code."""
        return code.text(self._key)

    def open(self, caller: Principal, key: UUID, text: str) -> Written:
        """Open a visit with a code that somebody shows at the caller's clinic.

        Args:
            caller: Of the clinic.
            key: Idempotency key.
            text: The code.

        Raises:
            Forbidden: not of a clinic.
            DomainError: see `domain.show_code`; GrantEnded, NotClaimed where that has changed.
            Restricted, Erased: the record may not be processed.
        """
        if caller.organisation is None:
            raise Forbidden(what="visit", role=str(caller.role))
        clinic = self._services.directory.organisation(caller.organisation)
        check_write(caller, Visit.Opened.TOPIC, Scope(clinic.division, acting=clinic.id))
        asked = Asked(caller, key, "open-visit", None, {"code": text})
        for _ in range(_ATTEMPTS):
            try:
                return record_for(self._services, asked, self._opened(clinic.id, text), {})
            except ClaimTaken as taken:
                if taken.kind == SHOWN:
                    return self._first_answer(asked, ShowCodeUsed())
            except (DomainError, CommandError) as refused:
                return self._first_answer(asked, refused)
            except (VersionConflict, GuardFailed):
                continue  # a grant or the record moved meanwhile
        raise AssertionError("a queue moves on")

    def visit(self, caller: Principal, stream: UUID) -> Visit:
        """A visit, for its clinic; to everyone else it does not exist.

        Raises:
            NotFound: there is none, or it is another clinic's.
        """
        found = self._reading().load(Visit, stream)
        try:
            check_read(caller, "visit", Scope(found.division, managing=found.clinic))
        except Forbidden as error:
            raise NotFound from error
        check_readable(self._services.reader, found.record)
        return found

    def today(self, caller: Principal, most: int) -> list[Visit]:
        """The newest visits of the caller's clinic on this day, whose records may be processed.

        Raises:
            Forbidden: not of a clinic.
        """
        reading, clinic = self._reading(), caller.organisation
        if clinic is None:
            raise Forbidden(what="visit", role=str(caller.role))
        check_read(caller, "visit", Scope(caller.division, managing=clinic))
        first, last = (_queue_key(clinic, reading.today, number) for number in (1, MOST_A_DAY))
        keys = sorted(self._services.reader.claims.held_within(QUEUE, first, last))[-most:]
        streams = [stream for _, stream in self._services.reader.claims.holders((QUEUE,), keys)]
        found = [reading.load(Visit, stream) for stream in streams]
        hidden = states_of(self._services.reader, [visit.record for visit in found])
        shown = [visit for visit in found if visit.record not in hidden]
        return sorted(shown, key=lambda visit: visit.queue_number, reverse=True)

    def given(self, visit: Visit) -> list[DoseState]:
        """The doses that a visit may name: of its record, by its clinic, on its day."""
        reading = self._reading()
        record = reading.load(VaccinationRecord, visit.record)
        return list(_given(record, visit, reading.today))

    def awaited(self, visit: Visit) -> list[Appointment]:
        """The bookings of the visitor for this clinic and day, which the visit may keep."""
        return awaited(self._reading(), visit)

    def _opened(self, clinic: UUID, text: str) -> Decision:
        reading = self._reading()
        code = ShowCode.read(text, self._key, reading.recorded_at)
        certificate = reading.load(Certificate, code.certificate)
        record = reading.load(VaccinationRecord, certificate.record)
        stream, today = self._services.new_id(), reading.today
        number = self._next_number(clinic, today)
        visit = Visit.open(
            stream,
            derived=Queued(number, code.presenter),
            recorded_at=reading.recorded_at,
            record=record.id,
            certificate=certificate.id,
            clinic=clinic,
            division=self._services.directory.organisation(clinic).division,
            on=today,
            presenter=_presenter(certificate, code.presenter, today),
        )
        return Decision(
            visit,
            NOTHING_SEALED,
            guards=(Guard(certificate.id, certificate.version),),
            claims=(
                Claim(SHOWN, code.nonce, stream),
                Claim(QUEUE, _queue_key(clinic, today, number), stream),
            ),
        )

    def _next_number(self, clinic: UUID, today: date) -> int:
        first, last = (_queue_key(clinic, today, number) for number in (1, MOST_A_DAY))
        return len(self._services.reader.claims.held_within(QUEUE, first, last)) + 1

    def _first_answer(self, asked: Asked, refused: Exception) -> Written:
        platform = self._services.platform.organisation
        return first_answer(self._services, platform, asked.own_key, asked.digest, refused)

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock())


def register(writing: Writing) -> Decision:
    """Register who is there, and which booking is kept."""
    decision, stream = _step(writing, Visit.register), writing.fields.get("appointment")
    if stream is None:
        return decision
    kept = check_kept(writing, *_own(writing), stream)
    return replace(decision, guards=(Guard(kept.id, kept.version),))


def vaccinate(writing: Writing) -> Decision:
    """Name the doses, which the record has by now; the booking that is kept is redeemed."""
    visit, record = _own(writing)
    given = {dose.dose for dose in _given(record, visit, writing.today)}
    missing = [str(dose) for dose in writing.fields["doses"] if dose not in given]
    if missing:
        raise DoseNotOfVisit(doses=missing)
    effects, claims = redeemed_by(writing, visit, record, writing.fields["doses"])
    guards = (Guard(record.id, record.version),)
    return replace(_step(writing, Visit.vaccinate), guards=guards, effects=effects, claims=claims)


def observe(writing: Writing) -> Decision:
    """End the observation."""
    return _step(writing, Visit.end_observation)


def leave(writing: Writing) -> Decision:
    """End a visit without a dose."""
    return _step(writing, Visit.leave)


def _step(writing: Writing, step: Callable[..., None]) -> Decision:
    visit, record = _own(writing)
    roles = people(writing.statement.topic, writing.fields, recipient=record.recipient)
    sealing, _ = writing.seal(roles)
    step(visit, recorded_at=writing.recorded_at, sealed=sealing.sealed, **writing.fields)
    return Decision(visit, sealing)


def _given(record: VaccinationRecord, visit: Visit, today: date) -> Iterator[DoseState]:
    for dose in record.doses_on(today):
        if (dose.clinic, dose.occurred_on) == (visit.clinic, visit.on):
            yield dose


def _own(writing: Writing) -> tuple[Visit, VaccinationRecord]:
    visit = writing.target(Visit)
    writing.permit(Scope(visit.division, acting=visit.clinic))
    return visit, writing.load(VaccinationRecord, visit.record)


def _presenter(certificate: Certificate, who: UUID, today: date) -> Presenter:
    """Whether the one who showed the code may still.

    Raises:
        NotClaimed, GrantEnded: not any more.
    """
    if certificate.is_released:
        raise NotClaimed
    if who == certificate.holder:
        return Presenter.HOLDER
    if not any(
        grant.grantee == who and "show-code" in grant.scope
        for grant in certificate.active_grants(today)
    ):
        raise GrantEnded
    return Presenter.GRANTEE


def _queue_key(clinic: UUID, day: date, number: int) -> bytes:
    return clinic.bytes + day.toordinal().to_bytes(4) + number.to_bytes(4)


HANDLERS: Mapping[str, Handler] = {
    "visit.registered.v1": register,
    "visit.vaccinated.v1": vaccinate,
    "visit.observed.v1": observe,
    "visit.left.v1": leave,
}
