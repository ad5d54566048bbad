"""A seat held for a citizen, decided on the newest state (A-2, A-18)."""

from collections.abc import Callable, Mapping
from uuid import UUID

from commands.appointments import OPEN_BOOKING, PLACE, place_key
from commands.citizens import Asked
from commands.reading import Reading
from commands.seats import seat_claim
from commands.stated import Stated
from commands.vault import Place
from commands.wishes import Wish, guards_of, wish_of
from commands.writing import Decision
from domain.appointment import Appointment
from domain.appointment_values import Reserved
from domain.booking.objection import Objection
from domain.booking.refusal import BookingRefused
from domain.calendar import SHANGHAI
from domain.codec import statement_fields
from domain.slot_supply import SlotSupply
from ledger.store.append import Claim, Guard

Decided = tuple[Decision, Mapping[UUID, str]]
"""A decision, and the commitments to what is sealed with it, by person."""


def hold_seat(
    reading: Reading,
    asked: Asked,
    stated: Stated,
    supply: SlotSupply,
    seat_of: Callable[[], int | None],
) -> Decided:
    """Hold a seat for some minutes.

    Args:
        reading: The newest state.
        asked: What the citizen asks for.
        stated: What the wish states.
        supply: Where the seat is wanted.
        seat_of: A free seat that nobody else tries for, None where none can be had; asked last.

    Raises:
        BookingRefused: by the rules, with every reason.
        DomainError: values that are malformed.
        Restricted, Erased: the record may not be processed.
    """
    slot = asked.request["slot"]
    wish = wish_of(reading, asked, stated, supply)
    check_open(reading, supply, slot)
    seat = seat_of()
    if seat is None:
        raise no_seat(reading)
    vault, stream = reading.services.vault, reading.services.new_id()
    parts = {who: vault.part(values) for who, values in wish.values.items()}
    # Drawn here a moment ago, so that nobody can have given them a key.
    drawn = [one.handle for one in (wish.person, wish.booker) if one.is_new]
    reading.seen.keyless.update(drawn)
    sealing = vault.seal(
        {who: part for who, (part, _) in parts.items()},
        Place(Appointment.Held.TOPIC, stream, 1),
        newcomers=drawn,
        ring=reading.ring,
    )
    appointment = Appointment.hold(
        stream,
        derived=_reserved(reading, wish, seat),
        recorded_at=reading.recorded_at,
        sealed=sealing.sealed,
        **_fields(asked, wish, supply),
    )
    decision = Decision(
        appointment,
        sealing,
        guards=(Guard(supply.id, supply.version), *guards_of(reading, wish)),
        claims=(
            *wish.released,
            Claim(OPEN_BOOKING, wish.course_key, stream),
            *_place(reading, wish, stream),
            seat_claim(supply.id, slot, seat, stream),
        ),
        indexes=wish.indexes,
        remarks=wish.warnings,
    )
    return decision, {who: commitment for who, (_, commitment) in parts.items()}


def check_open(reading: Reading, supply: SlotSupply, slot: int) -> None:
    """A slot is booked until it ends.

    Raises:
        BookingRefused: it is over.
    """
    ends, now = supply.slot(slot).ends, reading.recorded_at.astimezone(SHANGHAI)
    if (supply.on, ends) < (now.date(), f"{now:%H:%M}"):
        raise BookingRefused.by(
            reading.services.rules.booking, Objection("slot_over", {"ends": ends})
        )


def no_seat(reading: Reading) -> BookingRefused:
    """The refusal where no seat is free."""
    return BookingRefused.by(reading.services.rules.booking, Objection("no_slot"))


def _fields(asked: Asked, wish: Wish, supply: SlotSupply) -> dict[str, object]:
    clear = {
        "supply": str(supply.id),
        "slot": asked.request["slot"],
        "site": str(supply.site),
        "division": supply.division,
        "product": supply.product,
        "dose_number": asked.request["dose_number"],
        "on": supply.on.isoformat(),
        "channel": wish.channel.value,
        "person": str(wish.person.handle),
        "booker": str(wish.booker.handle),
    }
    return statement_fields(Appointment.Held, clear)


def _reserved(reading: Reading, wish: Wish, seat: int) -> Reserved:
    rules, record = reading.services.rules.booking, wish.person.record
    return Reserved(
        seat=seat,
        hold_minutes=rules.hold_minutes,
        rules=rules.edition.id,
        course=wish.course,
        on_behalf_of=wish.booker.handle,
        record=None if record is None else record.id,
        record_version=None if record is None else record.version,
        place=wish.place,
    )


def _place(reading: Reading, wish: Wish, stream: UUID) -> tuple[Claim, ...]:
    if wish.place is None:
        return ()
    return (Claim(PLACE, place_key(reading, wish.booker_number, wish.place), stream),)
