"""Proofs that travel: the text, and every way to prove what is not so."""

import base64
from pathlib import Path

import pytest

from ledger.checkpoint import Checkpoint, LogSigner
from ledger.cosignature import Mldsa44Cosigner
from ledger.errors import NoteError, NotWitnessedError, ProofError, VerificationError
from ledger.merkle import leaf_hash, root
from ledger.note import Note, Signature
from ledger.policy import Log, Policy, Witness
from ledger.proof import TlogProof, verify_proof
from ledger.tiles import TileReader, tiles_for_growth

GOLDEN = Path(__file__).parents[2] / "vectors" / "ledger"
ORIGIN = "ledger.example.cn/vax/2026"
SIGNER = LogSigner(ORIGIN, bytes([1]) * 32, bytes([2]) * 32)
WITNESS = Mldsa44Cosigner("witness.example.cn", bytes([9]) * 32)
KEYS = SIGNER.verifier_keys()
POLICY = Policy(tuple(Log(key) for key in KEYS), (Witness("w", WITNESS.verifier_key),), (), "w")
NOW = 1788224523
ENTRIES = [f"entry {n}".encode() for n in range(300)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def checkpoint(size=300):
    return Checkpoint(ORIGIN, size, root(LEAVES[:size]))


RAW = SIGNER.sign(checkpoint(), NOW)
COSIGNED = Note.parse(RAW).with_signatures([WITNESS.cosign(checkpoint(), NOW)]).encode()
ROWS = {row[:2]: row[2] for row in tiles_for_growth(0, LEAVES, lambda *at: b"")}


def a_proof(index=7, raw=RAW, extra=None):
    reader = TileReader(300, lambda level, place, width: ROWS[level, place])
    return TlogProof(index, tuple(reader.inclusion_proof(index)), raw, extra)


def test_the_text_of_a_proof():
    hashes = (bytes(range(32)), bytes(32))
    text = (
        b"c2sp.org/tlog-proof@v1\nextra aGVsbG8=\nindex 2\n"
        b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
        b"the checkpoint\n\nverbatim"
    )
    proof = TlogProof(2, hashes, b"the checkpoint\n\nverbatim", b"hello")
    assert proof.encode() == text
    assert TlogProof.parse(text) == proof


def test_a_proof_in_a_tree_of_one_has_no_hashes():
    text = b"c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint"
    assert TlogProof.parse(text) == TlogProof(0, (), b"checkpoint")
    assert TlogProof.parse(text).encode() == text


def test_a_stored_proof_still_verifies():
    raw = (GOLDEN / "receipt.tlog-proof").read_bytes()
    proof = TlogProof.parse(raw)
    assert proof.encode() == raw
    assert verify_proof(proof, b"entry 7", KEYS, ORIGIN, POLICY) == checkpoint()
    assert proof.hashes == a_proof().hashes


@pytest.mark.parametrize("index", [0, 1, 7, 255, 256, 299])
def test_every_entry_is_proved(index):
    proof = TlogProof.parse(a_proof(index).encode())
    assert verify_proof(proof, ENTRIES[index], KEYS, ORIGIN) == checkpoint()


def test_extra_data_is_carried_and_proves_nothing():
    proof = TlogProof.parse(a_proof(extra=b"anything").encode())
    assert proof.extra == b"anything"
    assert verify_proof(proof, ENTRIES[7], KEYS, ORIGIN) == checkpoint()


@pytest.mark.parametrize(
    "change",
    [
        {"index": 6},
        {"index": 8},
        {"index": 300},
        {"index": 2**63 - 1},
        {"hashes": a_proof().hashes[:-1]},
        {"hashes": a_proof().hashes[1:]},
        {"hashes": a_proof().hashes[::-1]},
        {"hashes": (*a_proof().hashes, bytes(32))},
        {"hashes": ()},
        {"hashes": (bytes(32), *a_proof().hashes[1:])},
    ],
)
def test_a_bent_proof_is_refused(change):
    proof = a_proof()
    bent = TlogProof(
        change.get("index", proof.index), change.get("hashes", proof.hashes), proof.checkpoint
    )
    with pytest.raises(ProofError):
        verify_proof(bent, ENTRIES[7], KEYS, ORIGIN)


def test_another_entry_is_refused():
    for entry in (ENTRIES[6], b"", ENTRIES[7] + b" ", LEAVES[7]):
        with pytest.raises(ProofError):
            verify_proof(a_proof(), entry, KEYS, ORIGIN)


def test_an_inner_node_does_not_pass_for_an_entry():
    # Second preimage: without the leaf prefix the two children would hash to their parent.
    children = LEAVES[0] + LEAVES[1]
    proof = TlogProof(0, a_proof(0).hashes[1:], RAW)
    with pytest.raises(ProofError):
        verify_proof(proof, children, KEYS, ORIGIN)


def test_a_checkpoint_of_another_size_is_refused():
    raw = SIGNER.sign(checkpoint(299), NOW)
    with pytest.raises(ProofError):
        verify_proof(a_proof(raw=raw), ENTRIES[7], KEYS, ORIGIN)


def test_an_unsigned_or_foreign_checkpoint_is_refused():
    other = LogSigner(ORIGIN, bytes([5]) * 32, bytes([6]) * 32)
    forged = Note(checkpoint().text(), (Signature("x", b"abcd", b"e"),)).encode()
    for raw in (forged, other.sign(checkpoint(), NOW), b"", b"checkpoint"):
        with pytest.raises(NoteError):
            verify_proof(a_proof(raw=raw), ENTRIES[7], KEYS, ORIGIN)
    with pytest.raises(NoteError):
        verify_proof(a_proof(), ENTRIES[7], KEYS, "ledger.example.cn/other")
    with pytest.raises(NoteError):
        verify_proof(a_proof(), ENTRIES[7], [], ORIGIN)


def test_included_and_not_yet_witnessed_is_told_from_invalid():
    assert verify_proof(a_proof(raw=COSIGNED), ENTRIES[7], KEYS, ORIGIN, POLICY) == checkpoint()
    with pytest.raises(NotWitnessedError):
        verify_proof(a_proof(), ENTRIES[7], KEYS, ORIGIN, POLICY)
    # Not included comes first: it is the graver finding.
    with pytest.raises(ProofError):
        verify_proof(a_proof(), ENTRIES[8], KEYS, ORIGIN, POLICY)


def test_a_wrong_cosignature_is_invalid_not_merely_missing():
    line = WITNESS.cosign(checkpoint(299), NOW)
    raw = Note.parse(RAW).with_signatures([line]).encode()
    with pytest.raises(NoteError):
        verify_proof(a_proof(raw=raw), ENTRIES[7], KEYS, ORIGIN, POLICY)


def test_every_refusal_is_one_kind_of_error():
    assert issubclass(NoteError, VerificationError)
    assert issubclass(ProofError, VerificationError)
    assert issubclass(NotWitnessedError, VerificationError)
    assert not issubclass(NotWitnessedError, (NoteError, ProofError))


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 0\ncheckpoint",
        "c2sp.org/tlog-proof@v2\nindex 0\n\ncheckpoint",
        " c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex -1\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex  0\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 0 \n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex \uff11\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nextra AA==\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 0\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 0\nextra AA==\n\ncheckpoint",
        f"c2sp.org/tlog-proof@v1\n{HASH}\nindex 0\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\ncheckpoint",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH} \n\ncheckpoint",
        f"c2sp.org/tlog-proof@v1\nindex 0\n{HASH[:-2]}B=\n\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + f"{HASH}\n" * 65 + "\ncheckpoint",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n" + "x" * 1_000_001,
        "c2sp.org/tlog-proof@v1\nindex 0\n\n" + "x" * 2_000_000,
    ],
)
def test_a_text_that_is_almost_a_proof_is_refused(text):
    with pytest.raises(ProofError):
        TlogProof.parse(text.encode())


def test_a_proof_has_room_for_64_hashes():
    proof = TlogProof(0, (bytes(32),) * 64, b"checkpoint")
    assert TlogProof.parse(proof.encode()) == proof
    with pytest.raises(ProofError):
        TlogProof(0, (bytes(32),) * 65, b"checkpoint")


def test_an_elided_proof_has_the_shape_of_a_proof():
    # The specification's example: syntax only, its extra data and keys are shortened.
    hashes = ["gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=", HASH]
    text = (
        "c2sp.org/tlog-proof@v1\nindex 73894\n" + "\n".join(hashes) + "\n\nexample.com/fancylog\n"
    )
    proof = TlogProof.parse(text.encode())
    assert (proof.index, len(proof.hashes)) == (73894, 2)
    assert proof.checkpoint == b"example.com/fancylog\n"


@pytest.mark.parametrize(
    "change", [{"index": -1}, {"index": 2**63}, {"extra": b""}, {"extra": bytes(65_537)}]
)
def test_a_proof_that_could_not_be_read_back_is_not_made(change):
    with pytest.raises(ProofError):
        TlogProof(change.get("index", 0), (), b"", change.get("extra"))
