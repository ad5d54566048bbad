"""Parsers, proofs, keys, receipts and seals: the second implementation against the product's."""

import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import jcs, merkle
from ledger.cosignature import Mldsa44Cosigner
from ledger.ed25519 import check_public_key
from ledger.errors import LedgerError
from ledger.policy import Policy
from ledger.proof import TlogProof, verify_proof
from ledger.sealing import SealContext, seal
from ledger.tiles import TileReader, truncate_tile
from tests.second import json_text, merkle9162
from tests.second.curve25519 import is_sound_key
from tests.second.entries import Entry
from tests.second.findings import Wrong
from tests.second.receipts import Receipt
from tests.second.seals import Opening, open_blob, place
from tests.second.trust import Trust
from tests.tamper.both_verifiers import own_trust
from tests.tamper.drawn_log import drawn_log
from tests.unit.client.signed_log import ORIGIN, signer

GOLDEN = Path(__file__).parents[1] / "vectors" / "ledger"
NAMES = st.text(st.characters(max_codepoint=127))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@given(JSON)
def test_both_write_a_value_in_the_same_bytes(value):
    written = json_text.write(value)
    assert written == jcs.canonical(value)
    assert json_text.read_canonical(written) == jcs.parse_canonical(written) == value


@settings(max_examples=300)
@given(JSON, st.randoms(use_true_random=False))
def test_both_read_or_refuse_the_same_bytes(value, chance):
    raw = bytearray(json.dumps(value, ensure_ascii=chance.random() < 0.5).encode())
    for _ in range(chance.randrange(3)):
        raw[chance.randrange(len(raw))] = chance.choice(b'{}[]",:\\u0123456789eE.+-tfn \n\x00\xff')
    assert attempt(json_text.read, bytes(raw)) == attempt(jcs.parse, bytes(raw))
    canonical = attempt(json_text.read_canonical, bytes(raw))
    assert canonical == attempt(jcs.parse_canonical, bytes(raw))


def attempt(function, *args):
    """Return a result in a list, or nothing where it was refused."""
    try:
        return [function(*args)]
    except (LedgerError, Wrong, ValueError):
        return []


LEAVES = [merkle9162.leaf(b"%d" % n) for n in range(70)]


def node_of(level, index):
    return merkle9162.tree_hash(LEAVES[index << level : (index + 1) << level])


@given(st.data())
def test_each_accepts_the_other_s_proofs(data):
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    leaves, top = LEAVES[:size], merkle9162.tree_hash(LEAVES[:size])
    path = merkle9162.inclusion_path(index, leaves)
    assert path == merkle.inclusion_proof(index, size, node_of)
    assert merkle9162.root_from_inclusion(index, size, LEAVES[index], path) == top
    old = (index + 1, merkle9162.tree_hash(LEAVES[: index + 1]))
    growth = merkle9162.consistency_path(index + 1, leaves)
    assert growth == merkle.consistency_proof(index + 1, size, node_of)
    merkle9162.verify_consistency(old, (size, top), growth)


@settings(max_examples=300)
@given(st.data())
def test_both_judge_a_bent_proof_alike(data):
    """Sizes and positions moved by a little, hashes left out, doubled or exchanged."""
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    growth = data.draw(st.booleans())
    leaves, top = LEAVES[:size], merkle9162.tree_hash(LEAVES[:size])
    make = merkle9162.consistency_path if growth else merkle9162.inclusion_path
    path = make(index + growth, leaves)
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(path)))
        put = data.draw(st.sampled_from([[], LEAVES[:1], [b"x"]]))
        path[at : at + data.draw(st.integers(0, 1))] = put
    index += data.draw(st.integers(-2, 2))
    size += data.draw(st.integers(-2, 2))
    if growth:
        first = max(index + 1, 1)
        heads = (first, merkle9162.tree_hash(LEAVES[:first])), (size, top)
        mine = attempt(merkle9162.verify_consistency, *heads, path)
        (old, old_root), (new, new_root) = heads
        theirs = attempt(merkle.verify_consistency, old, new, path, old_root, new_root)
    else:
        leaf = LEAVES[index % 70]
        mine = attempt(merkle9162.root_from_inclusion, index, size, leaf, path) == [top]
        theirs = attempt(merkle.verify_inclusion, index, size, leaf, path, top)
    assert bool(mine) == bool(theirs)


WEAK = (
    bytes(32),
    b"\x01" + bytes(31),
    b"\x01" + bytes(30) + b"\x80",
    b"\xec" + b"\xff" * 30 + b"\x7f",
    b"\xec" + b"\xff" * 31,
    b"\xed" + b"\xff" * 30 + b"\x7f",
    b"\xee" + b"\xff" * 30 + b"\x7f",
    b"\xff" * 32,
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
    bytes(31),
)


