"""A log is verified across rotations of its keys, and each way to cheat at one has its reason."""

from dataclasses import replace

import pytest

from client.copying import LogCopy
from client.errors import ReceiptError, RefutedError
from client.key_history import LOG_KEYS
from client.log_keys import follow_keys
from client.receipt import Receipt
from client.sources import CHECKPOINT, FolderSource
from client.trust import Trust
from client.verify import Extent, verify_log
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.errors import NoteError
from ledger.log_keys import proof_of_possession
from tests.unit.client.rotated_log import NOW, RotatedLog, rotated, vkeys
from tests.unit.client.signed_log import CDC, ORIGIN, MemorySource, SignedLog, author, signer, trust


def refutation(log, trusted, extent=None, **files):
    source = MemorySource(log.files() | files)
    with pytest.raises(RefutedError) as refuted:
        verify_log(source, trusted, extent)
    return refuted.value.step, refuted.value.position, refuted.value.reason


@pytest.mark.parametrize("trusted", ["log", "second", "third", "fourth"])
def test_whoever_trusts_any_of_four_pairs_verifies_the_whole_log(trusted):
    log = rotated("second", "third", "fourth")
    report = verify_log(MemorySource(log.files()), trust(trusted))
    assert report.checkpoint.size == len(log.lines)
    assert report.counts.unknown_topics == 0


@pytest.mark.parametrize("trusted", ["log", "second"])
def test_during_the_overlap_both_pairs_are_believed(trusted):
    log = RotatedLog()
    position = log.introduce("second")
    assert verify_log(MemorySource(log.files()), trust(trusted)).checkpoint.size == position


def test_who_trusts_one_algorithm_goes_on_trusting_that_one_alone():
    log = rotated("second", "third")
    pq = Trust.of_keys(signer("log").verifier_keys()[1:])
    followed = follow_keys(pq, MemorySource(log.files()))
    assert followed.keys == signer("third").verifier_keys()[1:]
    assert verify_log(MemorySource(log.files()), pq).checkpoint.size == len(log.lines)


def test_following_drops_the_retired_pair_and_keeps_the_policy():
    log = rotated("second", "third")
    followed = follow_keys(trust("log"), MemorySource(log.files()))
    assert followed == trust("third")
    log.introduce("fourth")
    followed = follow_keys(followed, MemorySource(log.files()))
    assert followed.keys == (*signer("third").verifier_keys(), *signer("fourth").verifier_keys())


def test_a_stolen_retired_key_convinces_nobody_who_has_followed():
    log = rotated("second")
    followed = follow_keys(trust("log"), MemorySource(log.files()))
    with pytest.raises(NoteError):
        followed.judge(log.note(name="log"))
    log.eras = [(0, ("log",))]
    with pytest.raises(ReceiptError):
        Receipt.verify(log.answer(1), followed)


def test_a_receipt_from_before_holds_under_the_pair_of_its_time_and_anew_under_the_next():
    log = RotatedLog()
    before = log.answer(1)
    log.rotate("second")
    assert Receipt.verify(before, trust("log")).position == 1
    assert Receipt.verify(log.answer(1), trust("second")).position == 1
    with pytest.raises(ReceiptError):
        Receipt.verify(before, trust("second"))


def test_a_retired_key_that_signs_a_new_size_is_refuted():
    log = rotated("second")
    forged = log.note(name="log")
    reason = "not-signed-by-a-current-key"
    assert refutation(log, trust("log"), **{CHECKPOINT: forged}) == (11, None, reason)


def test_a_log_forked_before_the_retirement_is_found_by_who_has_seen_it():
    log, fork = rotated("second"), RotatedLog()
    fork.grow(12)
    seen = Extent(known=(log.checkpoint(),))
    assert len(fork.lines) >= len(log.lines)
    assert refutation(fork, trust("log"), seen) == (10, None, "forked")


def test_a_rotation_that_the_operator_has_not_signed_is_refuted():
    log = RotatedLog()
    position = log.introduce("second", author(CDC))
    assert refutation(log, trust()) == (11, position, "not-signed-by-the-operator")


