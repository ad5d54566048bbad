"""Checks looked at again once their child's record was corrected, by the platform (C-21).

A correction counts from the next day on; then each check that it may concern is restated, whether
it reads otherwise or not, so that nobody looks twice. Each has a key of its own: processes that do
so at once append it once.
"""

from collections.abc import Iterable
from uuid import UUID

from commands.calendar import append_once
from commands.enrolments import look_again
from commands.errors import CommandError
from commands.reading import Reading
from commands.services import Services
from commands.vault import NOTHING_SEALED
from commands.writing import Decision
from domain.enrolment import Enrolment
from domain.errors import DomainError


def restate_checks(services: Services, due: Iterable[tuple[UUID, UUID]]) -> int:
    """Restate checks, each as the log has it now.

    Args:
        services: The running parts.
        due: Enrolments, each with a correction that counts by now, as a read model thinks.

    Returns:
        How many were restated, here or elsewhere at the same moment.

    Raises:
        StoreUnavailable: A database does not answer.
    """
    return sum(_restate(services, *one) for one in due)


def _restate(services: Services, stream: UUID, correction: UUID) -> bool:
    reading = Reading(services=services, recorded_at=services.clock())
    enrolment = reading.stored(Enrolment, stream)
    try:
        guards = look_again(reading, enrolment, correction)
    except (CommandError, DomainError):
        return False  # the read model was behind, or the record may not be processed
    decision = Decision(enrolment, NOTHING_SEALED, guards=guards)
    return append_once(services, decision, f"restated {stream} {correction}")
