"""The upper tiles of a log, recomputed while its leaves pass by and compared with the stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.hashing import HASH_BYTES, pair_up
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH

ALTERED = "tile-altered"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a stored tile is not what it should be.

    Attributes:
        place: Of the first hash that is wrong, from 0; 0 too where the whole file is.
        reason: What is wrong, as a short stable slug.
    """

    place: int
    reason: str


def find_difference(stored: bytes | None, hashes: Sequence[bytes], width: int) -> Difference | None:
    """Compare a stored tile with the hashes that it should hold.

    Args:
        stored: The file, None if there is none.
        hashes: The true ones; fewer than ``width`` if not all are known.
        width: How many the tile has.
    """
    if stored is None:
        return Difference(0, "tile-missing")
    if len(stored) > width * HASH_BYTES:
        return Difference(0, "tile-too-long")
    if stored == b"".join(hashes):
        return None
    for place, node in enumerate(hashes):
        found = stored[place * HASH_BYTES :][:HASH_BYTES]
        if found != node:
            return Difference(place, ALTERED if len(found) == HASH_BYTES else "tile-cut-off")
    return None


def full_tile_root(leaves: Sequence[bytes]) -> bytes | None:
    """Return the root over a full tile of leaves, None where they are fewer."""
    return _reduce(leaves) if len(leaves) == TILE_WIDTH else None


class Tower:
    """Tiles of level 1 and above, as far as the leaves that were taken make them.

    Args:
        read_tile: Returns the stored tile of (level, index), None where there is none.

    Attributes:
        first_wrong: First position below a hash that is wrong and what is wrong with its tile.
    """

    def __init__(self, read_tile: Callable[[int, int], bytes | None]) -> None:
        self._read_tile = read_tile
        self._levels: list[list[bytes]] = []
        self._complete: list[int] = []
        self.first_wrong: tuple[int, str] | None = None

    def take(self, node: bytes | None) -> None:
        """Take the root over the next full tile of leaves; a last partial one makes nothing."""
        if node is not None:
            self._push(1, node)

    def remember(self) -> dict[str, Any]:
        """Return what is not compared yet, as a JSON object."""
        return {
            "levels": [b"".join(hashes).hex() for hashes in self._levels],
            "complete": self._complete,
            "first_wrong": self.first_wrong,
        }

    def recall(self, facts: dict[str, Any]) -> None:
        """Go on where another stood; raises KeyError, TypeError or ValueError for other facts."""
        levels = [bytes.fromhex(text) for text in facts["levels"]]
        self._levels = [
            [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)] for raw in levels
        ]
        self._complete = list(facts["complete"])
        wrong = facts["first_wrong"]
        self.first_wrong = None if wrong is None else (wrong[0], wrong[1])

    def finish(self) -> None:
        """Compare the partial tiles at the right edge."""
        for level, hashes in enumerate(self._levels, 1):
            if hashes:
                self._compare(level, hashes)

    def _push(self, level: int, node: bytes) -> None:
        if len(self._levels) < level:
            self._levels.append([])
            self._complete.append(0)
        hashes = self._levels[level - 1]
        hashes.append(node)
        if len(hashes) == TILE_WIDTH:
            self._compare(level, hashes)
            self._complete[level - 1] += 1
            self._levels[level - 1] = []
            self._push(level + 1, _reduce(hashes))

    def _compare(self, level: int, hashes: Sequence[bytes]) -> None:
        index = self._complete[level - 1]
        found = find_difference(self._read_tile(level, index), hashes, len(hashes))
        if found is None:
            return
        position = ((index * TILE_WIDTH + found.place) << TILE_HEIGHT * level) + 1
        if self.first_wrong is None or position < self.first_wrong[0]:
            self.first_wrong = position, found.reason


def _reduce(hashes: Sequence[bytes]) -> bytes:
    """Return the root over exactly 256 hashes."""
    for _ in range(TILE_HEIGHT):
        hashes = pair_up(hashes)
    return hashes[0]
