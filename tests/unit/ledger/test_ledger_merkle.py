"""The Merkle tree against the definition in RFC 9162, and proofs bent in every place."""

import hashlib
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ProofError
from ledger.merkle import (
    Frontier,
    consistency_proof,
    consistency_ranges,
    empty_root,
    inclusion_proof,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_growth,
    verify_inclusion,
)

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
# The published roots of the first n of these entries, n from 0 to 8.
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(n.to_bytes(4, "big")) for n in range(70)]


def mth(leaves):
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m, leaves):
    """PATH of RFC 9162, 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m, leaves, complete):
    """SUBPROOF of RFC 9162, 2.1.4.1, word for word."""
    n = len(leaves)
    if m == n:
        return [] if complete else [mth(leaves)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], complete), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def source(leaves):
    return lambda level, index: mth(leaves[index << level : (index + 1) << level])


def test_leaf_and_node_hashes_are_the_known_ones():
    assert leaf_hash(b"L123456").hex() == (
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    )
    assert node_hash(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )
    assert empty_root().hex() == ROOTS[0]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_known_ones(size):
    assert root(leaf_hash(entry) for entry in ENTRIES[:size]).hex() == ROOTS[size]


def test_a_known_inclusion_proof():
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    proof = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in inclusion_proof(0, 8, source(leaves))] == proof
    hashes = [bytes.fromhex(one) for one in proof]
    verify_inclusion(0, 8, leaves[0], hashes, bytes.fromhex(ROOTS[8]))
    # The same hashes show that the tree of one leaf grew into that of eight.
    verify_consistency(1, 8, hashes, bytes.fromhex(ROOTS[1]), bytes.fromhex(ROOTS[8]))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 70])
def test_every_inclusion_proof_is_the_definition_s_and_verifies(size):
    leaves, node = LEAVES[:size], source(LEAVES[:size])
    for index in range(size):
        proof = inclusion_proof(index, size, node)
        assert proof == path(index, leaves)
        verify_inclusion(index, size, leaves[index], proof, mth(leaves))


@pytest.mark.parametrize("new", [1, 2, 3, 6, 8, 13, 16, 31, 70])
def test_every_consistency_proof_is_the_definition_s_and_verifies(new):
    node = source(LEAVES[:new])
    for old in range(1, new + 1):
        proof = consistency_proof(old, new, node)
        assert proof == subproof(old, LEAVES[:new], True)
        verify_consistency(old, new, proof, mth(LEAVES[:old]), mth(LEAVES[:new]))
        verify_growth(old, new, proof, mth(LEAVES[:old]), mth(LEAVES[:new]))


def flip(digest):
    return bytes([digest[0] ^ 1]) + digest[1:]


def bent(hashes, roots):
    """Every small way to spoil a list of hashes."""
    yield [*hashes, b""]
    yield [b"", *hashes]
    for one in roots:
        yield [*hashes, one]
        yield [one, *hashes]
    for n in range(len(hashes)):
        yield hashes[:n] + hashes[n + 1 :]
        yield [*hashes[:n], flip(hashes[n]), *hashes[n + 1 :]]
        yield [*hashes[:n], hashes[n], hashes[n], *hashes[n + 1 :]]
        yield [*hashes[:n], hashes[n][:-1], *hashes[n + 1 :]]
    if len(set(hashes)) > 1:
        yield hashes[::-1]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 11])
def test_a_bent_inclusion_proof_is_refused(size):
    leaves = LEAVES[:size]
    top = mth(leaves)
    for index in range(size):
        proof = path(index, leaves)
        cases = [(index, size, leaves[index], hashes, top) for hashes in bent(proof, [top])]
        cases += [(other, size, leaves[index], proof, top) for other in range(-1, size + 2)]
        # Another size may give the same path shape, never with another root beside it.
        cases += [(index, size * 2, leaves[index], proof, mth(LEAVES[: size * 2]))]
        cases += [
            (index, size, LEAVES[size + 1], proof, top),
            (index, size, flip(leaves[index]), proof, top),
            (index, size, leaves[index], proof, flip(top)),
            (index, size, leaves[index], proof, empty_root()),
            (index, size, leaves[index], proof, b""),
            (index, size, b"", proof, top),
            (index, 0, leaves[index], proof, top),
            (index, -size, leaves[index], proof, top),
            (2**70, 2**71, leaves[index], proof, top),
        ]
        for case in cases:
            if case == (index, size, leaves[index], proof, top):
                continue
            with pytest.raises(ProofError):
                verify_inclusion(*case)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (1, 8), (2, 8), (3, 7), (4, 7), (6, 8), (8, 13)])
def test_a_bent_consistency_proof_is_refused(old, new):
    before, after = mth(LEAVES[:old]), mth(LEAVES[:new])
    proof = subproof(old, LEAVES[:new], True)
    cases = [(old, new, hashes, before, after) for hashes in bent(proof, [before, after])]
    cases += [
        (old, new, proof, after, before),
        (old, new, proof, flip(before), after),
        (old, new, proof, before, flip(after)),
        (old, new, proof, before, b""),
        (new, old, proof, before, after),
        (old, old, proof, before, before),
        (old, old, [], before, after),
        (old, old, [], b"", b""),
        (old, new, [], before, after),
        (0, new, proof, empty_root(), after),
        (0, new, [], empty_root(), after),
        (0, 0, [], empty_root(), empty_root()),
        (-1, new, proof, before, after),
        (old, 2**70, proof, before, after),
        (old, new * 4, proof, before, after),
    ]
    for case in cases:
        with pytest.raises(ProofError):
            verify_consistency(*case)


def test_swapped_leaves_do_not_verify():
    leaves = LEAVES[:9]
    for index in range(8):
        with pytest.raises(ProofError):
            verify_inclusion(index, 9, leaves[index + 1], path(index, leaves), mth(leaves))


def test_a_rewritten_history_is_not_consistent():
    forged = [*LEAVES[:3], flip(LEAVES[3]), *LEAVES[4:8]]
    with pytest.raises(ProofError):
        verify_consistency(5, 8, subproof(5, forged, True), mth(LEAVES[:5]), mth(forged))


def test_growth_from_nothing_needs_an_empty_proof_and_the_empty_root():
    top = mth(LEAVES[:3])
    verify_growth(0, 3, [], empty_root(), top)
    verify_growth(0, 0, [], empty_root(), empty_root())
    for case in (
        (0, 3, [top], empty_root(), top),
        (0, 3, [], top, top),
        (0, 0, [], empty_root(), top),
        (0, -1, [], empty_root(), top),
        (0, 3, [], empty_root(), b"short"),
    ):
        with pytest.raises(ProofError):
            verify_growth(*case)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (5, 2**64)])
def test_there_is_no_proof_of_a_leaf_outside(index, size):
    with pytest.raises(ProofError):
        inclusion_ranges(index, size)


def test_there_is_no_proof_of_shrinking():
    with pytest.raises(ProofError):
        consistency_ranges(3, 2)
    assert consistency_ranges(0, 5) == consistency_ranges(5, 5) == []


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_frontier_grown_in_any_batches_has_the_same_edge(batches):
    frontier, total = Frontier(), []
    for size in batches:
        batch = [leaf_hash(bytes([n])) for n in range(size)]
        frontier.extend(batch)
        total += batch
    assert frontier.size == len(total)
    assert frontier.root() == mth(total) == root(total)
    again = Frontier.decode(frontier.encode())
    assert (again.size, again.hashes) == (frontier.size, frontier.hashes)
    again.append(LEAVES[0])
    assert again.root() == mth([*total, LEAVES[0]])
    assert frontier.root() == mth(total)


def test_a_copy_of_a_frontier_grows_alone():
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    other = frontier.copy()
    other.append(LEAVES[5])
    assert frontier.root() == mth(LEAVES[:5])
    assert other.root() == mth(LEAVES[:6])


def test_the_bytes_of_a_frontier_are_size_and_hashes_from_the_left():
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    assert frontier.encode() == bytes(7) + b"\x05" + mth(LEAVES[:4]) + LEAVES[4]
    assert frontier.hashes == (mth(LEAVES[:4]), LEAVES[4])


@pytest.mark.parametrize(
    "raw", [b"", bytes(7), bytes(8) + bytes(32), bytes(7) + b"\x03" + bytes(32), b"\xff" * 8]
)
def test_a_frontier_with_other_hashes_than_its_size_says_is_refused(raw):
    with pytest.raises(ProofError):
        Frontier.decode(raw)


def test_a_frontier_takes_hashes_only_and_then_none():
    frontier = Frontier()
    frontier.extend(LEAVES[:3])
    with pytest.raises(ProofError):
        frontier.extend([LEAVES[3], b"entry instead of hash"])
    assert frontier.size == 3
    assert frontier.root() == mth(LEAVES[:3])
    with pytest.raises(ProofError):
        Frontier(1, [b"short"])


def test_a_hundred_thousand_leaves_are_integrated_at_once():
    leaves = [os.urandom(32) for _ in range(100_000)]
    frontier = Frontier(1, [LEAVES[0]])
    started = time.process_time()
    frontier.extend(leaves)
    assert time.process_time() - started < 2  # about 0.05 s; a guard against quadratic code
    assert frontier.size == 100_001
