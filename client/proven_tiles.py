"""Leaf hashes that are proven to lie in a signed tree, read through its public tiles.

The partial tiles at the right edge hold the peaks of the tree and so make its root; a full tile's
own root stands in the tile above it. What was proven under one tree holds under every tree that
extends it, so full tiles are read and hashed once.
"""

from client.served import ServedLog
from ledger.errors import ProofError
from ledger.frontier import root
from ledger.hashing import HASH_BYTES
from ledger.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileReader,
    needed_tiles_for_root,
    truncate_tile,
)
from ledger.treehead import Checkpoint

_KEPT = 512  # tiles; 8 KiB each

_Place = tuple[int, int]


class ProvenTiles:
    """Tiles of a log whose checkpoints extend each other.

    Args:
        log: Where tiles are read; nothing it says is believed.
    """

    def __init__(self, log: ServedLog) -> None:
        self._log = log
        self._full: dict[_Place, bytes] = {}
        self._edge: dict[_Place, bytes] = {}
        self._tree: Checkpoint | None = None

    async def leaf(self, tree: Checkpoint, position: int) -> bytes:
        """Return the leaf hash that the signed tree holds at a position.

        Raises:
            ProofError: If the tiles do not make the signed root.
            TileError: If one is not as wide as it should be.
        """
        if self._tree != tree:
            await self._prove_edge(tree)
        index, place = divmod(position - 1, TILE_WIDTH)
        tile = await self._tile(0, index)
        return tile[place * HASH_BYTES :][:HASH_BYTES]

    async def _prove_edge(self, tree: Checkpoint) -> None:
        edge = {}
        for level, index, width in needed_tiles_for_root(tree.size):
            tile = await self._log.tile(level, index, width)
            edge[level, index] = truncate_tile(tile, width)
        if TileReader(tree.size, lambda level, index, _: edge[level, index]).root() != tree.root:
            raise ProofError("The tiles do not make the signed root.", size=tree.size)
        self._edge, self._tree = edge, tree

    async def _tile(self, level: int, index: int) -> bytes:
        known = self._edge.get((level, index)) or self._full.get((level, index))
        if known is not None:
            return known
        above = await self._tile(level + 1, index >> TILE_HEIGHT)
        tile = truncate_tile(await self._log.tile(level, index, TILE_WIDTH), TILE_WIDTH)
        place = index % TILE_WIDTH * HASH_BYTES
        hashes = (tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES))
        if root(hashes) != above[place:][:HASH_BYTES]:
            raise ProofError("A tile does not stand in the one above it.", level=level, index=index)
        while len(self._full) >= _KEPT:
            del self._full[next(iter(self._full))]  # the oldest
        self._full[level, index] = tile
        return tile
