"""Tiles in memory: what is stored once under a place only ever grows, so nothing goes stale.

Beside its hashes a tile keeps those of the inner nodes over sixteen of them and more: a proof then
hashes a dozen of nodes, whatever the size of its tree.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable

from ledger.errors import TileError
from ledger.hashing import HASH_BYTES, pair_up
from ledger.store.reading import LogReader
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH, TileAddress

TILES = 4_096
"""Kept in memory: 9.5 KiB each with their inner nodes, and enough for a million entries."""

_KEPT = 4
"""Height from which inner nodes are kept; those below are hashed when they are needed."""

_Place = tuple[int, int]
_Rows = tuple[bytes, ...]
"""A tile's hashes, then the hashes over 16 of them, over 32, and so on."""


class TileCache:
    """The tiles that were used last, each as wide as it was when it was read.

    Args:
        reader: The log.
        limit: Most tiles.
    """

    def __init__(self, reader: LogReader, limit: int = TILES) -> None:
        self._reader = reader
        self._limit = limit
        self._tiles: OrderedDict[_Place, _Rows] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, level: int, index: int, width: int) -> bytes | None:
        """Return a tile, or a wider one, that is at hand."""
        with self._lock:
            rows = self._tiles.get((level, index))
            if rows is None or len(rows[0]) < width * HASH_BYTES:
                return None
            self._tiles.move_to_end((level, index))
            return rows[0]

    def missing(self, needed: Iterable[TileAddress]) -> list[TileAddress]:
        """Return those tiles that are not at hand."""
        return [address for address in needed if self.find(*address) is None]

    def load(self, needed: Iterable[TileAddress]) -> None:
        """Read what is not at hand, in one query.

        Raises:
            StoreUnavailable: The database does not answer.
        """
        missing = self.missing(needed)
        if not missing:
            return
        read = self._reader.tiles((level, index) for level, index, _ in missing)
        for place, tile in read.items():
            rows = _rows(tile)
            with self._lock:
                self._tiles[place] = rows
                self._tiles.move_to_end(place)
                while len(self._tiles) > self._limit:
                    self._tiles.popitem(last=False)

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree of ``2**level`` leaves at ``index``.

        Raises:
            TileError: No such subtree is stored.
            StoreUnavailable: The database does not answer.
        """
        place, height = divmod(level, TILE_HEIGHT)
        tile, offset = divmod(index << height, TILE_WIDTH)
        needed = (place, tile, offset + (1 << height))
        if self.find(*needed) is None:
            self.load([needed])
        with self._lock:
            rows = self._tiles.get((place, tile), ())
        found = _node(rows, offset, height) if rows else b""
        if len(found) != HASH_BYTES:
            raise TileError("This subtree is not complete.", level=level, index=index)
        return found


def _rows(tile: bytes) -> _Rows:
    nodes, rows = _hashes(tile), [tile]
    for height in range(1, TILE_HEIGHT + 1):
        nodes = pair_up(nodes)
        if height >= _KEPT:
            rows.append(b"".join(nodes))
    return tuple(rows)


def _node(rows: _Rows, offset: int, height: int) -> bytes:
    """Return the node over ``2**height`` hashes of a tile, fewer bytes where they are not there."""
    if height >= _KEPT:
        start = (offset >> height) * HASH_BYTES
        return rows[height - _KEPT + 1][start : start + HASH_BYTES]
    nodes = _hashes(rows[0][offset * HASH_BYTES : (offset + (1 << height)) * HASH_BYTES])
    if len(nodes) < 1 << height:
        return b""
    for _ in range(height):
        nodes = pair_up(nodes)
    return nodes[0]


def _hashes(raw: bytes) -> list[bytes]:
    return [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
