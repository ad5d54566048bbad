"""Proofs are made of tiles in memory: those of any leaf, once they were read ahead."""

import asyncio
from hashlib import sha256

import psycopg
import pytest

from api.proving import Prover
from api.tile_cache import TileCache
from ledger.errors import TileError
from ledger.frontier import Frontier
from ledger.hashing import leaf_hash
from ledger.merkle import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from ledger.store.connections import open_pool
from ledger.store.reading import LogReader
from ledger.tiles import tiles_for_growth

LEAVES = [leaf_hash(sha256(b"%d" % number).digest()) for number in range(700)]
SIZES = (1, 255, 256, 257, 272, 511, 512, 513, 699, 700)


def root(size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    return frontier.root()


@pytest.fixture(scope="module")
def url(migrated_database):
    """A log of leaves alone, whose checkpoint covers them."""
    url = migrated_database().log
    with psycopg.connect(url) as connection:
        for tile in tiles_for_growth(0, LEAVES, lambda *_: b""):
            connection.execute("INSERT INTO ledger.tiles VALUES (%s, %s, %s)", tile)
        connection.execute(
            "UPDATE ledger.checkpoint"
            " SET size = %(n)s, note = 'a', published = %(n)s, published_note = 'a'",
            {"n": len(LEAVES)},
        )
    return url


class CountingReader(LogReader):
    """A log's reader that counts how often it was asked for tiles."""

    asked = 0

    def tiles(self, coordinates):
        self.asked += 1
        return super().tiles(coordinates)


@pytest.fixture
def reader(url):
    with open_pool(url, "vaxledger_read") as pool:
        yield CountingReader(pool)


def test_what_was_read_ahead_proves_any_leaf_in_trees_of_any_size(reader):
    prover = Prover(reader)
    prover.refresh()
    asyncio.run(prover.read_ahead())
    node, asked = prover.tiles.node, reader.asked
    for size in SIZES:
        for index in {*range(0, size, 37), *range(max(0, size - 20), size)}:
            proof = inclusion_proof(index, size, node)
            verify_inclusion(index, size, LEAVES[index], proof, root(size))
        for old in (1, 7, 24, 200, 256, 300, 512):
            if old <= size:
                proof = consistency_proof(old, size, node)
                verify_consistency(old, size, proof, root(old), root(size))
    assert reader.asked == asked


def test_a_subtree_that_is_not_complete_has_no_hash(reader):
    tiles = TileCache(reader)
    for level, index in ((0, 700), (1, 350), (3, 87), (4, 43), (5, 21), (8, 2), (9, 1)):
        tiles.node(level, index - 1)
        with pytest.raises(TileError):
            tiles.node(level, index)
