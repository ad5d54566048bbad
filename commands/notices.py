"""What the log has to tell people about their bookings, and whether it is still so when it is sent.

A notice names hour, site and booking number: no name, no ID number, no product. It goes to whoever
booked, else to the telephone stated for the person; which that is, is opened when it is sent.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID, uuid5

from commands.applicants import find_person, given_doses
from commands.appointments import OPEN_BOOKING, course_key, number_of
from commands.errors import Erased, Restricted
from commands.reading import Change, Reading
from commands.services import Services
from domain.appointment import Appointment
from domain.appointment_values import Channel
from domain.booking.course import GivenDose, window_after
from domain.booking.lifecycle import State
from domain.booking.notice import Kind, NoticeRules
from domain.booking.reminder import reminder_day
from domain.calendar import SHANGHAI
from domain.schedules.edition import Wording
from domain.slot_supply import SlotSupply
from domain.slot_supply_events import SlotState
from domain.topics import BOOKED_FOR, BOOKER
from ledger.store.outbox import Message, Outcome

CONFIRMED, MOVED = Appointment.Confirmed.TOPIC, Appointment.Moved.TOPIC
CALLED_OFF, REDEEMED = Appointment.CalledOff.TOPIC, Appointment.Redeemed.TOPIC
SLOT_MOVED = SlotSupply.SlotMoved.TOPIC
TELLING = (CONFIRMED, MOVED, CALLED_OFF, REDEEMED, SLOT_MOVED)
"""Topics of which each has something to tell."""

_NAMESPACE = UUID("5d0f2c7e-3f0b-4f43-9a43-0b6f0c1f7a52")
_STATES = {
    Kind.CONFIRMED: State.BOOKED,
    Kind.CHANGED: State.BOOKED,
    Kind.REMINDER: State.BOOKED,
    Kind.CALLED_OFF: State.CANCELLED,
    Kind.NEXT_DOSE: State.REDEEMED,
}
"""In which state of the appointment a notice is still true."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice ready to be sent.

    Attributes:
        id: The same for every attempt.
        kind: What it is about.
        to: A telephone number.
        text: In both languages.
    """

    id: UUID
    kind: str
    to: str
    text: Wording


class Notices:
    """Reads what is to be told out of the log, and puts it into words.

    Args:
        services: The running parts.
        rules: Texts and hours.
        booked_in: Returns the appointments that are booked in a slot of a supply.
    """

    def __init__(
        self,
        services: Services,
        rules: NoticeRules,
        booked_in: Callable[[UUID, int], Sequence[UUID]],
    ) -> None:
        self._services = services
        self._rules = rules
        self._booked_in = booked_in

    def told_by(self, change: Change) -> list[Message]:
        """What an entry gives to tell; its appointments are taken as they are now."""
        entry = change.entry
        if entry.topic == SLOT_MOVED:
            moved = self._booked_in(entry.stream, entry.data["slot"])
            about = f"{entry.stream} {entry.version}"
            return [one for stream in moved for one in self._of_seat(stream, Kind.CHANGED, about)]
        if entry.topic == CONFIRMED:
            return list(self._of_seat(entry.stream, Kind.CONFIRMED, ""))
        if entry.topic == MOVED:
            return list(self._of_seat(entry.stream, Kind.CHANGED, str(entry.version)))
        if entry.topic == CALLED_OFF:
            return [self._message(Kind.CALLED_OFF, entry.stream, "", entry.recorded_at)]
        if entry.topic == REDEEMED:
            return list(self._of_next_dose(entry.stream))
        return []

    def notice(self, message: Message) -> Notice | Outcome:
        """The words of a message, or why there is nothing to tell any more or nobody to tell.

        Raises:
            StoreError: A database does not answer.
        """
        kind, reading = Kind(message.kind), self._reading()
        appointment = reading.stored(Appointment, message.stream)
        supply = reading.stored(SlotSupply, appointment.seat.supply)
        slot = supply.slot(appointment.seat.slot)
        if not self._is_true(kind, message, appointment, slot):
            return Outcome.OUTDATED
        try:
            values = _sealed(reading, appointment)
            person = find_person(reading, number_of(values[0]), (BOOKED_FOR, BOOKER))
        except (Erased, Restricted):
            return Outcome.UNREACHABLE
        about: str | None = message.about
        if kind is Kind.NEXT_DOSE:
            course = course_key(reading, appointment.course, number_of(values[0]))
            if self._services.reader.claims.owner(OPEN_BOOKING, course) is not None:
                return Outcome.OUTDATED
            about = self._earliest(appointment, given_doses(reading, person.record))
        if about is None:
            return Outcome.OUTDATED
        phones = (one.get("phone") for one in reversed(values))
        to = next((phone for phone in phones if phone), None)
        if to is None:
            return Outcome.UNREACHABLE
        facts = self._facts(appointment, slot, about)
        return Notice(message.id, kind.value, to, self._rules.text(kind, facts))

    def _earliest(self, appointment: Appointment, given: Iterable[GivenDose]) -> str | None:
        """From when on the next dose may be given, by the record as it stands: corrected or not.

        None where the dose was struck out since, or another one has followed.
        """
        product, number = appointment.product, appointment.dose_number
        own = [dose for dose in given if dose.product == product and dose.number >= number]
        course = self._services.rules.booking.courses.get(product)
        if course is None or [dose.number for dose in own] != [number]:
            return None
        return window_after(course, number + 1, None, own[0].given_on).earliest.isoformat()

    def _of_seat(self, stream: UUID, kind: Kind, about: str) -> Iterator[Message]:
        """That an appointment has a seat or another one, and the reminder of it."""
        reading = self._reading()
        appointment = reading.stored(Appointment, stream)
        if kind is Kind.CONFIRMED and appointment.channel is Channel.WALK_IN:
            return  # whoever booked stands at the counter
        supply = reading.stored(SlotSupply, appointment.seat.supply)
        begins = _moment(appointment.on, supply.slot(appointment.seat.slot).starts)
        yield self._message(kind, stream, about, self._rules.send_at(reading.recorded_at, begins))
        days = self._services.rules.booking.reminder_days_before
        day = reminder_day(appointment.on, days, reading.today)
        if day is not None:
            due_at = self._rules.of_day(day)
            yield self._message(Kind.REMINDER, stream, appointment.on.isoformat(), due_at)

    def _of_next_dose(self, stream: UUID) -> Iterator[Message]:
        appointment = self._reading().stored(Appointment, stream)
        course = self._services.rules.booking.courses.get(appointment.product)
        following = appointment.dose_number + 1
        if course is None or following > course.doses:
            return
        earliest = window_after(course, following, None, appointment.on).earliest
        due_at = self._rules.of_day(earliest)
        yield self._message(Kind.NEXT_DOSE, stream, earliest.isoformat(), due_at)

    def _message(self, kind: Kind, stream: UUID, about: str, due_at: datetime) -> Message:
        which = uuid5(_NAMESPACE, f"{kind} {stream} {about}")
        return Message(which, kind.value, stream, about, self._services.clock(), due_at)

    def _is_true(
        self, kind: Kind, message: Message, appointment: Appointment, slot: SlotState
    ) -> bool:
        if appointment.state is not _STATES[kind]:
            return False
        if kind is Kind.REMINDER and appointment.on.isoformat() != message.about:
            return False
        if kind is Kind.NEXT_DOSE:
            return True
        return self._services.clock() <= _moment(appointment.on, slot.ends)

    def _facts(self, appointment: Appointment, slot: SlotState, about: str) -> dict[str, str]:
        site = self._services.directory.organisation(appointment.site)
        return {
            "day": appointment.on.isoformat(),
            "starts": slot.starts,
            "ends": slot.ends,
            "site": site.name,
            "number": appointment.booking_number,
            "earliest": about,
        }

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock())


def _sealed(reading: Reading, appointment: Appointment) -> list[dict[str, str]]:
    """What was sealed about the person, then about whoever booked, where that is another.

    Raises:
        Erased: A key is gone.
    """
    handles = dict.fromkeys((appointment.person, appointment.booker))
    found = [reading.opened(appointment.id, 1, who) for who in handles]
    values = [one for one in found if one is not None]
    if len(values) < len(found):
        raise Erased
    return values


def _moment(day: date, hour: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(hour), SHANGHAI)
