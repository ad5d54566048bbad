"""Tiles and bundles: paths, growth in any steps, and proofs in few reads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ProofError, TileError
from ledger.merkle import Frontier, leaf_hash, root, verify_consistency, verify_inclusion
from ledger.tiles import (
    ENTRIES,
    TILE_BYTES,
    TILE_WIDTH,
    TileReader,
    decode_bundle,
    encode_bundle,
    entries_path,
    needed_tiles_for_consistency,
    needed_tiles_for_inclusion,
    needed_tiles_for_root,
    parse_entries_path,
    parse_tile_path,
    tile_path,
    tile_width,
    tiles_for_growth,
    truncate_bundle,
    truncate_tile,
)

LEAVES = [leaf_hash(n.to_bytes(4, "big")) for n in range(70_000)]


def grown(*batches):
    """The stored rows after appending batches of leaves, given by their sizes."""
    rows, size = {}, 0
    for batch in batches:
        new = LEAVES[size : size + batch]
        for level, index, data in tiles_for_growth(size, new, lambda *at: rows[at]):
            rows[level, index] = data
        size += batch
    return rows


ROWS = grown(1, 255, 1, 43, 65_000, 4_700)


def fetch(level, index, width):
    return ROWS[level, index][: width * 32]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ((0, 0, 256), "tile/0/000"),
        ((0, 1234067, 256), "tile/0/x001/x234/067"),
        ((1, 999, 8), "tile/1/999.p/8"),
        ((63, 1000, 255), "tile/63/x001/000.p/255"),
        ((ENTRIES, 273, 112), "tile/entries/273.p/112"),
        ((0, 2**63 - 1, 1), "tile/0/x009/x223/x372/x036/x854/x775/807.p/1"),
    ],
)
def test_paths_have_one_spelling(address, path):
    assert tile_path(*address) == path
    assert parse_tile_path(path) == address


def test_a_bundle_has_its_own_path():
    assert entries_path(1000) == "tile/entries/x001/000"
    assert entries_path(0, 3) == "tile/entries/000.p/3"
    assert parse_entries_path("tile/entries/x001/000.p/3") == (1000, 3)
    with pytest.raises(TileError):
        parse_entries_path("tile/0/000")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/tile/0/000",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/Entries/000",
        "tile/0/x000/001",
        "tile/0/x000/x001/001",
        "tile/0/001/001",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/",
        "tile/0/000.p/-1",
        "tile/0/000\n",
        "tile/0/００0",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x001/x001/x001/x001/x001/x001/x001/001",
    ],
)
def test_any_other_path_is_refused(path):
    with pytest.raises(TileError):
        parse_tile_path(path)


@pytest.mark.parametrize("address", [(-2, 0), (64, 0), (0, -1), (0, 0, 0), (0, 0, 257), (0, 2**63)])
def test_there_is_no_path_to_an_impossible_tile(address):
    with pytest.raises(TileError):
        tile_path(*address)


def test_seventy_thousand_leaves_make_the_tiles_that_the_specification_lists():
    widths = {level: [] for level in range(3)}
    for (level, _), data in sorted(ROWS.items()):
        widths[level].append(len(data) // 32)
    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1]}
    assert [tile_width(0, 273, 70_000), tile_width(1, 1, 70_000), tile_width(2, 0, 70_000)] == [
        112,
        17,
        1,
    ]


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above():
    rows = grown(256)
    assert {at: len(data) for at, data in rows.items()} == {(0, 0): 8192, (1, 0): 32}
    assert rows[1, 0] == root(LEAVES[:256])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=6))
def test_tiles_are_the_same_however_the_leaves_came(batches):
    rows = grown(*batches)
    assert rows == grown(sum(batches))
    if sum(batches):
        reader = TileReader(sum(batches), lambda level, index, width: rows[level, index])
        assert reader.root() == root(LEAVES[: sum(batches)])


def test_growth_writes_only_what_changed_and_reads_only_the_right_edge():
    reads = []

    def read(*at):
        reads.append(at)
        return ROWS[at]

    tiles = tiles_for_growth(70_000, LEAVES[:200], read)
    assert [(level, index, len(data) // 32) for level, index, data in tiles] == [
        (0, 273, 256),
        (0, 274, 56),
        (1, 1, 18),
    ]
    assert reads == [(0, 273), (1, 1)]
    assert tiles_for_growth(70_000, [], read) == []


def test_a_stored_tile_that_is_wider_than_the_tree_is_truncated_first():
    # As after a failed transaction of another database, or a restored one.
    tiles = tiles_for_growth(69_900, LEAVES[69_900:70_000], lambda *at: ROWS[at])
    assert (0, 273, ROWS[0, 273]) in tiles


@pytest.mark.parametrize("stored", [b"", b"x" * 33, b"x" * 32, b"x" * (TILE_BYTES + 32)])
def test_growth_stops_at_a_stored_tile_that_cannot_be(stored):
    with pytest.raises(TileError):
        tiles_for_growth(70_000, LEAVES[:1], lambda *at: stored)


def test_growth_takes_hashes_only():
    with pytest.raises(ProofError):
        tiles_for_growth(0, [b"entry"], fetch)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000])
def test_proofs_of_every_size_come_from_truncated_tiles(size):
    reader = TileReader(size, fetch)
    top = root(LEAVES[:size])
    assert reader.root() == top
    for index in {0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size)):
        proof = TileReader(size, fetch).inclusion_proof(index)
        verify_inclusion(index, size, LEAVES[index], proof, top)
    for old in {1, 2, 255, 256, 257, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof = TileReader(size, fetch).consistency_proof(old)
        verify_consistency(old, size, proof, root(LEAVES[:old]), top)


@pytest.mark.parametrize("size", [1, 300, 65_537, 70_000])
def test_the_needed_tiles_are_exactly_those_that_are_read(size):
    def reads_of(use):
        reads = []
        reader = TileReader(size, lambda *at: reads.append(at) or fetch(*at))
        use(reader)
        return reads

    for number in {0, 1, size // 2, size - 1}:
        if number < size:
            needed = needed_tiles_for_inclusion(number, size)
            read = reads_of(lambda reader, number=number: reader.inclusion_proof(number))
            assert sorted(needed) == sorted(read)
            assert len(read) <= 6
        needed = needed_tiles_for_consistency(number, size)
        read = reads_of(lambda reader, number=number: reader.consistency_proof(number))
        assert sorted(needed) == sorted(read)
        assert len(read) <= 6
    needed = needed_tiles_for_root(size)
    assert sorted(needed) == sorted(reads_of(lambda reader: reader.root()))


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_proof_reads_two_tiles_for_each_level_of_them_at_most(one, other):
    """The level's own and the one at its right edge, which the topmost level has in one."""
    least, size = sorted((one, other + 1))
    levels = 1
    while TILE_WIDTH**levels < size:
        levels += 1
    assert len(needed_tiles_for_inclusion(min(least, size - 1), size)) < 2 * levels
    assert len(needed_tiles_for_consistency(least, size)) < 2 * levels
    assert needed_tiles_for_root(0) == []


