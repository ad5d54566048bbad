"""A booking as whoever made it sees it."""

from dataclasses import dataclass

from commands.reading import Reading
from domain.appointment import Appointment
from domain.slot_supply import SlotSupply
from domain.slot_supply_events import SlotState


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking as whoever made it sees it.

    Attributes:
        appointment: The booking.
        slot: Its time slot as it is now.
        name: Of the person whom the dose is for; None where it was erased.
    """

    appointment: Appointment
    slot: SlotState
    name: str | None


def booked_of(reading: Reading, appointment: Appointment) -> Booked:
    """A booking with its slot as it is now, and the name, where that still opens."""
    supply = reading.stored(SlotSupply, appointment.seat.supply)
    values = reading.opened(appointment.id, 1, appointment.person)
    name = None if values is None else values["name"]
    return Booked(appointment, supply.slot(appointment.seat.slot), name)
