"""Which seats of a slot are free, and who of a process tries for which.

The claim decides; this only keeps callers of one process from trying for the same seat, so that a
rush for the last seats is not answered by one collision after another.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from commands.errors import NotFound
from commands.services import Services
from domain.slot_supply import SlotSupply
from ledger.entry import Entry
from ledger.store.append import Claim
from ledger.store.together import Together

SEAT = "seat"
_WAIT_SECONDS = 1.0
_MOST = 0xFFFF


def seat_key(supply: UUID, slot: int, seat: int) -> bytes:
    """What a claim of a seat is about: the supply, the slot and the number, 20 bytes."""
    return supply.bytes + slot.to_bytes(2) + seat.to_bytes(2)


def seat_claim(supply: UUID, slot: int, seat: int, owner: UUID, *, release: bool = False) -> Claim:
    """A seat that is taken or given back."""
    return Claim(SEAT, seat_key(supply, slot, seat), owner, release=release)


class Seats:
    """The seats of every slot.

    Args:
        services: The running parts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._supplies: Together[UUID, SlotSupply] = Together(self._read)
        self._tried: dict[tuple[UUID, int], set[int]] = defaultdict(set)
        self._moved = threading.Condition()

    def supply(self, stream: UUID) -> SlotSupply:
        """A supply as it is now, to be read only: all who ask for it at once get the same one.

        Raises:
            NotFound: there is none.
        """
        return self._supplies.ask(stream)

    def free(self, supply: SlotSupply, slot: int) -> list[int]:
        """The seats of a slot that nobody has, in their order.

        Raises:
            UnknownSlot: the supply has no such slot.
        """
        state = supply.slot(slot)
        edges = (seat_key(supply.id, slot, 0), seat_key(supply.id, slot, _MOST))
        held = self._services.reader.claims.held_within(SEAT, *edges)
        taken = {int.from_bytes(key[-2:]) for key in held}
        return [seat for seat in range(1, state.seats + 1) if seat not in taken]

    @contextmanager
    def one(self, supply: SlotSupply, slot: int) -> Iterator[int | None]:
        """A free seat that nobody else of this process tries for; None where none can be had.

        While others try for all that are free, this waits for how that ends.
        """
        tried = self._tried[supply.id, slot]
        seat = self._pick(supply, slot, tried)
        try:
            yield seat
        finally:
            with self._moved:
                if seat is not None:
                    tried.discard(seat)
                self._moved.notify_all()

    def _pick(self, supply: SlotSupply, slot: int, tried: set[int]) -> int | None:
        if supply.slot(slot).is_closed:
            return None
        while free := self.free(supply, slot):
            with self._moved:
                untried = [seat for seat in free if seat not in tried]
                if untried:
                    seat = untried[int.from_bytes(self._services.random(4)) % len(untried)]
                    tried.add(seat)
                    return seat
                self._moved.wait(_WAIT_SECONDS)
        return None

    def _read(self, streams: Sequence[UUID]) -> list[SlotSupply | Exception]:
        rows = self._services.reader.streams(set(streams))
        found = {
            stream: self._services.journal.aggregate_of(Entry.decode(raw) for _, raw, _ in located)
            for stream, located in rows.items()
        }
        return [
            one if isinstance(one := found[stream], SlotSupply) else NotFound()
            for stream in streams
        ]