@pytest.mark.parametrize("key", WEAK)
def test_neither_takes_a_weak_key(key):
    assert not is_sound_key(key)
    assert attempt(check_public_key, key) == []


@given(st.binary(min_size=32, max_size=32))
def test_what_the_product_takes_for_a_key_is_sound_and_true_keys_are_taken(raw):
    """The product also refuses points of mixed order, which no honest key generator makes."""
    assert is_sound_key(raw) or attempt(check_public_key, raw) == []
    public = Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
    assert is_sound_key(public)
    assert attempt(check_public_key, public) == [None]


# Receipts and policies


@pytest.mark.parametrize(
    "policy",
    [
        b"",
        b"quorum none",
        b"quorum w\n",
        b"quorum none\nquorum none\n",
        b"log x\nquorum none\n",
        b"group g all\nquorum g\n",
        b"group g 1 h\nquorum g\n",
        b"witness w\nquorum w\n",
        b"mirror m\nquorum none\n",
        b"quorum none\r\n",
    ],
)
def test_neither_takes_a_malformed_policy(policy):
    with pytest.raises(Wrong):
        Trust.parse(policy)
    assert attempt(Policy.parse, policy) == []


def test_the_golden_receipt_is_witnessed_for_who_trusts_its_witness():
    receipt = Receipt.parse((GOLDEN / "receipt.tlog-proof").read_bytes())
    witness, stranger = (
        Mldsa44Cosigner("witness.example.cn", bytes([seed]) * 32).verifier_key.text()
        for seed in (9, 8)
    )
    logs = "".join(f"log {line}\n" for line in (GOLDEN / "log.vkeys").read_text().splitlines())
    policy = f"# ours\n{logs} witness w\t{witness} https://w.example\ngroup g 1 w\nquorum g\n"
    for text, expected in ((policy, True), (policy.replace(witness, stranger), False)):
        assert receipt.prove(b"entry 7", Trust.parse(text.encode()))[1] is expected
        assert attempt(Policy.parse, text.encode()) != []


def receipt_of(log, position):
    rows = log.tiles()
    tiles = TileReader(
        len(log.lines), lambda level, index, width: truncate_tile(rows[level, index], width)
    )
    path = tuple(tiles.inclusion_proof(position - 1))
    return TlogProof(position - 1, path, log.note()).encode()


def both_prove(raw, entry):
    policy = Policy((), (), (), "none")
    keys = signer().verifier_keys()
    theirs = attempt(lambda: verify_proof(TlogProof.parse(raw), entry, keys, ORIGIN, policy))
    mine = attempt(lambda: Receipt.parse(raw).prove(entry, own_trust()))
    assert bool(mine) == bool(theirs), raw
    return bool(mine)


@pytest.mark.parametrize("size", [1, 2, 30, 257])
def test_both_verify_the_receipt_of_any_position(size):
    log = drawn_log(3, 260)
    del log.lines[size:]
    for position in {1, size // 2 + 1, size}:
        raw = receipt_of(log, position)
        assert both_prove(raw, log.lines[position - 1].raw)
        assert size == 1 or not both_prove(raw, log.lines[position % size].raw)


def test_both_judge_a_receipt_with_any_bit_flipped_alike():
    """A line whose name or key ID is flipped is another's; the log's other line still holds."""
    log, chance = drawn_log(3, 30), random.Random(1)
    raw = receipt_of(log, 17)
    end = raw.index("—".encode())
    places = [*chance.sample(range(end), 60), *chance.sample(range(end, len(raw)), 40)]
    for at in places:
        bent = raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
        assert both_prove(bent, log.lines[16].raw) is False or at >= end


# Seals


def test_a_blob_sealed_by_the_product_opens_only_with_its_key_and_at_its_place():
    entry = Entry.parse((GOLDEN / "entry.json").read_bytes())
    subject = next(iter(entry.sealed))
    private = {"r": "07" * 32, "values": {"name": "王小明"}}
    context = SealContext(entry.origin, entry.topic, entry.stream, entry.version, subject)
    blob = seal(b"k" * 32, b"s" * 32, context, jcs.canonical(private))
    info = place(entry, subject)
    opening = Opening.parse(open_blob(b"k" * 32, info, blob))
    assert opening.values == private["values"]
    for key, where, what in (
        (b"x" * 32, info, blob),
        (b"k" * 32, info.replace(b'"version":3', b'"version":4'), blob),
        (b"k" * 32, info, blob[:-1] + bytes([blob[-1] ^ 1])),
        (b"k" * 32, info, b"\x02" + blob[1:]),
        (b"k" * 32, info, blob[:80]),
    ):
        with pytest.raises(Wrong):
            open_blob(key, where, what)
