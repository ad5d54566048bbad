"""The second implementation, written from the specification, against the product.

Both hold every genuine log for true. Of every attack both name the same first position, and the
right one. What cannot be told apart here: a row of a projection, a NATS message, a printed paper
and a witness's state are no part of an export, and have detectors of their own; a sealed value that
is missing counts as erased, by whatever key it was destroyed.
"""

import random
from dataclasses import replace
from functools import cache
from hashlib import sha256
from operator import attrgetter

import pytest

from client.sources import CHECKPOINT
from ledger.entry import Seal
from tests.second.findings import Finding
from tests.tamper.attacks_on_checkpoints import CHECKPOINT_ATTACKS
from tests.tamper.attacks_on_files import FILE_ATTACKS
from tests.tamper.attacks_on_keys import KEY_ATTACKS
from tests.tamper.attacks_on_log import LOG_ATTACKS
from tests.tamper.attacks_on_signatures import SIGNATURE_ATTACKS
from tests.tamper.bent_values import a_value_bent
from tests.tamper.both_verifiers import agree, product_says, second_says
from tests.tamper.drawn_log import drawn_log
from tests.tamper.forging import Attack, entry_at
from tests.unit.client.signed_log import CDC, CLINIC, COUNTY, ORIGIN, author

ATTACKS = (
    *FILE_ATTACKS,
    *CHECKPOINT_ATTACKS,
    *LOG_ATTACKS,
    *KEY_ATTACKS,
    *SIGNATURE_ATTACKS,
)
"""Tamper kinds. All but those on files and checkpoints presume that the log's key was stolen."""
NAMED = attrgetter("__name__")


@cache
def genuine(seed, steps=30):
    return drawn_log(seed, steps)


def carry_out(attack, seed, steps=30):
    """Run an attack on a log; both must find it, where it is."""
    chance = random.Random(f"{attack.__name__} {seed}")
    left = attack(genuine(seed % 10, steps).copy(), chance)
    product, second = product_says(left), second_says(left)
    assert agree(product, second), (product, second[:3])
    assert product is not None
    assert left.at in (None, second[0].position)


def test_there_are_more_than_the_required_24_kinds():
    assert len(set(ATTACKS)) >= 24


@pytest.mark.parametrize("seed", range(10))
def test_both_hold_a_genuine_log_for_true(seed):
    log = genuine(seed)
    left = Attack(log.files(), None)
    assert product_says(left) is None
    assert second_says(left, log.keys) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_neither_raises_a_false_alarm_about_500_genuine_logs():
    for seed in range(100, 600):
        log = drawn_log(seed, random.Random(seed).randint(1, 80))
        left = Attack(log.files(), None)
        assert product_says(left) is None, seed
        assert second_says(left, log.keys) == [], seed


@pytest.mark.parametrize("size", [1, 2, 256, 257])
def test_both_hold_a_genuine_log_of_any_size_for_true(size):
    left = Attack(genuine(0, 300).files(size), None)
    assert (product_says(left), second_says(left)) == (None, [])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("attack", ATTACKS, ids=NAMED)
def test_both_find_an_attack_at_the_same_place(attack, seed):
    carry_out(attack, seed)


@pytest.mark.parametrize("attack", FILE_ATTACKS, ids=NAMED)
def test_both_find_an_attack_in_a_log_of_several_tiles(attack):
    carry_out(attack, 0, 300)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("attack", ATTACKS, ids=NAMED)
def test_both_find_an_attack_at_500_random_places(attack):
    for seed in range(500):
        carry_out(attack, seed)


@pytest.mark.parametrize("tenth", range(10))
def test_both_judge_any_value_alike(tenth):
    for seed in range(6):
        judge_a_bent_value(10 * seed + tenth)


@pytest.mark.long
@pytest.mark.parametrize("tenth", range(10))
def test_both_judge_5000_values_alike(tenth):
    for seed in range(500):
        judge_a_bent_value(10 * seed + tenth)


def judge_a_bent_value(seed):
    left = a_value_bent(genuine(seed % 10).copy(), random.Random(seed))
    product, second = product_says(left), second_says(left)
    assert agree(product, second), (seed, product, second[:3])


# Files that are not what tlog-tiles says, though what they promise is there.


def several_tiles():
    files = genuine(0, 300).files()
    width = len(genuine(0, 300).lines) - 256
    return files, f".p/{width}"


@pytest.mark.parametrize(
    ("path", "surplus"),
    [
        ("tile/entries/001", b"\0\1x"),
        ("envelopes/001", b"\0\0\0\1x"),
        ("tile/0/001", bytes(32)),
    ],
)
def test_a_file_longer_than_its_name_says_is_found(path, surplus):
    files, part = several_tiles()
    left = Attack(files | {path + part: files[path + part] + surplus}, None)
    assert second_says(left)
    assert product_says(left) is not None


