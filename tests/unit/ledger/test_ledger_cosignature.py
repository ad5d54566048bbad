"""Cosignatures: the bytes they sign, and that they say nothing about anything else."""

import base64
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dilithium_py.ml_dsa import ML_DSA_44

from ledger.cosignature import (
    Ed25519Cosigner,
    Mldsa44Cosigner,
    Subtree,
    ed25519_message,
    mldsa44_message,
    timestamp_of,
    verify_ed25519_cosignature,
    verify_mldsa44_cosignature,
)
from ledger.errors import NoteError
from ledger.note import Note, Signature, verify_note
from ledger.treehead import Checkpoint

NAME = "witness.example.com/w1"
CHECKPOINT = Checkpoint("example.com/behind-the-sofa", 20852163, bytes(range(32)))
ED = Ed25519Cosigner(NAME, bytes([7]) * 32)
ML = Mldsa44Cosigner(NAME, bytes([8]) * 32)
NOW = 1679315147


def test_the_ed25519_message_is_header_time_and_whole_text():
    extended = Checkpoint(CHECKPOINT.origin, 5, bytes(32), ("extension",))
    assert ed25519_message(extended.text(), NOW) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n5\n"
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n"
    )


def test_the_mldsa_message_is_the_cosigned_message_structure():
    subtree = Subtree("log", 4, 0x0102030405, bytes(range(32)))
    assert mldsa44_message("wit", subtree, 0).hex() == (
        "737562747265652f76310a00"  # "subtree/v1\n\0"
        "03776974"
        "0000000000000000"
        "036c6f67"
        "0000000000000004"
        "0000000102030405"
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    )


def test_a_line_of_the_specification_carries_its_time():
    raw = base64.b64decode(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+"
        "mbIUBkBIfZ+qnA=="
    )
    assert timestamp_of(raw[4:]) == NOW
    assert len(raw) == 4 + 8 + 64


@pytest.mark.parametrize("cosigner", [ED, ML])
def test_a_cosignature_verifies_and_states_its_time(cosigner):
    note = Note(CHECKPOINT.text(), (cosigner.cosign(CHECKPOINT, NOW),))
    (verified,) = verify_note(Note.parse(note.encode()), [cosigner.verifier_key])
    assert verified.timestamp == NOW


def test_sizes_are_those_of_the_specification():
    assert len(ED.cosign(CHECKPOINT, NOW).blob) == 72
    assert len(ML.cosign(CHECKPOINT, NOW).blob) == 2428
    assert len(ML.verifier_key.public) == 1312


def test_ed25519_cosignatures_never_change():
    line = ED.cosign(CHECKPOINT, NOW)
    key = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
    message = b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT.text().encode()
    assert line.blob == struct.pack(">Q", NOW) + key.sign(message)


def test_an_independent_implementation_agrees_on_mldsa_both_ways():
    subtree = Subtree.of(CHECKPOINT)
    message = mldsa44_message(NAME, subtree, NOW)
    line = ML.cosign(CHECKPOINT, NOW)
    assert ML_DSA_44.verify(ML.verifier_key.public, message, line.blob[8:])
    public, secret = ML_DSA_44.key_derive(bytes([8]) * 32)
    assert public == ML.verifier_key.public
    blob = struct.pack(">Q", NOW) + ML_DSA_44.sign(secret, message)
    assert verify_mldsa44_cosignature(public, NAME, subtree, blob) == NOW


@pytest.mark.parametrize("cosigner", [ED, ML])
@pytest.mark.parametrize(
    "other",
    [
        Checkpoint("example.com/other", CHECKPOINT.size, CHECKPOINT.root),
        Checkpoint(CHECKPOINT.origin, CHECKPOINT.size + 1, CHECKPOINT.root),
        Checkpoint(CHECKPOINT.origin, CHECKPOINT.size, bytes(32)),
    ],
)
def test_a_cosignature_moved_to_another_checkpoint_is_rejected(cosigner, other):
    note = Note(other.text(), (cosigner.cosign(CHECKPOINT, NOW),))
    with pytest.raises(NoteError):
        verify_note(note, [cosigner.verifier_key])


