"""The Merkle tree as it is stored: tiles in PostgreSQL, believed only after reading them back."""

from collections.abc import Callable, Sequence

import psycopg

from ledger.errors import VerificationError
from ledger.frontier import Frontier
from ledger.merkle import leaf_hash
from ledger.store.connections import Row
from ledger.store.errors import TamperFound
from ledger.store.queries import load_queries
from ledger.tiles import Tile, TileReader, tiles_for_growth

Cursor = psycopg.Cursor[Row]

_QUERIES = load_queries("integration.sql")


def stored_tree(cursor: Cursor, size: int) -> TileReader:
    """Return the tree of some size, read from its tiles on demand."""
    return TileReader(size, lambda level, index, _: _read_tile(cursor, level, index))


def stored_frontier(cursor: Cursor, size: int, root: bytes) -> Frontier:
    """Return the right edge of the stored tree, which must have a signed root.

    Raises:
        TamperFound: If the tiles are missing, too narrow or lead to another root.
    """
    try:
        frontier = stored_tree(cursor, size).frontier()
    except VerificationError as error:
        raise TamperFound(size, f"tiles of the right edge: {error}") from error
    if frontier.root() != root:
        raise TamperFound(size, "the tiles lead to another root than the signed one")
    return frontier


def read_leaves(cursor: Cursor, size: int, limit: int) -> list[bytes]:
    """Return the leaf hashes of the entries after a size, computed from the stored entries.

    Raises:
        TamperFound: At the first position that is missing, or whose entry and leaf differ.
    """
    cursor.execute(_QUERIES["following"], [size, size + limit], prepare=True)
    leaves = []
    for expected, (position, leaf, entry) in enumerate(cursor, size + 1):
        if position != expected:
            raise TamperFound(expected, "there is no entry at this position")
        computed = leaf_hash(entry)
        if computed != leaf:
            raise TamperFound(position, "the entry is not the one that was appended")
        leaves.append(computed)
    return leaves


def grow(
    cursor: Cursor,
    frontier: Frontier,
    leaves: Sequence[bytes],
    at: Callable[[str], None] = lambda _: None,
) -> Frontier:
    """Add leaves to the stored tree, inside the caller's transaction.

    The root is had in two ways that share nothing but the leaves: from the frontier in memory, and
    from the tiles as they are read back after writing.

    Args:
        cursor: Of a transaction.
        frontier: Right edge before.
        leaves: Hashes of the leaves that follow.
        at: Called at named points, where tests make it fail.

    Returns:
        The right edge afterwards.

    Raises:
        TamperFound: If what is read back is not what was written, or leads to another root.
    """
    size = frontier.size
    try:
        tiles = tiles_for_growth(size, leaves, lambda *place: _read_tile(cursor, *place))
    except VerificationError as error:
        raise TamperFound(size, f"tiles of the right edge: {error}") from error
    _write_tiles(cursor, tiles)
    at("tiles written")
    _verify_tiles(cursor, tiles)
    grown = frontier.copy()
    grown.extend(leaves)
    stored_frontier(cursor, grown.size, grown.root())
    return grown


def _read_tile(cursor: Cursor, level: int, index: int) -> bytes:
    row = cursor.execute(_QUERIES["tile"], [level, index], prepare=True).fetchone()
    return row[0] if row else b""


def _write_tiles(cursor: Cursor, tiles: Sequence[Tile]) -> None:
    levels, indices, hashes = map(list, zip(*tiles, strict=True))
    cursor.execute(_QUERIES["write_tiles"], [levels, indices, hashes], prepare=True)


def _verify_tiles(cursor: Cursor, tiles: Sequence[Tile]) -> None:
    levels, indices = [level for level, _, _ in tiles], [index for _, index, _ in tiles]
    rows = cursor.execute(_QUERIES["tiles"], [levels, indices], prepare=True)
    stored = {(level, index): hashes for level, index, hashes in rows}
    for level, index, hashes in tiles:
        if stored.get((level, index)) != hashes:
            first = index * 256 ** (level + 1) + 1
            raise TamperFound(first, f"tile {level}/{index} is not as it was written")
