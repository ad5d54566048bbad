"""Seats held for everybody who asks at one moment.

When seats open, hundreds ask at once. One thread reads for all of them, decides one after the
other, and hands in to the writer together; each waits for its own answer. A thread for each costs
more in being woken up between its reads than in its decision. The store judges each as ever:
versions, guards, claims and idempotency keys. What it refuses is decided anew, alone.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from uuid import UUID

from commands.answering import Written
from commands.appointments import OPEN_BOOKING, PLACE, course_key, place_keys
from commands.behalf import submission_for
from commands.citizens import Asked
from commands.holding import Decided, hold_seat
from commands.reading import Reading, Seen
from commands.recording import keep_keys
from commands.seats import SEAT, Seats, SeatTried
from commands.services import Services
from commands.stated import Stated, stated_in
from commands.writing import ID_NUMBER, Decision
from domain.slot_supply import SlotSupply
from domain.topics import BOOKED_FOR, BOOKER
from ledger.store.append import Appended
from ledger.store.errors import (
    ClaimNotHeld,
    ClaimTaken,
    ClockBehind,
    GuardFailed,
    KeyReused,
    VersionConflict,
)
from ledger.store.together import Together

SEAT_ATTEMPTS = 200
"""How often another seat is tried for when somebody of another process got it."""

_KINDS = (ID_NUMBER, BOOKED_FOR, BOOKER)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A wish whose form holds.

    Attributes:
        claims: Kind and key of those that it will be judged by.
    """

    asked: Asked
    stated: Stated
    supply: SlotSupply
    claims: tuple[tuple[str, bytes], ...]

    @property
    def slot(self) -> tuple[UUID, int]:
        """Where a seat is wanted."""
        return self.supply.id, self.asked.request["slot"]

    @property
    def is_open(self) -> bool:
        """Whether the site takes bookings there."""
        return not self.supply.slot(self.asked.request["slot"]).is_closed


@dataclass(frozen=True, slots=True)
class _Flight:
    """A hold that was handed in.

    Attributes:
        decision: What was decided.
        entry: Bytes of its entry.
        seat: What it tries for.
        appended: Its place, once it is stored.
    """

    decision: Decision
    entry: bytes
    seat: SeatTried
    appended: "Future[Appended]"


class _AllTried(Exception):
    """How their tries end is to be waited for."""


