"""Checks looked at again once their child's record was corrected, by the platform (C-21).

A correction counts from the next day on; then each check that it may concern is restated, whether
it reads otherwise or not, so that nobody looks twice. Each has a key of its own: processes that do
so at once append it once, and whoever goes on after a crash appends what is missing.

Many are read at once, decided one after the other and handed in together, each with its own guards:
a thousand alone cost a second of reading and waiting for commits more. While they are stored and go
through the views, the next are read and decided.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from itertools import islice
from uuid import UUID

from commands.calendar import MOVED, append_of, append_once
from commands.enrolments import look_again
from commands.errors import CommandError
from commands.reading import Reading
from commands.services import Services
from commands.vault import NOTHING_SEALED
from commands.writing import Decision
from domain.enrolment import Enrolment
from domain.errors import DomainError
from domain.vaccination_record import VaccinationRecord
from ledger.store.append import Appended

Due = tuple[UUID, UUID]
"""An enrolment, and a correction that counts by now, as a read model thinks."""

Flight = tuple[Due, "Future[Appended]"]
"""What was handed in, and its answer."""

TOGETHER = 125
"""Checks that are read, decided and handed in at once: what one commit of the writer holds."""


def restate_checks(services: Services, due: Iterable[Due]) -> int:
    """Restate checks, each as the log has it now.

    Args:
        services: The running parts.
        due: Which; those of one enrolment one after the other.

    Returns:
        How many were restated by this call.

    Raises:
        StoreError: A database does not answer, or takes no more; what was restated by then stands.
    """
    waiting = iter(due)
    restated = 0
    flying: list[Flight] = []
    while some := list(islice(waiting, TOGETHER)):
        before, flying = flying, _hand_in_together(services, some)
        restated += _land_all(services, before)
    return restated + _land_all(services, flying)


def _hand_in_together(services: Services, due: Sequence[Due]) -> list[Flight]:
    """Decide first and hand in then: what is handed in at once is stored by one commit."""
    reading = Reading(services=services, recorded_at=services.clock())
    _read(reading, due)
    appends = [
        (one, append_of(services, decision, _name(*one)))
        for one in due
        if (decision := _decide(reading, *one)) is not None
    ]
    # Crash from here on: those that are stored are due no more, the others still are.
    return [(one, services.journal.submit(append)) for one, append in appends]


def _land_all(services: Services, flights: Iterable[Flight]) -> int:
    return sum(_land(services, *flight) for flight in flights)


def _read(reading: Reading, due: Sequence[Due]) -> None:
    """Read the enrolments with their corrections, and the records with who they are of."""
    reading.read([stream for one in due for stream in one])
    standing = reading.seen.standing
    streams = {stream for stream, _ in due if reading.exists(stream)}
    enrolments = [reading.stored(Enrolment, stream) for stream in streams]
    records = {enrolment.record for enrolment in enrolments}
    reading.read(records)
    reading.open_recipients(records)
    standing.update((one.id, one) for one in enrolments)
    standing.update((one, reading.stored(VaccinationRecord, one)) for one in records)


def _land(services: Services, one: Due, flight: "Future[Appended]") -> bool:
    """Wait for an answer; what was decided on something that moved is decided again, alone."""
    try:
        return not flight.result().replayed
    except MOVED:
        decision = _decide(Reading(services=services, recorded_at=services.clock()), *one)
        return decision is not None and append_once(services, decision, _name(*one))


def _decide(reading: Reading, stream: UUID, correction: UUID) -> Decision | None:
    """Look again; None where there is nothing to look at.

    The read model was behind, or the record may not be processed.
    """
    try:
        enrolment = reading.stored(Enrolment, stream)
        guards = look_again(reading, enrolment, correction)
    except (CommandError, DomainError):
        return None
    return Decision(enrolment, NOTHING_SEALED, guards=guards)


def _name(stream: UUID, correction: UUID) -> str:
    return f"restated {stream} {correction}"
