"""Hashes of leaves and nodes (RFC 9162, section 2.1.1, with SHA-256)."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256

from ledger.errors import ProofError

HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each of many leaves."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


@lru_cache(4096)  # paths from neighbours climb over the same nodes
def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def empty_root() -> bytes:
    """Return the root of the tree without leaves: SHA-256 of nothing."""
    return sha256(b"").digest()


def pair_up(nodes: Sequence[bytes]) -> list[bytes]:
    """Return the parents of nodes, two by two; an odd last one has none yet."""
    following = iter(nodes)
    return [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(following, following, strict=False)
    ]


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over subtree roots that stand side by side, largest first, at least one."""
    total = hashes[-1]
    for peak in reversed(hashes[:-1]):
        total = node_hash(peak, total)
    return total


def check_hashes(hashes: Iterable[bytes]) -> None:
    """Refuse what is no SHA-256 hash.

    Raises:
        ProofError: If one of them has not 32 bytes.
    """
    if any(len(digest) != HASH_BYTES for digest in hashes):
        raise ProofError("A hash has 32 bytes.")
