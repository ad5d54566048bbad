"""What citizens do about appointments at a console: hold, confirm, move, cancel, look.

Each is decided on the newest state: the rules are asked with the record as it stands, and the
append states the versions of record and supply beside the claim on the seat. Whoever loses a seat
to another is given another one as long as there is any.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from uuid import UUID

from commands.answering import Written, first_answer
from commands.appointments import (
    BOOKING_NUMBER,
    PLACE,
    ended,
    seat_given_back,
)
from commands.behalf import record_for
from commands.booked import Booked, booked_of
from commands.citizens import Asked
from commands.crowd import SEAT_ATTEMPTS, Crowd
from commands.errors import CommandError, NotFound
from commands.holding import Decided, check_open, hold_seat, no_seat
from commands.principal import Principal
from commands.reading import Reading
from commands.seats import SEAT, Seats, seat_claim
from commands.services import Services
from commands.stated import citizen_number, stated_in
from commands.vault import NOTHING_SEALED
from commands.wishes import guards_of, rejudged
from commands.writing import Decision
from domain.appointment import Appointment
from domain.appointment_values import Numbered, Reseated
from domain.codec import statement_fields
from domain.effect import OnBehalf
from domain.errors import DomainError
from domain.slot_supply import SlotSupply
from domain.topics import BOOKER
from ledger.store.append import Claim, Guard
from ledger.store.errors import (
    ClaimNotHeld,
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyConflict,
    VersionConflict,
)

ATTEMPTS = 5
"""How often a decision is made anew when what it rests on moved in between."""

_DIGITS = 12
_MOVED = (ClaimTaken, ClaimNotHeld, VersionConflict, GuardFailed, KeyConflict, ClockBehind)
"""What is worth another look. A clock is behind when a decision waited while others appended."""


class OtherProduct(DomainError):
    """The seat is for another product than was booked."""

    code = "other-product"
    zh = "该号源的疫苗与原预约的不同，请取消后重新预约。"


class Bookings:
    """Bookings of citizens, for themselves and for others."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.seats = Seats(services)
        self._crowd = Crowd(services, self.seats)

    def hold(self, caller: Principal, key: UUID, request: Mapping[str, Any]) -> Written:
        """Hold a seat for some minutes (A-2, A-18).

        Args:
            caller: A citizen, identified.
            key: Idempotency key.
            request: `supply`, `slot`, `dose_number`, `channel`, and `person`: where the person
                lives and what they suffer from; by proxy also name, ID number and telephone.

        Raises:
            BookingRefused: By the rules, with every reason.
            Forbidden, NotFound: not a citizen; no such supply.
            DomainError: values that are malformed.
        """
        asked = Asked(caller, key, "hold-seat", None, request)
        try:
            written = self._crowd.hold(asked)
        except (DomainError, CommandError) as refused:
            return self._first_answer(asked, refused)
        return written or self._answer(asked, self._hold)

    def confirm(self, caller: Principal, key: UUID, stream: UUID) -> Written:
        """Make a hold a booking; the rules are asked once more."""
        return self._answer(Asked(caller, key, "confirm-booking", stream, {}), self._confirm)

    def move(
        self, caller: Principal, key: UUID, stream: UUID, request: Mapping[str, Any]
    ) -> Written:
        """Take another seat for the same product; `request` names `supply` and `slot`."""
        return self._answer(Asked(caller, key, "move-booking", stream, request), self._move)

    def cancel(
        self, caller: Principal, key: UUID, stream: UUID, request: Mapping[str, Any]
    ) -> Written:
        """Give the seat back; `request` gives the `reason`, a code."""
        return self._answer(Asked(caller, key, "cancel-booking", stream, request), self._cancel)

    def supply(self, stream: UUID) -> SlotSupply:
        """A supply as it is now.

        Raises:
            NotFound: there is none.
        """
        return self.seats.supply(stream)

    def mine(self, caller: Principal) -> list[Booked]:
        """All bookings that the caller ever made, own and for others, the newest first (A-21)."""
        reading = self._reading()
        found = self._services.vault.keys.find(BOOKER, self._number(caller))
        streams = sorted({stream for _, stream in found}, reverse=True)
        known = [reading.stored(Appointment, one) for one in streams if reading.exists(one)]
        return [booked_of(reading, one) for one in known]

    def own(self, caller: Principal, stream: UUID) -> Booked:
        """A booking, for whoever made it; to everyone else it does not exist.

        Raises:
            Forbidden, NotFound: not a citizen; not the caller's.
        """
        reading = self._reading()
        return booked_of(reading, self._own(reading, caller, stream))

    def _hold(self, asked: Asked, stack: ExitStack) -> Decided:
        reading, rules = self._reading(), self._services.rules.booking
        supply, slot = self.seats.supply(UUID(asked.request["supply"])), asked.request["slot"]
        supply.slot(slot)

        def seat_of() -> int | None:
            """A free seat, kept from others of this process until the append has decided."""
            return stack.enter_context(self.seats.one(supply, slot))

        return hold_seat(reading, asked, stated_in(rules, asked), supply, seat_of)

    def _confirm(self, asked: Asked, stack: ExitStack) -> Decided:
        del stack  # the seat is held already
        reading = self._reading()
        assert asked.stream is not None
        appointment = self._own(reading, asked.caller, asked.stream)
        number = f"{int.from_bytes(self._services.random(8)) % 10**_DIGITS:0{_DIGITS}}"
        appointment.confirm(
            rules=self._services.rules.booking,
            derived=Numbered(number, appointment.booker),
            recorded_at=reading.recorded_at,
        )
        judged = rejudged(reading, asked.caller, appointment)
        decision = Decision(
            appointment,
            NOTHING_SEALED,
            guards=guards_of(reading, judged),
            claims=(Claim(BOOKING_NUMBER, number.encode(), appointment.id),),
            remarks=judged.warnings,
        )
        return decision, {}

    def _move(self, asked: Asked, stack: ExitStack) -> Decided:
        reading, rules = self._reading(), self._services.rules.booking
        assert asked.stream is not None
        appointment = self._own(reading, asked.caller, asked.stream)
        supply = self.seats.supply(UUID(asked.request["supply"]))
        slot = asked.request["slot"]
        supply.slot(slot)
        if supply.product != appointment.product:
            raise OtherProduct(booked=appointment.product, offered=supply.product)
        given_back = seat_given_back(appointment)
        judged = rejudged(reading, asked.caller, appointment, supply)
        check_open(reading, supply, slot)
        seat = stack.enter_context(self.seats.one(supply, slot))
        if seat is None:
            raise no_seat(reading)
        appointment.move(
            rules=rules,
            derived=Reseated(seat, rules.edition.id, appointment.booker),
            recorded_at=reading.recorded_at,
            supply=supply.id,
            slot=slot,
            site=supply.site,
            division=supply.division,
            on=supply.on,
        )
        decision = Decision(
            appointment,
            NOTHING_SEALED,
            guards=(
                Guard(supply.id, supply.version),
                *guards_of(reading, judged),
            ),
            claims=(given_back, seat_claim(supply.id, slot, seat, appointment.id)),
            remarks=judged.warnings,
        )
        return decision, {}

    def _cancel(self, asked: Asked, stack: ExitStack) -> Decided:
        del stack  # no seat is taken
        reading = self._reading()
        assert asked.stream is not None
        appointment = self._own(reading, asked.caller, asked.stream)
        appointment.cancel(
            rules=self._services.rules.booking,
            derived=OnBehalf(appointment.booker),
            recorded_at=reading.recorded_at,
            **statement_fields(Appointment.Cancelled, dict(asked.request)),
        )
        claims = (seat_given_back(appointment), *ended(reading, appointment))
        return Decision(appointment, NOTHING_SEALED, claims=claims), {}

    def _own(self, reading: Reading, caller: Principal, stream: UUID) -> Appointment:
        mine = self._services.vault.keys.find(BOOKER, self._number(caller))
        appointment = reading.load(Appointment, stream)
        if (appointment.booker, stream) not in mine:
            raise NotFound
        return appointment

    def _number(self, caller: Principal) -> str:
        return citizen_number(self._services.rules.booking, caller)

    def _answer(self, asked: Asked, decide: Callable[[Asked, ExitStack], Decided]) -> Written:
        """Decide and append, anew when something moved in between; the first answer stands."""
        attempts = collisions = 0
        while True:
            try:
                with ExitStack() as stack:
                    decision, commitments = decide(asked, stack)
                    written = record_for(self._services, asked, decision, commitments)
                return replace(written, remarks=decision.remarks)
            except (DomainError, CommandError) as refused:
                return self._first_answer(asked, refused)
            except _MOVED as moved:
                is_one_of_many = isinstance(moved, ClaimTaken) and moved.kind in (SEAT, PLACE)
                collisions += is_one_of_many
                attempts += not is_one_of_many
                if attempts == ATTEMPTS or collisions == SEAT_ATTEMPTS:
                    raise

    def _first_answer(self, asked: Asked, refused: Exception) -> Written:
        platform = self._services.platform.organisation
        return first_answer(self._services, platform, asked.own_key, asked.digest, refused)

    def _reading(self) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock())