@pytest.mark.parametrize("path", ["tile/0/000", "tile/1/000.p/1"])
def test_a_missing_hash_tile_is_found(path):
    files, _ = several_tiles()
    del files[path]
    left = Attack(files, None)
    assert second_says(left) == [Finding(1, "tile", "missing")]
    assert product_says(left) is not None


def test_the_full_file_stands_in_for_a_partial_one_that_is_gone():
    """C2SP tlog-tiles: partial tiles may be deleted once the full one exists."""
    larger = drawn_log(0, 520).files()
    files, part = drawn_log(0, 520).files(300), ".p/44"
    for stem in ("tile/entries/001", "envelopes/001", "tile/0/001"):
        del files[stem + part]
        files[stem] = larger[stem]
    left = Attack(files, None)
    assert second_says(left) == []
    assert product_says(left) is None


def test_a_proof_of_possession_of_no_key_is_found():
    log = genuine(1).copy()
    data = {
        "name": "单位",
        "kind": "clinic",
        "division": COUNTY,
        "key_proof": author(CDC).proof_of_possession(ORIGIN),
    }
    log.write(author(CDC), log.said("organisation.registered.v1", log.handle(), data))
    left = Attack(log.files(), None)
    assert second_says(left)[0].position == len(log.lines)
    assert product_says(left) is not None


@pytest.mark.parametrize("text", ["A20260101\n", " A20260101", "疫苗\u2028", "a\0b"])
def test_the_published_schema_refuses_what_the_product_refuses(text):
    log = genuine(1).copy()
    draft = log.dose(log.handle(), log.handle(), 0)
    data = dict(draft.data) | {"product": text}
    log.write(author(CLINIC), replace(draft, data=data), {"effective_on": "2026-09-01"})
    left = Attack(log.files(), None)
    assert agree(product_says(left), second_says(left))


# What neither can find, and says so by holding the log for true.


def both_hold(left):
    assert (product_says(left), second_says(left)) == (None, [])


def test_an_erased_value_is_no_fault():
    files = genuine(1).files()
    both_hold(Attack({path: raw for path, raw in files.items() if "blobs" not in path}, None))


def test_the_division_is_the_servers_word():
    log = genuine(1).copy()
    log.forge(12, division="410203")
    both_hold(Attack(log.files(), None))


@pytest.mark.parametrize("kept", [0, 1])
def test_one_good_line_of_the_log_is_enough(kept):
    files = genuine(1).files()
    head, lines = files[CHECKPOINT].split(b"\n\n")
    note = head + b"\n\n" + lines.splitlines(keepends=True)[kept]
    both_hold(Attack(files | {CHECKPOINT: note}, None))


def test_unknown_lines_in_any_order_are_ignored():
    files = genuine(1).files()
    head, lines = files[CHECKPOINT].split(b"\n\n")
    first, second = lines.splitlines(keepends=True)
    grease = "— grease.example AAECAwQFBgc=\n".encode()
    note = head + b"\n\n" + grease + second + grease + first
    both_hold(Attack(files | {CHECKPOINT: note}, None))


def test_two_authors_may_use_one_idempotency_key():
    log = genuine(1).copy()
    clinic, key = author(log.handle()), log.handle()
    log.register(author(CDC), clinic, "clinic")
    for who in (author(CDC), clinic):
        draft = log.dose(log.handle(), log.handle(), 0)
        log.write(who, replace(draft, idempotency_key=key), {"effective_on": "2026-09-01"})
    both_hold(Attack(log.files(), None))


# What only keys show: the second opens what it is given keys for.


def test_values_sealed_anew_by_the_server_are_not_those_that_were_committed_to():
    log = genuine(1).copy()
    at = log.positions("dose-administered")[0]
    entry = entry_at(log, at)
    person = entry.sealed[0].subject
    forged = {"r": "11" * 32, "values": {"vaccinator": "另一人"}}
    blob = log.sealed(entry.topic, entry.stream, entry.version, person, forged)
    digest = sha256(blob).hexdigest()
    log.lines[at - 1] = replace(log.lines[at - 1], blobs={digest: blob})
    log.forge(at, sealed=(Seal(person, digest),))
    left = Attack(log.files(), None)
    both_hold(left)
    assert second_says(left, log.keys) == [Finding(at, "blob", "not what was committed to")]


def test_a_ciphertext_moved_to_another_event_does_not_open():
    log = genuine(1).copy()
    first, second = log.positions("dose-administered")[:2]
    mine, other = entry_at(log, first).sealed[0], entry_at(log, second).sealed[0]
    log.lines[first - 1] = replace(log.lines[first - 1], blobs=log.lines[second - 1].blobs)
    log.forge(first, sealed=(Seal(mine.subject, other.sha256),))
    left = Attack(log.files(), None)
    both_hold(left)
    found = second_says(left, log.keys | {mine.subject: log.keys[other.subject]})
    assert Finding(first, "blob", "of another key or place") in found
