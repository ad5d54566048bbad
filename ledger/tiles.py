"""Tiles and entry bundles: the tree as files of 256 hashes or entries (C2SP tlog-tiles).

Hash i of tile n at level L is the root over the leaves
``[(n * 256 + i) * 256**L, (n * 256 + i + 1) * 256**L)``. A partial tile is a prefix of every wider
one, so one stored row a tile, its widest, answers every width by truncation.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from ledger.bundle import BUNDLE_ENTRIES, decode_bundle, encode_bundle, truncate_bundle
from ledger.errors import TileError
from ledger.frontier import Frontier
from ledger.hashing import HASH_BYTES, check_hashes, pair_up
from ledger.merkle import (
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    range_nodes,
)
from ledger.syntax import MAX_SIZE

__all__ = [
    "BUNDLE_ENTRIES",
    "ENTRIES",
    "TILE_BYTES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "Tile",
    "TileAddress",
    "TileReader",
    "decode_bundle",
    "encode_bundle",
    "entries_path",
    "needed_tiles_for_consistency",
    "needed_tiles_for_inclusion",
    "needed_tiles_for_root",
    "parse_entries_path",
    "parse_tile_path",
    "tile_path",
    "tile_width",
    "tiles_for_growth",
    "truncate_bundle",
    "truncate_tile",
]

TILE_HEIGHT = 8
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_LEVEL = 63
ENTRIES = -1
"""The level under which entry bundles stand beside the tiles of level 0."""

TileAddress = tuple[int, int, int]
"""Level (``ENTRIES`` for a bundle), index within the level, and width from 1 to 256."""
Tile = tuple[int, int, bytes]
"""Level, index, and the data that replaces what the row of the two holds."""

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[0-9]{1,3}))?"
).fullmatch


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path below the log's prefix, such as ``tile/0/x001/x234/067.p/8``.

    Raises:
        TileError: If there is no such tile.
    """
    if not (ENTRIES <= level <= MAX_LEVEL and 0 <= index <= MAX_SIZE and 1 <= width <= TILE_WIDTH):
        raise TileError("There is no such tile.", level=level, index=index, width=width)
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{'entries' if level == ENTRIES else level}/{'/'.join(groups)}{partial}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle, such as ``tile/entries/x001/000``."""
    return tile_path(ENTRIES, index, width)


def parse_tile_path(path: str) -> TileAddress:
    """Read a path below the log's prefix, in its one spelling.

    Raises:
        TileError: For any other text.
    """
    match = _PATH(path)
    if match is None:
        raise TileError("This is not the path of a tile.")
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    width = TILE_WIDTH if match["width"] is None else int(match["width"])
    # Writing it again refuses leading zeroes, empty groups and a ".p/256".
    if tile_path(level, index, width) != path:
        raise TileError("This is not the path of a tile.")
    return level, index, width


def parse_entries_path(path: str) -> tuple[int, int]:
    """Read the path of an entry bundle; returns its index and width.

    Raises:
        TileError: For any other text, a hash tile's path too.
    """
    level, index, width = parse_tile_path(path)
    if level != ENTRIES:
        raise TileError("This is not the path of an entry bundle.")
    return index, width


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes (for ``ENTRIES``, entries) a tile has in a tree of ``size`` leaves.

    Raises:
        TileError: If that tree has no such tile.
    """
    hashes = size >> TILE_HEIGHT * max(level, 0)
    width = min(TILE_WIDTH, hashes - index * TILE_WIDTH)
    if index < 0 or width < 1:
        raise TileError("The tree has no such tile.", level=level, index=index, size=size)
    return width


def truncate_tile(data: bytes, width: int) -> bytes:
    """Return the narrower tile that a stored tile begins with.

    Raises:
        TileError: If the stored tile is no tile, or narrower itself.
    """
    if len(data) % HASH_BYTES or not width * HASH_BYTES <= len(data) <= TILE_BYTES:
        raise TileError("A tile is not as wide as it should be.", width=width, size=len(data))
    return data[: width * HASH_BYTES]


