"""Proofs for many at once: the newest checkpoint and the tiles that its new leaves need.

A round of the integrator publishes up to 4,096 entries, and nearly as many writers then ask for
their proofs. All of these need the same few tiles, so these are read once, and each inner node is
hashed once.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ledger.merkle import NodeSource, inclusion_proof
from ledger.proof import TlogProof
from ledger.store.errors import NoSuchPosition, StoreUnavailable
from ledger.store.reading import LogReader
from ledger.tiles import TILE_WIDTH, TileReader, needed_tiles_for_inclusion

WITNESSED_SECONDS = 0.5
FULL_TILES = 512
"""Full tiles kept in memory: 8 KiB each, and they never change."""

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A published tree; leaves from `warm` on are proven from memory."""

    size: int
    note: bytes
    warm: int
    node: NodeSource


class Prover:
    """Makes inclusion proofs under the newest published checkpoint.

    Args:
        reader: The log.
    """

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self._full: OrderedDict[_Place, bytes] = OrderedDict()
        self._newest: _Snapshot | None = None
        self._witnessed: _Snapshot | None = None
        self._look_at = 0.0

    def refresh(self) -> int:
        """Look for a newer checkpoint and get its tiles; return how far it reaches.

        Raises:
            StoreUnavailable: no checkpoint was ever published, or the database does not answer.
        """
        size, note = self._reader.checkpoint()
        known = self._newest
        if known is None or known.size != size:
            self._newest = self._snapshot(size, note, known.size if known else size)
        elif known.note != note:  # signed again, or cosigned meanwhile
            self._newest = _Snapshot(size, note, known.warm, known.node)
        self._refresh_witnessed()
        return size

    def newest(self) -> tuple[int, bytes]:
        """Size and note of the newest checkpoint seen here.

        Raises:
            StoreUnavailable: none was seen yet.
        """
        snapshot = self._seen()
        return snapshot.size, snapshot.note

    def is_warm(self, position: int) -> bool:
        """Whether the proof of a position takes no reading."""
        snapshot = self._newest
        return snapshot is not None and snapshot.warm < position <= snapshot.size

    def prove(self, position: int) -> TlogProof:
        """The `.tlog-proof` of a published position.

        Raises:
            NoSuchPosition: the position is not published.
            StoreUnavailable: none is, or the database does not answer.
        """
        return _prove(self._seen(), position)

    def prove_witnessed(self, position: int) -> TlogProof:
        """The same under a checkpoint that a quorum of witnesses cosigned, where one covers it."""
        witnessed = self._witnessed
        if witnessed is not None and position <= witnessed.size:
            return _prove(witnessed, position)
        return self.prove(position)

    def _refresh_witnessed(self) -> None:
        """Look for a newer cosigned checkpoint, as often as there can be one."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + WITNESSED_SECONDS
        found = self._reader.witnessed()
        known = self._witnessed
        if found is not None and (known is None or known.note != found[1]):
            size, note = found
            self._witnessed = self._snapshot(size, note, size)

    def _seen(self) -> _Snapshot:
        if self._newest is None:
            raise StoreUnavailable
        return self._newest

    def _snapshot(self, size: int, note: bytes, warm: int) -> _Snapshot:
        """A new tree whose leaves since the last one are proven without reading."""
        new = [*range(warm, size, TILE_WIDTH), size - 1] if size else []
        needed = {
            (level, index): width
            for leaf in new
            for level, index, width in needed_tiles_for_inclusion(leaf, size)
        }
        at_hand = self._read(needed)
        tree = TileReader(size, self._source(at_hand))
        return _Snapshot(size, note, warm, cache(tree.node))

    def _source(self, at_hand: dict[_Place, bytes]) -> Callable[[int, int, int], bytes]:
        def fetch(level: int, index: int, width: int) -> bytes:
            place = (level, index)
            found = at_hand.get(place) or self._full.get(place)
            return found or self._read({place: width}).get(place, b"")

        return fetch

    def _read(self, needed: dict[_Place, int]) -> dict[_Place, bytes]:
        """Tiles by place, full ones from memory where they are known."""
        found = {place: tile for place in needed if (tile := self._full.get(place))}
        missing = [place for place in needed if place not in found]
        if missing:
            read = self._reader.tiles(missing)
            found |= read
            for place, hashes in read.items():
                if needed[place] == TILE_WIDTH:
                    self._full[place] = hashes
            while len(self._full) > FULL_TILES:
                self._full.popitem(last=False)
        return found


def _prove(snapshot: _Snapshot, position: int) -> TlogProof:
    if not 1 <= position <= snapshot.size:
        raise NoSuchPosition(position)
    hashes = inclusion_proof(position - 1, snapshot.size, snapshot.node)
    return TlogProof(position - 1, tuple(hashes), snapshot.note)
