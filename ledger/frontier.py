"""The right edge of a growing Merkle tree (a "compact range" that starts at 0)."""

from collections.abc import Iterable, Sequence
from typing import Self

from ledger.errors import ProofError
from ledger.hashing import HASH_BYTES, check_hashes, empty_root, fold, pair_up
from ledger.syntax import MAX_SIZE

_SIZE_BYTES = 8


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first.

    It suffices to append and to compute the root; its size is the logarithm of the tree's.

    Args:
        size: Number of leaves so far.
        hashes: One hash for each bit set in ``size``, from the left, largest subtree first.

    Raises:
        ProofError: If the hashes do not fit the size.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if not 0 <= size <= MAX_SIZE or len(hashes) != size.bit_count():
            raise ProofError("A frontier has one hash for each bit of its size.", size=size)
        check_hashes(hashes)
        levels = [level for level in range(size.bit_length()) if size >> level & 1]
        self.size = size
        self._peaks: dict[int, bytes] = dict(zip(reversed(levels), hashes, strict=True))

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees from the left, largest first."""
        return tuple(self._peaks[level] for level in sorted(self._peaks, reverse=True))

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes], level: int = 0) -> None:
        """Add leaf hashes in their order, one level of the tree at a time.

        Args:
            leaves: The hashes; where ``level`` is not 0, the roots of complete subtrees.
            level: Height of those subtrees.

        Raises:
            ProofError: If one of them has not 32 bytes, or subtrees cannot stand here; nothing is
                added then.
        """
        nodes = list(leaves)
        check_hashes(nodes)
        if self.size % (1 << level):
            raise ProofError("A subtree stands at a multiple of its size.", size=self.size)
        added = len(nodes) << level
        while nodes:
            # A peak at this level is the left sibling of the first new node.
            peak = self._peaks.pop(level, None)
            if peak is not None:
                nodes.insert(0, peak)
            if len(nodes) & 1:
                self._peaks[level] = nodes[-1]
            nodes = pair_up(nodes)
            level += 1
        self.size += added

    def root(self) -> bytes:
        """Return the root hash of the tree so far."""
        return fold(self.hashes) if self.size else empty_root()

    def copy(self) -> "Frontier":
        """Return an independent frontier of the same tree."""
        return Frontier(self.size, self.hashes)

    def encode(self) -> bytes:
        """Return the size as eight bytes, big endian, and the hashes from the left."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.hashes)

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read what ``encode`` writes.

        Raises:
            ProofError: If the hashes do not fit the size.
        """
        if len(raw) < _SIZE_BYTES:
            raise ProofError("A frontier starts with its size.")
        size, body = int.from_bytes(raw[:_SIZE_BYTES], "big"), raw[_SIZE_BYTES:]
        hashes = [body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES)]
        return cls(size, hashes)


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes.

    Raises:
        ProofError: If one of them has not 32 bytes.
    """
    frontier = Frontier()
    frontier.extend(leaf_hashes)
    return frontier.root()
