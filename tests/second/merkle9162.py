"""The Merkle tree of RFC 9162 section 2.1, as its text defines it."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES = 32


class ProofFailed(ValueError):
    """A proof does not prove what it should."""


def leaf(entry: bytes) -> bytes:
    """Return the hash of an entry as a leaf."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """Return the largest power of two smaller than a size of at least two."""
    return 1 << ((size - 1).bit_length() - 1)


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return MTH over leaf hashes (section 2.1.1)."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def inclusion_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return PATH (section 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*inclusion_path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*inclusion_path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def consistency_path(first: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return PROOF from a first size, of at least one, to all leaves (section 2.1.4.1)."""
    return _subproof(first, leaves, whole=True)


def _subproof(first: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    k = split(len(leaves))
    if first <= k:
        return [*_subproof(first, leaves[:k], whole=whole), tree_hash(leaves[k:])]
    return [*_subproof(first - k, leaves[k:], whole=False), tree_hash(leaves[:k])]


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofFailed("a hash does not have 32 bytes")


def root_from_inclusion(index: int, size: int, leaf_hash: bytes, path: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion path leads to (section 2.1.3.2).

    Raises:
        ProofFailed: If the path does not fit the index and the size.
    """
    _check_hashes(leaf_hash, *path)
    if not 0 <= index < size:
        raise ProofFailed("the index lies outside the tree")
    fn, sn, r = index, size - 1, leaf_hash
    for p in path:
        if sn == 0:
            raise ProofFailed("the path is too long")
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofFailed("the path is too short")
    return r


def verify_consistency(
    first: tuple[int, bytes], second: tuple[int, bytes], path: Sequence[bytes]
) -> None:
    """Check that a tree head extends an earlier, non-empty one (section 2.1.4.2).

    Args:
        first: Size and root of the earlier tree.
        second: Size and root of the later tree.
        path: The consistency proof.

    Raises:
        ProofFailed: If it does not, or the path is malformed.
    """
    (m, old_root), (n, new_root) = first, second
    _check_hashes(old_root, new_root, *path)
    if not 0 < m <= n:
        raise ProofFailed("sizes out of order")
    if m == n:
        roots = old_root, new_root
    elif path:
        roots = _roots_of_consistency(m, n, [old_root, *path] if m & (m - 1) == 0 else path)
    else:
        raise ProofFailed("an empty proof")
    if roots != (old_root, new_root) or (m == n and (path or old_root != new_root)):
        raise ProofFailed("the later tree does not extend the earlier one")


def _roots_of_consistency(m: int, n: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    fn, sn = m - 1, n - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = hashes[0]
    for c in hashes[1:]:
        if sn == 0:
            raise ProofFailed("the path is too long")
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofFailed("the path is too short")
    return fr, sr
