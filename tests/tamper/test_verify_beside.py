"""The same log checked by this process alone and by others beside it: the verdict is one."""

import multiprocessing
import random

import pytest

from client import walk
from client.beside import Checkers
from client.bundles import Bundles, Extent
from client.checked import BundleChecker
from client.errors import RefutedError
from client.sources import encode_envelopes, envelopes_path
from client.verify import verify_log
from tests.tamper.drawn_log import drawn_log
from tests.tamper.test_second_implementation import ATTACKS, NAMED, genuine
from tests.unit.client.signed_log import CDC, CLINIC, ORIGIN, MemorySource, trust


@pytest.fixture(scope="module")
def checkers():
    with Checkers(2) as started:
        yield started


@pytest.fixture(autouse=True)
def _even_small_logs(monkeypatch):
    monkeypatch.setattr(walk, "_MANY_BUNDLES", 1)


def verdict(files, extent, checkers=None):
    try:
        return verify_log(MemorySource(files), trust(), extent, checkers=checkers)
    except RefutedError as refuted:
        return refuted.step, refuted.position, refuted.reason, refuted.fields


@pytest.mark.parametrize("attack", ATTACKS, ids=NAMED)
def test_every_attack_gets_the_verdict_of_the_process_alone(attack, checkers):
    chance = random.Random(f"{attack.__name__} beside")
    left = attack(genuine(3).copy(), chance)
    extent = Extent(blobs=True, known=left.known)
    alone = verdict(left.files, extent)
    assert isinstance(alone, tuple)
    assert verdict(left.files, extent, checkers) == alone


@pytest.mark.parametrize("envelopes", [True, False])
def test_a_log_of_several_bundles_gets_the_report_of_the_process_alone(envelopes, checkers):
    log = drawn_log(4, 700)
    known = tuple(log.checkpoint(size) for size in (1, 255, 256, 512, 600))
    extent = Extent(envelopes=envelopes, blobs=True, known=known)
    alone = verdict(log.files(), extent)
    assert alone.counts.entries == len(log.lines)
    assert verdict(log.files(), extent, checkers) == alone


def test_what_is_checked_beside_is_believed_only_where_all_is_right():
    log = drawn_log(3, 300)
    files = log.files()

    def checked(origin=ORIGIN, judged=0, index=0, **extent):
        bundles = Bundles(MemorySource(files), len(log.lines), Extent(**extent))
        return BundleChecker(bundles, len(log.lines)).check(index, origin, judged)

    assert checked() is not None
    assert checked(index=1) is not None  # with keys that stand in the bundle before
    assert checked(index=1, judged=1) is None  # those were not given
    assert checked(index=1, judged=1, envelopes=False) is not None
    assert checked("another.example.cn/log") is None
    files[envelopes_path(0)] = encode_envelopes(line.envelope for line in log.lines[1:256])
    assert checked() is None
    assert checked(envelopes=False) is not None


@pytest.mark.parametrize("author", [CDC, CLINIC])
def test_a_log_that_opens_with_another_than_its_operator_is_refused_by_all(author, checkers):
    log = drawn_log(3, 300)
    log.lines = [line for line in log.lines if line.entry.author.org == str(author)]
    assert len(log.lines) > 1
    alone = verdict(log.files(), Extent())
    assert isinstance(alone, tuple)
    assert verdict(log.files(), Extent(), checkers) == alone


def test_a_process_that_dies_leaves_its_bundles_to_the_judge():
    log = drawn_log(4, 700)
    alone = verify_log(MemorySource(log.files()), trust())
    others = set(multiprocessing.active_children())
    with Checkers(2) as checkers:
        checkers.begin(MemorySource({}), 0, Extent())
        first, _ = set(multiprocessing.active_children()) - others
        first.kill()
        first.join()
        assert verify_log(MemorySource(log.files()), trust(), checkers=checkers) == alone
