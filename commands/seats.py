"""Which seats of a slot are free, and who of a process tries for which.

The claim decides; this only keeps callers of one process from trying for the same seat, so that a
rush for the last seats is not answered by one collision after another.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from commands.errors import NotFound
from commands.services import Services
from domain.slot_supply import SlotSupply
from ledger.store.append import Claim
from ledger.store.together import Together
from ledger.stored import StoredEntry

SEAT = "seat"
_WAIT_SECONDS = 1.0
_MOST = 0xFFFF


def seat_key(supply: UUID, slot: int, seat: int) -> bytes:
    """What a claim of a seat is about: the supply, the slot and the number, 20 bytes."""
    return supply.bytes + slot.to_bytes(2) + seat.to_bytes(2)


def seat_claim(supply: UUID, slot: int, seat: int, owner: UUID, *, release: bool = False) -> Claim:
    """A seat that is taken or given back."""
    return Claim(SEAT, seat_key(supply, slot, seat), owner, release=release)


@dataclass(frozen=True, slots=True)
class SeatTried:
    """A seat that somebody of this process tries for."""

    supply: UUID
    slot: int
    number: int


class Seats:
    """The seats of every slot.

    Args:
        services: The running parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._supplies: Together[UUID, SlotSupply] = Together(self.supplies)
        self._tried: dict[tuple[UUID, int], set[int]] = defaultdict(set)
        self._moved = threading.Condition()

    def supply(self, stream: UUID) -> SlotSupply:
        """A supply as it is now, to be read only: all who ask for it at once get the same one.

        Raises:
            NotFound: there is none.
        """
        return self._supplies.ask(stream)

    def supplies(self, streams: Sequence[UUID]) -> list[SlotSupply | Exception]:
        """Likewise many, in one query; `NotFound` where there is none."""
        rows = self._services.reader.streams(set(streams))
        found = {
            stream: self._services.journal.aggregate_of(
                StoredEntry.decode(raw) for _, raw, _ in located
            )
            for stream, located in rows.items()
        }
        return [
            one if isinstance(one := found[stream], SlotSupply) else NotFound()
            for stream in streams
        ]

    def free(self, supply: SlotSupply, slot: int) -> list[int]:
        """The seats of a slot that nobody has, in their order.

        Raises:
            UnknownSlot: the supply has no such slot.
        """
        held = self._services.reader.claims.held_within(SEAT, *_edges(supply, slot))
        return _not_held(supply, slot, held)

    def free_each(
        self, slots: Iterable[tuple[SlotSupply, int]]
    ) -> dict[tuple[UUID, int], list[int]]:
        """The seats of many slots that nobody has, in one query."""
        asked = list({(supply.id, slot): (supply, slot) for supply, slot in slots}.values())
        if not asked:
            return {}
        ranges = [(SEAT, *_edges(supply, slot)) for supply, slot in asked]
        held = self._services.reader.claims.held_within_each(ranges)
        return {
            (supply.id, slot): _not_held(supply, slot, keys)
            for (supply, slot), keys in zip(asked, held, strict=True)
        }

    def pick(self, supply: UUID, slot: int, free: Sequence[int]) -> SeatTried | None:
        """One of the free seats that nobody of this process tries for; to be let go in the end."""
        with self._moved:
            tried = self._tried.get((supply, slot), ())
            untried = [seat for seat in free if seat not in tried]
            if not untried:
                return None
            seat = untried[int.from_bytes(self._services.random(4)) % len(untried)]
            self._tried[supply, slot].add(seat)
        return SeatTried(supply, slot, seat)

    def let_go(self, seat: SeatTried | None = None) -> None:
        """Say how a try ended: the log knows by now who has the seat."""
        with self._moved:
            if seat is not None:
                tried = self._tried[seat.supply, seat.slot]
                tried.discard(seat.number)
                if not tried:
                    del self._tried[seat.supply, seat.slot]
            self._moved.notify_all()

    @contextmanager
    def one(self, supply: SlotSupply, slot: int) -> Iterator[int | None]:
        """A free seat that nobody else of this process tries for; None where none can be had.

        While others try for all that are free, this waits for how that ends.
        """
        seat = self._wait_for_one(supply, slot)
        try:
            yield None if seat is None else seat.number
        finally:
            self.let_go(seat)

    def _wait_for_one(self, supply: SlotSupply, slot: int) -> SeatTried | None:
        if supply.slot(slot).is_closed:
            return None
        while free := self.free(supply, slot):
            with self._moved:
                seat = self.pick(supply.id, slot, free)
                if seat is not None:
                    return seat
                self._moved.wait(_WAIT_SECONDS)
        return None


def _edges(supply: SlotSupply, slot: int) -> tuple[bytes, bytes]:
    return seat_key(supply.id, slot, 0), seat_key(supply.id, slot, _MOST)


def _not_held(supply: SlotSupply, slot: int, held: Iterable[bytes]) -> list[int]:
    taken = {int.from_bytes(key[-2:]) for key in held}
    return [seat for seat in range(1, supply.slot(slot).seats + 1) if seat not in taken]