@pytest.mark.parametrize("cosigner", [ED, ML])
def test_a_cosignature_with_another_time_is_rejected(cosigner):
    line = cosigner.cosign(CHECKPOINT, NOW)
    bent = Signature(line.name, line.keyid, struct.pack(">Q", NOW + 1) + line.blob[8:])
    with pytest.raises(NoteError):
        verify_note(Note(CHECKPOINT.text(), (bent,)), [cosigner.verifier_key])


def test_an_mldsa_cosignature_commits_to_the_name():
    other = Mldsa44Cosigner("witness.example.com/w2", bytes([8]) * 32)
    line = ML.cosign(CHECKPOINT, NOW)
    moved = Signature(other.verifier_key.name, other.verifier_key.keyid, line.blob)
    with pytest.raises(NoteError):
        verify_note(Note(CHECKPOINT.text(), (moved,)), [other.verifier_key])


def test_an_ed25519_cosignature_covers_extensions_and_mldsa_refuses_to_sign_beside_them():
    extended = Checkpoint(CHECKPOINT.origin, 5, bytes(32), ("extension",))
    plain = Checkpoint(CHECKPOINT.origin, 5, bytes(32))
    line = ED.cosign(extended, NOW)
    assert verify_note(Note(extended.text(), (line,)), [ED.verifier_key])
    with pytest.raises(NoteError):
        verify_note(Note(plain.text(), (line,)), [ED.verifier_key])
    with pytest.raises(NoteError):
        ML.cosign(extended, NOW)


@pytest.mark.parametrize("cosigner", [ED, ML])
def test_only_checkpoints_are_cosigned(cosigner):
    line = cosigner.cosign(CHECKPOINT, NOW)
    for text in ("some other text\n", CHECKPOINT.text() + "\n", "a\n01\nAAAA\n"):
        with pytest.raises(NoteError):
            verify_note(Note(text, (line,)), [cosigner.verifier_key])


def test_a_subtree_cosignature_is_no_checkpoint_s():
    whole = Subtree.of(CHECKPOINT)
    later = Subtree(whole.origin, 256, whole.end, whole.root)
    line = ML.cosign_subtree(later, 0)
    public = ML.verifier_key.public
    assert verify_mldsa44_cosignature(public, NAME, later, line.blob) == 0
    with pytest.raises(NoteError):
        verify_mldsa44_cosignature(public, NAME, whole, line.blob)
    with pytest.raises(NoteError):
        verify_note(Note(CHECKPOINT.text(), (line,)), [ML.verifier_key])


def test_a_later_subtree_carries_no_time():
    later = Subtree("log", 1, 2, bytes(32))
    with pytest.raises(NoteError):
        ML.cosign_subtree(later, NOW)
    with pytest.raises(NoteError):
        verify_mldsa44_cosignature(
            ML.verifier_key.public, NAME, later, struct.pack(">Q", NOW) + bytes(2420)
        )


@pytest.mark.parametrize("blob", [b"", bytes(7), bytes(8), bytes(71), bytes(73), b"\xff" * 72])
def test_malformed_blobs_are_rejected(blob):
    with pytest.raises(NoteError):
        verify_ed25519_cosignature(ED.verifier_key.public, CHECKPOINT.text(), blob)
    with pytest.raises(NoteError):
        verify_mldsa44_cosignature(ML.verifier_key.public, NAME, Subtree.of(CHECKPOINT), blob)


def test_a_time_beyond_the_range_is_rejected_although_signed():
    with pytest.raises(NoteError, match="out of range"):
        verify_note(Note(CHECKPOINT.text(), (ED.cosign(CHECKPOINT, 2**63),)), [ED.verifier_key])


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_names_that_do_not_fit_the_structure_are_refused(name):
    with pytest.raises(NoteError):
        mldsa44_message(name, Subtree.of(CHECKPOINT), NOW)
    with pytest.raises(NoteError):
        mldsa44_message(NAME, Subtree(name, 0, 1, bytes(32)), NOW)


@pytest.mark.parametrize("bounds", [(-1, 1, 32), (2, 1, 32), (0, 2**63, 32), (0, 1, 31)])
def test_a_subtree_has_ordered_bounds_and_a_whole_hash(bounds):
    with pytest.raises(NoteError):
        Subtree("log", bounds[0], bounds[1], bytes(bounds[2]))