class Crowd:
    """Holds seats for whoever asks at this moment.

    Args:
        services: The running parts.
        seats: Who of this process tries for which seat.
    """

    def __init__(self, services: Services, seats: Seats) -> None:
        self._services = services
        self._seats = seats
        self._company: Together[Asked, _Flight | None] = Together(
            self._hand_in, lambda flight: flight.appended if flight else None
        )

    def hold(self, asked: Asked) -> Written | None:
        """Hold a seat together with whoever else asks.

        Returns:
            None for a wish that is to be decided alone: something moved, or all seats that are
            free are tried for.

        Raises:
            DomainError, CommandError: it is refused, as the newest state has it.
            StoreError: the database does not answer.
        """
        for _ in range(SEAT_ATTEMPTS):
            flight = self._company.ask(asked)
            if flight is None:
                return None
            try:
                appended = flight.appended.result()
            except ClaimTaken as taken:
                if taken.kind != SEAT:
                    return None
            except (VersionConflict, GuardFailed, ClaimNotHeld, KeyReused, ClockBehind):
                return None
            else:
                return None if appended.replayed else _written(flight, appended)
            finally:
                self._seats.let_go(flight.seat)
        return None

    def _hand_in(self, asked: Sequence[Asked]) -> list[_Flight | Exception | None]:
        answers: list[_Flight | Exception | None] = [None] * len(asked)
        wanted = self._check_each(asked, answers)
        seen = Seen()
        free = self._read(wanted.values(), seen)
        tried: dict[int, SeatTried] = {}
        decided: dict[int, Decided] = {}
        try:
            for number, one in wanted.items():
                try:
                    decided[number] = self._decide(one, seen, free.get(one.slot, ()), number, tried)
                except _AllTried:
                    continue
                except Exception as refused:  # noqa: BLE001  raised to whoever asked
                    answers[number] = refused
            keep_keys(self._services, [decision for decision, _ in decided.values()])
            # Durable: everyone's keys and numbers. Died here: keys that seal nothing, and numbers
            # that lead to streams that do not exist; both are looked past.
            for number, made in decided.items():
                try:
                    answers[number] = self._submit(asked[number], made, tried[number])
                except Exception as refused:  # noqa: BLE001  raised to whoever asked
                    answers[number] = refused
                else:
                    del tried[number]  # let go when it has landed
        finally:
            for seat in tried.values():
                self._seats.let_go(seat)
        return answers

    def _check_each(
        self, asked: Sequence[Asked], answers: list[_Flight | Exception | None]
    ) -> dict[int, _Wanted]:
        """Those whose form holds; of several about the same person only the first."""
        wanted, people = dict[int, _Wanted](), set[str]()
        supplies = self._seats.supplies([UUID(one.request["supply"]) for one in asked])
        for number, (one, supply) in enumerate(zip(asked, supplies, strict=True)):
            if isinstance(supply, Exception):
                answers[number] = supply
                continue
            try:
                found = self._checked(one, supply)
            except Exception as refused:  # noqa: BLE001  raised to whoever asked
                answers[number] = refused
                continue
            if people.isdisjoint(found.stated.numbers):
                wanted[number] = found
            people |= found.stated.numbers
        return wanted

    def _checked(self, asked: Asked, supply: SlotSupply) -> _Wanted:
        reading, rules = self._reading(Seen()), self._services.rules.booking
        supply.slot(asked.request["slot"])
        stated = stated_in(rules, asked)
        course = course_key(reading, rules.course_of(supply.product), stated.number)
        is_proxy = stated.number != stated.own_number
        places = place_keys(reading, stated.own_number) if is_proxy else []
        claims = ((OPEN_BOOKING, course), *((PLACE, key) for key in places))
        return _Wanted(asked, stated, supply, claims)

    def _read(self, wanted: Collection[_Wanted], seen: Seen) -> dict[tuple[UUID, int], list[int]]:
        """Read what all of them are decided on, and which seats are free, in five queries."""
        if not wanted:
            return {}
        claims = [claim for one in wanted for claim in one.claims]
        seen.owners.update(self._services.reader.claims.owners(claims))
        numbers = [(kind, text) for one in wanted for text in one.stated.numbers for kind in _KINDS]
        seen.found.update(self._services.vault.keys.find_each(numbers))
        known = [hits[0] for hits in seen.found.values() if hits]
        owners = (owner for owner in seen.owners.values() if owner is not None)
        self._reading(seen).read({*(stream for _, stream in known), *owners})
        seen.keys.update(self._services.vault.keys.open(person for person, _ in known))
        return self._seats.free_each((one.supply, one.slot[1]) for one in wanted if one.is_open)

    def _decide(
        self,
        one: _Wanted,
        seen: Seen,
        free: Sequence[int],
        number: int,
        tried: dict[int, SeatTried],
    ) -> Decided:
        def seat_of() -> int | None:
            seat = self._seats.pick(*one.slot, free)
            if seat is not None:
                tried[number] = seat
                return seat.number
            if free:
                raise _AllTried
            return None

        return hold_seat(self._reading(seen), one.asked, one.stated, one.supply, seat_of)

    def _submit(self, asked: Asked, decided: Decided, seat: SeatTried) -> _Flight:
        decision, commitments = decided
        append = submission_for(self._services, asked, decision, commitments)
        (event,) = append.events
        return _Flight(decision, event.entry, seat, self._services.journal.submit(append))

    def _reading(self, seen: Seen) -> Reading:
        return Reading(services=self._services, recorded_at=self._services.clock(), seen=seen)


def _written(flight: _Flight, appended: Appended) -> Written:
    return Written(
        appended.first_position,
        flight.decision.aggregate.id,
        1,
        flight.entry,
        replayed=False,
        remarks=flight.decision.remarks,
    )
