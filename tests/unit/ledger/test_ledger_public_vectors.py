"""An extra run over published test vectors, where a copy of them is at hand.

``VAXLEDGER_TEST_VECTORS`` names the folder; ``tests/vectors/README.md`` says what it holds. The
other tests state the known values as facts and do not need it.
"""

import base64
import json
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa

from ledger.cosignature import timestamp_of
from ledger.errors import NoteError, ProofError
from ledger.merkle import leaf_hash, node_hash, root, verify_consistency, verify_inclusion
from ledger.note import Note, VerifierKey, verify_note
from ledger.signature import COSIGNATURE_MLDSA44
from ledger.tiles import TileReader, tile_path, tiles_for_growth

# A switch for testers, not a setting of the product.
FOLDER = Path(os.environ.get("VAXLEDGER_TEST_VECTORS", "/nonexistent"))
MERKLE = FOLDER / "transparency-dev-merkle"
C2SP = FOLDER / "c2sp-spec"

needs_vectors = pytest.mark.skipif(
    not MERKLE.is_dir(), reason="VAXLEDGER_TEST_VECTORS names no copy of the public vectors"
)
pytestmark = needs_vectors


def cases(kind):
    return [
        pytest.param(path, id=str(path.relative_to(MERKLE)))
        for path in sorted((MERKLE / kind).rglob("*.json"))
    ]


def read(path):
    case = json.loads(path.read_text("utf-8"))
    proof = [base64.b64decode(one) for one in case["proof"] or []]
    return case, proof


@pytest.mark.parametrize("path", cases("inclusion"))
def test_inclusion(path):
    case, proof = read(path)
    leaf, top = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
    try:
        verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, top)
    except ProofError:
        assert case["wantErr"], case["desc"]
    else:
        assert not case["wantErr"], case["desc"]


@pytest.mark.parametrize("path", cases("consistency"))
def test_consistency(path):
    case, proof = read(path)
    before, after = base64.b64decode(case["root1"]), base64.b64decode(case["root2"])
    try:
        verify_consistency(case["size1"], case["size2"], proof, before, after)
    except ProofError:
        assert case["wantErr"], case["desc"]
    else:
        assert not case["wantErr"], case["desc"]


def test_no_vector_is_missed():
    assert len(cases("inclusion")) == len(cases("consistency")) == 98


def test_roots():
    facts = json.loads((MERKLE / "rfc6962-8-leaves.json").read_text("ascii"))
    leaves = [leaf_hash(bytes.fromhex(text)) for text in facts["leaves_hex"]]
    for size, expected in facts["roots_hex_by_size"].items():
        assert root(leaves[: int(size)]).hex() == expected
    single = facts["single"]
    assert leaf_hash(b"").hex() == single["leaf_empty"]
    assert leaf_hash(b"L123456").hex() == single["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == single["node_N123_N456"]


def examples():
    return json.loads((C2SP / "examples.json").read_text("utf-8"))


def test_signed_note():
    example = examples()["signed_note"]
    assert verify_note(Note.parse(example["msg"].encode()), [VerifierKey.parse(example["vkey"])])


def test_times_of_cosignatures():
    example = examples()["cosignature_example_syntax_only"]
    (line,) = Note.parse(f"text\n\n{example['line']}\n".encode()).signatures
    assert timestamp_of(line.blob) == example["timestamp"]
    example = examples()["cosig_timestamp"]
    assert timestamp_of(base64.b64decode(example["b64"])[4:]) == example["unix"]


def test_tiles():
    for index, text in examples()["tile_path"].items():
        assert tile_path(0, int(index)) == f"tile/0/{text}"
    for size, widths in examples()["tree_size_tiles"].items():
        leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(int(size))]
        rows = {row[:2]: row[2] for row in tiles_for_growth(0, leaves, lambda *at: b"")}
        full, partial = {}, {}
        for (level, _), data in rows.items():
            if len(data) == 8192:
                full[str(level)] = full.get(str(level), 0) + 1
            else:
                partial[str(level)] = len(data) // 32
        assert {"full": full, "partial": partial} == widths
        reader = TileReader(int(size), lambda level, index, _, rows=rows: rows[level, index])
        assert reader.root() == root(leaves)


def test_verifier_keys():
    keys = examples()["vkeys"]
    assert VerifierKey.parse(keys["ed25519_cosig_0x04"]).text() == keys["ed25519_cosig_0x04"]
    with pytest.raises(NoteError):
        VerifierKey.parse(keys["mldsa44_0x06"])
    public = base64.b64decode(keys["mldsa44_0x06"].split("+", 2)[2])[1:]
    assert VerifierKey.of("test", COSIGNATURE_MLDSA44, public).keyid.hex() == "31236897"


def test_mldsa_signatures():
    for vector in json.loads((C2SP / "httpsig-pq.json").read_text("ascii"))["vectors"]:
        size = vector["algorithm"].rpartition("-")[2]
        public = getattr(mldsa, f"MLDSA{size}PublicKey").from_public_bytes(
            base64.b64decode(vector["public_key_base64"])
        )
        public.verify(
            base64.b64decode(vector["deterministic_signature_base64"]),
            base64.b64decode(vector["signature_base_base64"]),
        )
        seed = bytes.fromhex(vector["private_key_seed_hex"])
        private = getattr(mldsa, f"MLDSA{size}PrivateKey").from_seed_bytes(seed)
        assert private.public_key() == public