def tiles_for_growth(
    old_size: int, new_leaf_hashes: Sequence[bytes], read_tile: Callable[[int, int], bytes]
) -> list[Tile]:
    """Return every tile that new leaves make or widen, lowest level first.

    Args:
        old_size: Leaves before.
        new_leaf_hashes: Hashes of the leaves that follow.
        read_tile: Returns the stored right-edge tile of (level, index), at least as wide as the
            old tree has it; asked at most once a level.

    Raises:
        TileError: If a stored tile is narrower than the old tree needs.
        ProofError: If a leaf hash has not 32 bytes.
    """
    check_hashes(new_leaf_hashes)
    tiles: list[Tile] = []
    level, nodes = 0, list(new_leaf_hashes)
    while nodes:
        first, offset = divmod(old_size >> TILE_HEIGHT * level, TILE_WIDTH)
        if offset:
            nodes = _hashes(truncate_tile(read_tile(level, first), offset)) + nodes
        rows = [nodes[at : at + TILE_WIDTH] for at in range(0, len(nodes), TILE_WIDTH)]
        tiles += [(level, first + n, b"".join(row)) for n, row in enumerate(rows)]
        # Only full tiles are hashed upward.
        nodes = [_reduce(row, TILE_HEIGHT) for row in rows if len(row) == TILE_WIDTH]
        level += 1
    return tiles


def needed_tiles_for_inclusion(index: int, size: int) -> list[TileAddress]:
    """Return the tiles that an inclusion proof reads, without repetition.

    Raises:
        ProofError: If the tree has no such leaf.
    """
    return _needed(inclusion_ranges(index, size), size)


def needed_tiles_for_consistency(old: int, new: int) -> list[TileAddress]:
    """Return the tiles that a consistency proof reads, without repetition.

    Raises:
        ProofError: If ``old`` exceeds ``new``.
    """
    return _needed(consistency_ranges(old, new), new)


def needed_tiles_for_root(size: int) -> list[TileAddress]:
    """Return the tiles that root and frontier are read from, without repetition."""
    return _needed([(0, size)], size)


class TileReader:
    """Roots and proofs of one tree from its tiles, in O(log n) reads.

    It trusts what it reads as far as widths; a wrong hash shows in the root or the proof, which
    the caller checks against a signed checkpoint.

    Args:
        size: Leaves of the tree.
        fetch: Returns the tile of (level, index, width), or a wider one; read once each.
    """

    def __init__(self, size: int, fetch: Callable[[int, int, int], bytes]) -> None:
        self.size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree of ``2**level`` leaves at ``index``.

        Raises:
            TileError: If it is not complete in this tree, or a tile is narrower than it should be.
        """
        place, height, start = _place(level, index)
        hashes = self._tile(place, start // TILE_WIDTH)
        offset = start % TILE_WIDTH
        nodes = hashes[offset : offset + (1 << height)]
        if len(nodes) != 1 << height:
            raise TileError("This subtree is not complete.", level=level, index=index)
        return _reduce(nodes, height)

    def root(self) -> bytes:
        """Return the root hash of the tree."""
        return self.frontier().root()

    def frontier(self) -> Frontier:
        """Return the right edge of the tree, to append to."""
        return Frontier(self.size, [self.node(*node) for node in range_nodes(0, self.size)])

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the hashes that prove a leaf.

        Raises:
            ProofError: If the tree has no such leaf.
        """
        return inclusion_proof(index, self.size, self.node)

    def consistency_proof(self, old: int) -> list[bytes]:
        """Return the hashes that prove that the tree of size ``old`` is a prefix of this one.

        Raises:
            ProofError: If this tree is smaller.
        """
        return consistency_proof(old, self.size, self.node)

    def _tile(self, level: int, index: int) -> list[bytes]:
        hashes = self._tiles.get((level, index))
        if hashes is None:
            width = tile_width(level, index, self.size)
            hashes = _hashes(truncate_tile(self._fetch(level, index, width), width))
            self._tiles[level, index] = hashes
        return hashes


def _place(level: int, index: int) -> tuple[int, int, int]:
    """Return the tile level of a node, its height in there, and its first hash at that level."""
    place, height = divmod(level, TILE_HEIGHT)
    return place, height, index << height


def _needed(ranges: Iterable[tuple[int, int]], size: int) -> list[TileAddress]:
    addresses: dict[TileAddress, None] = {}
    for start, end in ranges:
        for level, index in range_nodes(start, end):
            place, _, first = _place(level, index)
            tile = first // TILE_WIDTH
            addresses[place, tile, tile_width(place, tile, size)] = None
    return list(addresses)


def _hashes(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def _reduce(nodes: Sequence[bytes], height: int) -> bytes:
    """Return the root over exactly ``2**height`` hashes."""
    for _ in range(height):
        nodes = pair_up(nodes)
    return nodes[0]