def test_the_frontier_comes_back_from_tiles_and_grows_on():
    frontier = TileReader(69_999, fetch).frontier()
    frontier.append(LEAVES[69_999])
    grown_at_once = Frontier()
    grown_at_once.extend(LEAVES)
    assert frontier.hashes == grown_at_once.hashes
    assert TileReader(0, fetch).root() == Frontier().root()


@pytest.mark.parametrize("cut", [0, 1, 111 * 32, 112 * 32 - 1, 112 * 32 + 1])
def test_a_tile_that_is_cut_off_is_refused(cut):
    data = (ROWS[0, 273] + b"more")[:cut]
    with pytest.raises(TileError):
        TileReader(70_000, lambda *at: data).node(0, 273 * 256)


@pytest.mark.parametrize("node", [(0, 70_000), (0, -1), (4, 4375), (16, 1), (17, 0), (40, 0)])
def test_a_subtree_that_is_not_complete_has_no_hash(node):
    with pytest.raises(TileError):
        TileReader(70_000, fetch).node(*node)


def test_there_is_no_proof_outside_the_tree():
    reader = TileReader(300, fetch)
    with pytest.raises(ProofError):
        reader.inclusion_proof(300)
    with pytest.raises(ProofError):
        reader.consistency_proof(301)


def test_a_flipped_bit_in_a_tile_shows_in_the_root():
    def flipped(level, index, width):
        data = fetch(level, index, width)
        return bytes([data[0] ^ 1]) + data[1:]

    assert TileReader(300, flipped).root() != root(LEAVES[:300])


def test_the_bytes_of_a_bundle():
    raw = encode_bundle([b"", b"a", b"x" * 300])
    assert raw == b"\x00\x00" + b"\x00\x01a" + b"\x01\x2c" + b"x" * 300
    assert decode_bundle(raw) == [b"", b"a", b"x" * 300]
    assert truncate_bundle(raw, 2) == b"\x00\x00\x00\x01a"
    assert truncate_bundle(raw, 3) == raw


def test_a_bundle_is_full_at_256_and_an_entry_at_65_535():
    assert len(decode_bundle(encode_bundle([b"x"] * 256))) == 256
    assert decode_bundle(encode_bundle([b"x" * 65_535])) == [b"x" * 65_535]
    for entries in ([], [b"x"] * 257, [b"x" * 65_536]):
        with pytest.raises(TileError):
            encode_bundle(entries)


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x01a\x00", bytes(2 * 257)]
)
def test_a_broken_bundle_is_refused(raw):
    with pytest.raises(TileError):
        decode_bundle(raw)


def test_truncation_never_widens():
    with pytest.raises(TileError):
        truncate_bundle(encode_bundle([b"a"]), 2)
    with pytest.raises(TileError):
        truncate_tile(bytes(32), 2)
    assert truncate_tile(bytes(64), 1) == bytes(32)
