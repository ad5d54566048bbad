"""The Merkle tree of RFC 9162, section 2.1, with SHA-256.

Trees are never built whole: a ``Frontier`` keeps the right edge while leaves are appended, and
proofs are lists of subtree ranges that are resolved through any source of node hashes, such as
tiles.
"""

from collections.abc import Callable, Sequence

from ledger.errors import ProofError
from ledger.frontier import Frontier, root
from ledger.hashing import (
    HASH_BYTES,
    check_hashes,
    empty_root,
    fold,
    leaf_hash,
    node_hash,
    pair_up,
)
from ledger.syntax import MAX_SIZE

__all__ = [
    "HASH_BYTES",
    "Frontier",
    "NodeSource",
    "consistency_proof",
    "consistency_ranges",
    "empty_root",
    "inclusion_proof",
    "inclusion_ranges",
    "leaf_hash",
    "node_hash",
    "pair_up",
    "range_nodes",
    "root",
    "verify_consistency",
    "verify_growth",
    "verify_inclusion",
]

NodeSource = Callable[[int, int], bytes]
"""Hash of the complete subtree over leaves [index * 2^level, (index + 1) * 2^level)."""


def range_nodes(start: int, end: int) -> list[tuple[int, int]]:
    """Return the complete subtrees that make up a range of leaves, as (level, index), from left.

    Args:
        start: First leaf; a multiple of the smallest power of two not below ``end - start``,
            which holds for all ranges of proofs.
        end: Leaf after the last.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges whose hashes prove a leaf, its sibling first (RFC 9162, 2.1.3.1).

    Raises:
        ProofError: If the tree has no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError("The tree has no such leaf.", index=index, size=size)
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Return the leaf ranges whose hashes prove growth (RFC 9162, 2.1.4.1), in proof order.

    Nothing has to be shown from the empty tree, or between equal sizes: the proof is empty.

    Raises:
        ProofError: If ``old`` exceeds ``new``.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise ProofError("A tree only grows.", old=old, new=new)
    if old in (0, new):
        return []
    ranges, start, end = [], 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:  # the old tree's own last subtree, unless it is the old tree itself
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(index: int, size: int, node: NodeSource) -> list[bytes]:
    """Return the hashes that prove a leaf, its sibling first.

    Raises:
        ProofError: If the tree has no such leaf.
    """
    return [_range_hash(start, end, node) for start, end in inclusion_ranges(index, size)]


def inclusion_proofs(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    """Return the root over leaf hashes, at least one, and what proves each, its sibling first."""
    if len(leaves) == 1:
        return leaves[0], [[]]
    middle = _split(len(leaves))
    left, before = inclusion_proofs(leaves[:middle])
    right, after = inclusion_proofs(leaves[middle:])
    for path in before:
        path.append(right)
    for path in after:
        path.append(left)
    return node_hash(left, right), before + after


def consistency_proof(old: int, new: int, node: NodeSource) -> list[bytes]:
    """Return the hashes that prove that the tree of size ``old`` is a prefix of that of ``new``.

    Raises:
        ProofError: If ``old`` exceeds ``new``.
    """
    return [_range_hash(start, end, node) for start, end in consistency_ranges(old, new)]


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Verify that a leaf stands at an index of a tree (RFC 9162, 2.1.3.2).

    Args:
        index: Leaf index, from 0.
        size: Number of leaves of the tree.
        leaf: Hash of the leaf.
        proof: The hashes, the leaf's sibling first.
        root: Root hash of the tree, from a verified checkpoint.

    Raises:
        ProofError: If it does not.
    """
    check_hashes((leaf, root, *proof))
    # 1. The leaf is inside the tree.
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError("The tree has no such leaf.", index=index, size=size)
    # 2. to 4. From the leaf's hash upwards.
    _, computed = _climb(index, size - 1, leaf, proof)
    # 5. The path ends at this root.
    if computed != root:
        raise ProofError("The proof leads to another root.", index=index, size=size)


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Verify that the tree of size ``old`` is a prefix of the tree of size ``new``.

    RFC 9162, 2.1.4.2. The old tree has leaves: that anything extends the empty tree says nothing,
    so a caller for whom that is an answer asks ``verify_growth``.

    Raises:
        ProofError: If it is not, or ``old`` is 0.
    """
    # 1. 0 < old <= new; equal sizes need no hashes, only equal roots, and roots there must be.
    if not 0 < old <= new <= MAX_SIZE:
        raise ProofError("Consistency is shown from a tree with leaves to a larger one.", old=old)
    if old == new:
        if proof or not old_root or old_root != new_root:
            raise ProofError("Two trees of one size differ.", size=old)
        return
    check_hashes((old_root, new_root, *proof))
    # 2. If old is a power of two, its own root starts the path.
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        raise ProofError("The proof is too short.", old=old, new=new)
    # 3. fn, sn = old - 1, new - 1; both skip the levels where the old tree's last node is right.
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    # 4. to 6. From the first hash upwards.
    old_computed, new_computed = _climb(first, last, path[0], path[1:])
    # 7. Both paths end at their roots.
    if old_computed != old_root or new_computed != new_root:
        raise ProofError("The proof leads to other roots.", old=old, new=new)


def verify_growth(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Verify consistency where having seen nothing yet is a fair start (C2SP tlog-witness).

    From the empty tree the proof must be empty and the old root that of the empty tree; an empty
    new tree must have that root too.

    Raises:
        ProofError: If the new tree does not extend the old one.
    """
    if old:
        verify_consistency(old, new, proof, old_root, new_root)
        return
    check_hashes((old_root, new_root))
    if proof or old_root != empty_root() or not 0 <= new <= MAX_SIZE:
        raise ProofError("From the empty tree there is nothing to prove.", new=new)
    if new == 0 and new_root != empty_root():
        raise ProofError("The empty tree has another root.")


def _split(width: int) -> int:
    """Return the largest power of two below a width of at least 2."""
    return 1 << (width - 1).bit_length() - 1


def _range_hash(start: int, end: int, node: NodeSource) -> bytes:
    return fold([node(level, index) for level, index in range_nodes(start, end)])


def _climb(first: int, last: int, start: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Walk from a node to the root over its siblings.

    Args:
        first: Index of the node at its level, the specification's "fn".
        last: Index of that level's last node, "sn".
        start: Hash of the node.
        path: Hashes of the siblings, lowest first.

    Returns:
        The root of the tree that ends at the node ("fr"), which only left siblings belong to, and
        the root of the whole tree ("sr").
    """
    left_only = whole = start
    for step in path:
        # a. No hash is left over above the root.
        if last == 0:
            raise ProofError("The proof is too long.")
        # b. A left sibling where the node is a right child, or the last one of its level: then
        #    the levels on which it has no sibling at all are skipped.
        if first & 1 or first == last:
            left_only, whole = node_hash(step, left_only), node_hash(step, whole)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        # c. Else a right sibling.
        else:
            whole = node_hash(whole, step)
        first, last = first >> 1, last >> 1
    # d. The root is reached.
    if last:
        raise ProofError("The proof is too short.")
    return left_only, whole
