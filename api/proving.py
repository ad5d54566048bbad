"""Proofs for many at once: the newest checkpoint and the tiles that its new leaves need.

A round of the integrator publishes up to 4,096 entries, and nearly as many writers then ask for
their proofs. All of these need the same few tiles, so these are read once, and each inner node is
hashed once.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from anyio import to_thread

from api.tile_cache import TILES, TileCache
from ledger.merkle import NodeSource, inclusion_proof
from ledger.proof import TlogProof
from ledger.store.errors import NoSuchPosition, StoreUnavailable
from ledger.store.reading import LogReader
from ledger.tiles import (
    TILE_WIDTH,
    TileAddress,
    needed_tiles_for_consistency,
    needed_tiles_for_inclusion,
)

WITNESSED_SECONDS = 0.5
_AHEAD = TILES - 64
"""Most full tiles of leaves that are read before anybody asks; room is left for the others."""
_AT_ONCE = 16
_PAUSE_SECONDS = 0.05
_NODES = 4_096
"""Kept in memory beside the tiles: what proves a thousand leaves of one round.

A proof of the newest of 92,000 leaves takes 25 us of CPU with them instead of 70.
"""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A published tree; leaves from `warm` on are proven from memory."""

    size: int
    note: bytes
    warm: int


class Prover:
    """Makes proofs in published trees.

    Args:
        reader: The log.

    Attributes:
        tiles: What proofs are made of; at most one query a proof.
    """

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader
        self.tiles = TileCache(reader)
        # Who asks after one round shares most nodes with the others, and none ever changes.
        self._node: NodeSource = lru_cache(_NODES)(self.tiles.node)
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
            self._newest = _Snapshot(size, note, known.warm)
        self._refresh_witnessed()
        return size

    async def read_ahead(self) -> None:
        """Have the newest million leaves at hand, read unhurriedly, before anybody asks.

        What cannot be read now is read when it is asked for.

        Raises:
            StoreUnavailable: nothing was published yet.
        """
        full = self._seen().size // TILE_WIDTH
        for first in range(max(0, full - _AHEAD), full, _AT_ONCE):
            tiles = [(0, index, TILE_WIDTH) for index in range(first, min(first + _AT_ONCE, full))]
            with suppress(StoreUnavailable):
                await to_thread.run_sync(self.tiles.load, tiles)
            await asyncio.sleep(_PAUSE_SECONDS)

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
        return self._prove(self._seen(), position)

    def prove_witnessed(self, position: int) -> TlogProof:
        """The same under a checkpoint that a quorum of witnesses cosigned, where one covers it."""
        return self._prove(self._covering(position), position)

    def prove_at_once(self, position: int) -> TlogProof | None:
        """As `prove_witnessed`, or None where tiles must be read first.

        It takes some hashes only, which the event loop does sooner than it asks a thread: that
        would compete with it for the interpreter, and wait for 5 ms whenever it loses.
        """
        snapshot = self._covering(position)
        if position <= snapshot.size:
            needed = needed_tiles_for_inclusion(position - 1, snapshot.size)
            if self.tiles.missing(needed):
                return None
        return self._prove(snapshot, position)

    def _covering(self, position: int) -> _Snapshot:
        witnessed = self._witnessed
        if witnessed is not None and position <= witnessed.size:
            return witnessed
        return self._seen()

    def _prove(self, snapshot: _Snapshot, position: int) -> TlogProof:
        if not 1 <= position <= snapshot.size:
            raise NoSuchPosition(position)
        if position <= snapshot.warm:
            self.tiles.load(needed_tiles_for_inclusion(position - 1, snapshot.size))
        hashes = inclusion_proof(position - 1, snapshot.size, self._node)
        return TlogProof(position - 1, tuple(hashes), snapshot.note)

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

    def needed_for_inclusion(self, index: int, size: int) -> Sequence[TileAddress]:
        """The tiles that prove a leaf in the tree of some published size.

        Raises:
            NoSuchPosition: there is no such leaf, or the tree is not published.
            StoreUnavailable: nothing was published yet.
        """
        if not 0 <= index < size <= self._seen().size:
            raise NoSuchPosition(index + 1)
        return needed_tiles_for_inclusion(index, size)

    def needed_for_consistency(self, old: int, new: int) -> Sequence[TileAddress]:
        """The tiles that prove one tree a prefix of a larger published one.

        Raises:
            NoSuchPosition: the larger is not published, or is not the larger.
            StoreUnavailable: nothing was published yet.
        """
        if not 0 <= old <= new <= self._seen().size:
            raise NoSuchPosition(new)
        return needed_tiles_for_consistency(old, new)

    def _seen(self) -> _Snapshot:
        if self._newest is None:
            raise StoreUnavailable
        return self._newest

    def _snapshot(self, size: int, note: bytes, warm: int) -> _Snapshot:
        """A new tree whose leaves since the last one are proven without reading."""
        new = [*range(warm, size, TILE_WIDTH), size - 1] if size else []
        self.tiles.load(
            {address: None for leaf in new for address in needed_tiles_for_inclusion(leaf, size)}
        )
        return _Snapshot(size, note, warm)
