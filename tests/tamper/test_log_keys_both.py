"""Rotations of the log's keys, honest and not: the product and the second implementation agree."""

from dataclasses import replace

import pytest

from client.errors import RefutedError
from client.key_history import LOG_KEYS
from client.sources import CHECKPOINT
from client.verify import verify_log
from ledger.checkpoint import sign_checkpoint
from ledger.log_keys import proof_of_possession
from tests.second.trust import Trust
from tests.second.verifier import Given, verify
from tests.tamper.both_verifiers import SCHEMAS
from tests.unit.client.rotated_log import NOW, RotatedLog, rotated, vkeys
from tests.unit.client.signed_log import (
    CDC,
    CLINIC,
    ORIGIN,
    MemorySource,
    SignedLog,
    author,
    signer,
    trust,
)


def verdicts(files, trusted):
    """Position of the first finding of each verifier, 0 for the whole log, None if it holds."""
    try:
        verify_log(MemorySource(files), trust(trusted))
        product = None
    except RefutedError as refuted:
        product = refuted.position or 0
    found = verify(files.get, Given(Trust.of_keys(*vkeys(signer(trusted))), SCHEMAS))
    return product, found[0].position if found else None


@pytest.mark.parametrize("trusted", ["log", "second", "third"])
def test_both_follow_a_log_from_any_of_its_pairs(trusted):
    assert verdicts(rotated("second", "third").files(), trusted) == (None, None)


def an_introduction_by_a_county(log):
    return log.introduce("third", author(CDC))


def an_introduction_by_a_clinic(log):
    return log.introduce("third", author(CLINIC))


def an_introduction_without_possession(log):
    proof = signer("fourth").sign(proof_of_possession(ORIGIN), NOW).decode()
    return log.introduce("third", proof=proof)


def an_introduction_with_half_a_proof(log):
    whole = signer("third").sign(proof_of_possession(ORIGIN), NOW).decode()
    return log.introduce("third", proof=whole.rpartition("\u2014")[0])


def an_introduction_proven_by_another_tree(log):
    other = replace(proof_of_possession(ORIGIN), root=b"x" * 32)
    return log.introduce("third", proof=signer("third").sign(other, NOW).decode())


def an_introduction_of_the_founding_pair(log):
    return log.introduce("log")


def an_introduction_beside_another(log):
    log.introduce("third")
    return log.introduce("fourth")


def an_introduction_that_replaces_a_retired_pair(log):
    first, second = vkeys(signer("log"))
    return log.introduce("third", replaces_ed25519=first, replaces_ml_dsa_44=second)


def an_introduction_of_swapped_types(log):
    first, second = vkeys(signer("third"))
    return log.introduce("third", ed25519=second, ml_dsa_44=first)


def a_retirement_by_a_county(log):
    log.introduce("third")
    return log.retire(author(CDC))


def a_retirement_that_the_new_pair_alone_signed(log):
    log.introduce("third")
    return log.retire(overlap=log.note(name="third"))


def a_retirement_before_the_introduction_was_covered(log):
    head = log.checkpoint(log.introduce("third") - 1)
    both = [signer("second"), signer("third")]
    return log.retire(overlap=sign_checkpoint(head, both, NOW))


BAD_ENTRIES = (
    an_introduction_by_a_county,
    an_introduction_by_a_clinic,
    an_introduction_without_possession,
    an_introduction_with_half_a_proof,
    an_introduction_proven_by_another_tree,
    an_introduction_of_the_founding_pair,
    an_introduction_beside_another,
    an_introduction_that_replaces_a_retired_pair,
    an_introduction_of_swapped_types,
    a_retirement_by_a_county,
    a_retirement_that_the_new_pair_alone_signed,
    a_retirement_before_the_introduction_was_covered,
)


@pytest.mark.parametrize("attack", BAD_ENTRIES, ids=lambda one: one.__name__)
def test_both_name_the_entry_that_breaks_a_rule_of_rotation(attack):
    log = rotated("second")
    position = attack(log)
    log.eras = [(0, ("second",))]
    log.grow()
    files = SignedLog.files(log)
    assert verdicts(files, "second") == (position, position)


def test_both_refuse_a_checkpoint_that_a_retired_key_alone_has_signed():
    log = rotated("second")
    assert verdicts(log.files() | {CHECKPOINT: log.note(name="log")}, "log") == (0, 0)


def test_both_refuse_an_overlap_of_another_tree():
    log = RotatedLog()
    head = replace(log.checkpoint(log.introduce("second")), root=b"o" * 32)
    log.retire(overlap=sign_checkpoint(head, [signer("log"), signer("second")], NOW))
    assert verdicts(log.files(), "second") == (0, 0)


@pytest.mark.parametrize("bend", [b"", b"{}\n", b"no JSON\n"])
def test_both_refuse_a_history_that_proves_nothing(bend):
    files = rotated("second").files()
    assert verdicts(files | {LOG_KEYS: bend}, "log") == (0, 0)
