"""Checkpoints: strict text, two lines a signing pair, key rotation, and whose log it is."""

import random
from pathlib import Path

import pytest

from ledger.checkpoint import Checkpoint, LogSigner, sign_checkpoint, verify_checkpoint
from ledger.errors import NoteError, VerificationError
from ledger.note import Note, Signature, VerifierKey
from ledger.signature import COSIGNATURE_MLDSA44, ED25519

GOLDEN = Path(__file__).parents[2] / "vectors" / "ledger"
ORIGIN = "ledger.example.cn/vax/2026"
OLD = LogSigner(ORIGIN, bytes([1]) * 32, bytes([2]) * 32)
NEW = LogSigner(ORIGIN, bytes([3]) * 32, bytes([4]) * 32)
FOREIGN = LogSigner("ledger.example.cn/other", bytes([5]) * 32, bytes([6]) * 32)
CHECKPOINT = Checkpoint(ORIGIN, 1234067, bytes(range(32)))
NOW = 1788224523


def test_the_text_is_origin_size_and_root():
    assert CHECKPOINT.text() == (
        "ledger.example.cn/vax/2026\n1234067\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    )
    assert Checkpoint.parse(CHECKPOINT.text()) == CHECKPOINT


def test_extension_lines_of_other_logs_are_read():
    text = CHECKPOINT.text() + "ext 1\next 2\n"
    assert Checkpoint.parse(text).extensions == ("ext 1", "ext 2")
    assert Checkpoint.parse(text).text() == text


ROOT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n1\n",
        f"origin\n1\n{ROOT}",
        f"\n1\n{ROOT}\n",
        f"origin\n\n{ROOT}\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n+1\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n1_0\n{ROOT}\n",
        f"origin\n １\n{ROOT}\n",
        f"origin\n1 \n{ROOT}\n",
        f"origin\n９\n{ROOT}\n",
        f"origin\n9223372036854775808\n{ROOT}\n",
        "origin\n99999999999999999999999999999999\n" + ROOT + "\n",
        f"origin\n1\n{ROOT} \n",
        f"origin\n1\n{ROOT[:-1]}\n",
        "origin\n1\nAAEC\n",
        f"origin\n1\n{ROOT[:-2]}9=\n",
        f"origin\n1\n{ROOT}\n\n",
        f"origin\n1\n{ROOT}\next\n\next\n",
        f"ori\tgin\n1\n{ROOT}\n",
        f"origin\r\n1\r\n{ROOT}\r\n",
    ],
)
def test_a_text_that_is_almost_a_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_the_empty_tree_has_a_checkpoint():
    text = f"origin\n0\n{ROOT}\n"
    assert Checkpoint.parse(text).size == 0


def test_a_signed_checkpoint_carries_both_lines_and_either_key_verifies_it():
    raw = OLD.sign(CHECKPOINT, NOW)
    ed25519, mldsa44 = OLD.verifier_keys()
    assert (ed25519.type, mldsa44.type) == (ED25519, COSIGNATURE_MLDSA44)
    assert [line.keyid for line in Note.parse(raw).signatures] == [ed25519.keyid, mldsa44.keyid]
    for keys in ([ed25519], [mldsa44], [ed25519, mldsa44]):
        assert verify_checkpoint(raw, keys, ORIGIN) == CHECKPOINT


def test_a_stored_checkpoint_still_verifies_with_stored_keys():
    keys = [VerifierKey.parse(line) for line in (GOLDEN / "log.vkeys").read_text().splitlines()]
    raw = (GOLDEN / "checkpoint.txt").read_bytes()
    for key in keys:
        assert verify_checkpoint(raw, [key], ORIGIN) == CHECKPOINT
    assert list(OLD.verifier_keys()) == keys
    assert OLD.sign(CHECKPOINT, NOW).splitlines()[:5] == raw.splitlines()[:5]


def test_old_and_new_keys_sign_together_while_they_rotate():
    raw = sign_checkpoint(CHECKPOINT, [OLD, NEW], NOW)
    assert len(Note.parse(raw).signatures) == 4
    for keys in (OLD.verifier_keys(), NEW.verifier_keys()):
        assert verify_checkpoint(raw, keys, ORIGIN) == CHECKPOINT
    with pytest.raises(NoteError):
        verify_checkpoint(OLD.sign(CHECKPOINT, NOW), NEW.verifier_keys(), ORIGIN)


def test_grease_and_shuffled_lines_are_survived():
    chance = random.Random(7)
    lines = list(Note.parse(sign_checkpoint(CHECKPOINT, [OLD, NEW], NOW)).signatures)
    lines += [
        Signature(f"grease{n}.example", chance.randbytes(4), chance.randbytes(80))
        for n in range(20)
    ]
    for _ in range(5):
        chance.shuffle(lines)
        raw = Note(CHECKPOINT.text(), tuple(lines)).encode()
        assert verify_checkpoint(raw, OLD.verifier_keys(), ORIGIN) == CHECKPOINT


@pytest.mark.parametrize("line", [0, 1])
def test_one_broken_line_of_a_known_key_rejects_the_checkpoint(line):
    lines = list(Note.parse(OLD.sign(CHECKPOINT, NOW)).signatures)
    old = lines[line]
    lines[line] = Signature(old.name, old.keyid, old.blob[:-1] + bytes([old.blob[-1] ^ 1]))
    raw = Note(CHECKPOINT.text(), tuple(lines)).encode()
    with pytest.raises(NoteError):
        verify_checkpoint(raw, OLD.verifier_keys(), ORIGIN)


def test_another_log_s_checkpoint_is_refused_even_when_its_key_is_trusted():
    raw = FOREIGN.sign(Checkpoint(FOREIGN.origin, 1, bytes(32)), NOW)
    with pytest.raises(NoteError, match="another log"):
        verify_checkpoint(raw, FOREIGN.verifier_keys(), ORIGIN)


def test_a_trusted_key_of_another_name_does_not_sign_for_this_log():
    text = CHECKPOINT.text()
    forged = Note(text, (FOREIGN._ed25519.sign(text),)).encode()
    with pytest.raises(VerificationError):
        verify_checkpoint(forged, [*FOREIGN.verifier_keys(), *OLD.verifier_keys()], ORIGIN)


def test_a_signer_signs_for_its_own_log_only():
    with pytest.raises(NoteError, match="another log"):
        OLD.sign(Checkpoint("elsewhere", 1, bytes(32)), NOW)
    with pytest.raises(NoteError):
        sign_checkpoint(CHECKPOINT, [], NOW)


@pytest.mark.parametrize(
    "changes", [("", 1, 32), ("a\nb", 1, 32), ("a", -1, 32), ("a", 2**63, 32), ("a", 1, 20)]
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_made(changes):
    with pytest.raises(NoteError):
        Checkpoint(changes[0], changes[1], bytes(changes[2]))
