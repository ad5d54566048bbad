"""What a booking goes through: verified before the dose, redeemed after it (A-5 to A-7, X-6, X-8).

Two scans are two events: ``arrived_scanned`` lets a person queue, ``redeemed`` closes the booking.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.booking.objection import Objection
from domain.schedules.finding import Fact


class Event(StrEnum):
    """What happens to a booking."""

    HELD = "held"
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"
    ARRIVED_SCANNED = "arrived_scanned"
    VACCINATED = "vaccinated"
    REDEEMED = "redeemed"


class State(StrEnum):
    """Where a booking stands."""

    HELD = "held"
    BOOKED = "booked"
    ARRIVED_SCANNED = "arrived_scanned"
    VACCINATED = "vaccinated"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


OPEN = frozenset((State.HELD, State.BOOKED, State.ARRIVED_SCANNED))
"""States in which a booking keeps its seat and stands against a second one."""

_NEXT: dict[State | None, dict[Event, State]] = {
    None: {Event.HELD: State.HELD, Event.BOOKED: State.BOOKED},
    State.HELD: {
        Event.BOOKED: State.BOOKED,
        Event.CANCELLED: State.CANCELLED,
        Event.EXPIRED: State.EXPIRED,
    },
    State.BOOKED: {
        Event.MOVED: State.BOOKED,
        Event.CANCELLED: State.CANCELLED,
        Event.NO_SHOW: State.NO_SHOW,
        Event.ARRIVED_SCANNED: State.ARRIVED_SCANNED,
    },
    # Someone who has come may still be sent home, for a fever say.
    State.ARRIVED_SCANNED: {
        Event.CANCELLED: State.CANCELLED,
        Event.VACCINATED: State.VACCINATED,
    },
    State.VACCINATED: {Event.REDEEMED: State.REDEEMED},
}


@dataclass(frozen=True, slots=True)
class OpenBooking:
    """Another booking of the same person, in whatever state.

    Attributes:
        product: Code of the product.
        dose_number: The dose it is for.
        on: The civil day.
        state: Where it stands.
    """

    product: str
    dose_number: int
    on: date
    state: State


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a booking came.

    Attributes:
        state: The last state reached, None before the first event.
        objection: To the first event that the state does not allow, else None.
    """

    state: State | None
    objection: Objection | None


def advance(state: State | None, event: Event) -> Progress:
    """Take one event, or say why the state does not allow it; the state then stands (A-7)."""
    following = _NEXT.get(state, {}).get(event)
    if following is None:
        return Progress(state, Objection(_refusal(state, event)))
    return Progress(following, None)


def follow(events: Iterable[Event]) -> Progress:
    """Take events in their order, up to the first that is not allowed."""
    progress = Progress(None, None)
    for event in events:
        progress = advance(progress.state, event)
        if progress.objection is not None:
            break
    return progress


def judge_second_booking(
    bookings: Collection[OpenBooking], same_course: Collection[str]
) -> Iterator[Objection]:
    """Allow one open booking a course (X-8).

    Args:
        bookings: The person's others.
        same_course: Codes of the products that stand against each other.
    """
    for booking in bookings:
        if booking.state in OPEN and booking.product in same_course:
            facts: dict[str, Fact] = {
                "date": booking.on.isoformat(),
                "number": booking.dose_number,
            }
            yield Objection("duplicate_booking", facts)
            return


def _refusal(state: State | None, event: Event) -> str:
    if state is State.REDEEMED:
        return "already_redeemed"
    if event is Event.REDEEMED:
        return "redeem_before_vaccination"
    if event is Event.VACCINATED and state in (None, State.HELD, State.BOOKED):
        return "not_verified"
    return "not_possible_now"