def test_a_retirement_that_the_operator_has_not_signed_is_refuted():
    log = RotatedLog()
    log.introduce("second")
    position = log.retire(author(CDC))
    log.eras.pop()
    assert refutation(log, trust()) == (11, position, "not-signed-by-the-operator")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"proof": signer("log").sign(proof_of_possession(ORIGIN), NOW).decode()},
            "key-not-proven",
        ),
        (
            {"proof": signer("second").sign(Checkpoint(ORIGIN, 9, b"r" * 32), NOW).decode()},
            "key-not-proven",
        ),
        ({"ml_dsa_44": vkeys(signer("third"))[1]}, "key-not-proven"),
        ({"ed25519": vkeys(signer("second"))[1]}, "key-malformed"),
        ({"replaces_ed25519": vkeys(signer("third"))[0]}, "not-the-current-key"),
    ],
)
def test_an_introduction_is_refuted_with_its_reason(changes, reason):
    log = rotated("zeroth")
    position = log.introduce("second", **changes)
    log.eras.pop()
    assert refutation(log, trust("zeroth")) == (11, position, reason)


def test_half_a_proof_of_possession_is_none():
    log = RotatedLog()
    whole = signer("second").sign(proof_of_possession(ORIGIN), NOW).decode()
    position = log.introduce("second", proof=whole.rpartition("\u2014")[0])
    log.eras.pop()
    assert refutation(log, trust()) == (11, position, "key-not-proven")


def test_two_rotations_at_once_are_refuted():
    log = RotatedLog()
    log.introduce("second")
    position = log.introduce("third")
    log.eras.pop()
    assert refutation(log, trust()) == (11, position, "rotation-under-way")


@pytest.mark.parametrize("old", ["log", "second", "third"])
def test_a_rotation_back_to_an_old_key_is_refuted(old):
    log = rotated("second", "third")
    position = log.introduce(old)
    log.eras.pop()
    assert refutation(log, trust("third")) == (11, position, "key-used-before")


@pytest.mark.parametrize("name", ["log", "second", "third"])
def test_a_retirement_needs_a_checkpoint_that_both_pairs_have_signed(name):
    log = RotatedLog()
    log.introduce("second")
    position = log.retire(overlap=log.note(name=name))
    log.eras.pop()
    assert refutation(log, trust()) == (11, position, "overlap-not-signed-by-both")


def both(head):
    return sign_checkpoint(head, [signer("log"), signer("second")], NOW)


def test_a_retirement_needs_a_checkpoint_that_covers_the_introduction():
    log = RotatedLog()
    position = log.introduce("second")
    retired = log.retire(overlap=both(log.checkpoint(position - 1)))
    log.eras.pop()
    with pytest.raises(RefutedError) as refuted:
        verify_log(MemorySource(SignedLog.files(log)), trust("second"))
    found = (refuted.value.position, refuted.value.reason)
    assert found == (retired, "overlap-not-signed-by-both")


def test_a_retirement_on_a_checkpoint_of_another_tree_is_refuted():
    log = RotatedLog()
    position = log.introduce("second")
    other = both(replace(log.checkpoint(position), root=b"o" * 32))
    log.retire(overlap=other)
    reason = "overlap-of-another-tree"
    assert refutation(log, trust("second")) == (11, None, reason)


def test_a_second_retirement_is_refuted():
    log = RotatedLog()
    log.introduce("second")
    log.retire()
    draft = log.draft("log.key-retired.v1", log.rotation, 2, {"overlap": log.note(9).decode()})
    position = log.write(author(log.lines[0].entry.stream), draft, division="410000")
    assert refutation(log, trust("second")) == (11, position, "no-rotation-under-way")


def test_a_history_that_does_not_prove_its_entries_is_refuted():
    log = rotated("second")
    lines = log.files()[LOG_KEYS].splitlines(keepends=True)
    bent = lines[0].replace(b"410000", b"410001")
    assert refutation(log, trust(), **{LOG_KEYS: bent})[2] == "key-history-not-proven"
    assert refutation(log, trust(), **{LOG_KEYS: b"{}\n"})[2] == "key-history-malformed"
    assert refutation(log, trust(), **{LOG_KEYS: lines[1]})[2] == "checkpoint-not-trusted"


def test_without_a_history_who_trusts_the_retired_key_is_told_so():
    log = rotated("second")
    assert refutation(log, trust(), **{LOG_KEYS: b""}) == (1, None, "checkpoint-not-trusted")


def test_a_copy_follows_the_rotation_and_verifies_from_the_first_key(tmp_path):
    log = RotatedLog()
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files()))
    log.rotate("second")
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files()))
    for name in ("log", "second"):
        assert verify_log(FolderSource(tmp_path), trust(name)).checkpoint.size == len(log.lines)
    assert Trust.load(tmp_path / "log.vkey") == trust("second")
