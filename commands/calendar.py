"""What days and minutes bring about by themselves: holds that ran out, people who did not come.

Signed by the platform. Each event has a key of its own that follows from the appointment and what
happened, so two processes that turn the same day append it once, and a crash in between leaves
nothing half done: an event and its claims are one transaction.
"""

from collections.abc import Collection
from uuid import UUID, uuid5

from commands.appointments import ended, seat_given_back
from commands.reading import Reading
from commands.recording import platform_signed, request_digest, statement_of, write_of
from commands.services import Services
from commands.vault import NOTHING_SEALED
from commands.writing import Decision, Effect
from domain.appointment import Appointment, NotDueYet
from domain.booking.lifecycle import State
from domain.booking.refusal import BookingRefused
from ledger.store.append import Append
from ledger.store.errors import (
    ClaimNotHeld,
    ClockBehind,
    GuardFailed,
    KeyReused,
    VersionConflict,
)

MOVED = (VersionConflict, GuardFailed, ClaimNotHeld, ClockBehind, KeyReused)
"""What a decision meets where something that it rests on moved; nothing is stored then.

A key is taken where another process did the same on another version of the stream.
"""

_NAMESPACE = UUID("c7b8e1b4-6a43-4d2e-9a55-8d6a0f0b5c21")


def end_appointments(services: Services, over: Collection[UUID]) -> int:
    """End appointments whose time is over, each as the log has it now.

    Args:
        services: The running parts.
        over: Streams that a read model thinks are over; the newest state decides.

    Returns:
        How many ended, here or elsewhere at the same moment.

    Raises:
        StoreUnavailable: A database does not answer.
    """
    return sum(_end(services, stream) for stream in over)


def _end(services: Services, stream: UUID) -> bool:
    reading = Reading(services=services, recorded_at=services.clock())
    appointment = reading.stored(Appointment, stream)
    given_back = ended(reading, appointment)
    rules = services.rules.booking
    try:
        if appointment.state is State.HELD:
            appointment.expire(rules=rules, recorded_at=reading.recorded_at)
            given_back = (seat_given_back(appointment), *given_back)
        else:
            appointment.miss(rules=rules, recorded_at=reading.recorded_at)
    except (NotDueYet, BookingRefused):
        return False  # the read model was behind
    decision = Decision(appointment, NOTHING_SEALED, claims=given_back)
    return append_once(services, decision, f"{appointment.state} {appointment.id}")


def append_once(services: Services, decision: Decision, what: str) -> bool:
    """Append the one event of a decision in the platform's name.

    Args:
        services: The running parts.
        decision: Without effects, and with nothing sealed.
        what: Names what happened, for ever: its key follows from it.

    Returns:
        Whether it stands now by this call; not where what it rests on moved: the next round looks
        again.

    Raises:
        StoreUnavailable: A database does not answer.
    """
    try:
        append = append_of(services, decision, what)
        return not services.journal.submit(append).result().replayed
    except MOVED:
        return False


def append_of(services: Services, decision: Decision, what: str) -> Append:
    """Return what is handed in for the one event of a decision; parameters as of `append_once`.

    The aggregate goes on as if it were stored; one of `MOVED` tells that it is not.
    """
    key = uuid5(_NAMESPACE, what)
    statement = statement_of(services, decision.aggregate, Effect(decision.aggregate), key)
    write = write_of(
        services,
        decision,
        key=key,
        request=request_digest(statement.encode()),
        signed=platform_signed(services, statement),
    )
    return services.journal.submission(decision.aggregate, write).append
