"""A verification that is killed goes on, and says in the end what an unbroken one says."""

import random
import signal
import subprocess
import sys

import pytest

from client.audit import STREAM
from client.compact import CompactMap
from client.errors import RefutedError, StateError
from client.notes import Notes
from client.sources import FolderSource
from client.verify import Extent, verify_log
from tests.tamper.drawn_log import drawn_log
from tests.unit.client.signed_log import MemorySource, trust


class Interrupted(Exception):
    pass


def stopping_at(entries):
    def progress(done, _size):
        if done >= entries:
            raise Interrupted

    return progress


def interrupted(files, path, entries, extent=None):
    with pytest.raises(Interrupted):
        verify_log(
            MemorySource(files), trust(), extent, stopping_at(entries), notes=Notes(path, every=0)
        )


def resumed(files, path, extent=None):
    return verify_log(MemorySource(files), trust(), extent, notes=Notes(path, every=0))


@pytest.fixture(scope="module")
def log():
    return drawn_log(5, 1300)


@pytest.mark.parametrize("entries", [1, 257, 768, 1025, 1280])
def test_a_resumed_verification_reports_what_a_whole_one_does(entries, log, tmp_path):
    extent = Extent(known=(log.checkpoint(300), log.checkpoint(1024), log.checkpoint(1200)))
    interrupted(log.files(), tmp_path / "state", entries, extent)
    whole = verify_log(MemorySource(log.files()), trust(), extent)
    assert resumed(log.files(), tmp_path / "state", extent) == whole


def test_what_was_read_is_not_read_again(log, tmp_path):
    files = log.files()
    interrupted(files, tmp_path / "state", 768)
    for index in (0, 1):
        del files[f"tile/entries/00{index}"]
    assert resumed(files, tmp_path / "state").counts.entries == len(log.lines)


def test_what_was_remembered_convicts_what_comes_after_it(log, tmp_path):
    twin = log.copy()
    interrupted(log.files(), tmp_path / "state", 1025)
    twin.lines[1100] = twin.lines[700]
    with pytest.raises(RefutedError) as refuted:
        resumed(twin.files(), tmp_path / "state")
    assert (refuted.value.step, refuted.value.position) == (STREAM, 1101)


def test_a_grown_log_is_verified_from_where_it_was(log, tmp_path):
    resumed(log.files(700), tmp_path / "state")
    files = log.files()
    del files["tile/entries/001"]
    assert resumed(files, tmp_path / "state").counts.entries == len(log.lines)


def test_a_log_that_went_back_since_is_found(log, tmp_path):
    resumed(log.files(), tmp_path / "state")
    with pytest.raises(RefutedError) as refuted:
        resumed(log.files(1000), tmp_path / "state")
    assert refuted.value.reason == "rolled-back"


def test_a_log_that_was_rewritten_since_is_found(log, tmp_path):
    resumed(log.files(1000), tmp_path / "state")
    with pytest.raises(RefutedError) as refuted:
        resumed(drawn_log(6, 1300).files(), tmp_path / "state")
    assert refuted.value.reason in ("forked", "key-unknown", "version-not-dense", "root-differs")


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_state_is_refused(seed, log, tmp_path):
    path, chance = tmp_path / "state", random.Random(seed)
    interrupted(log.files(), path, 768)
    raw = bytearray(path.read_bytes())
    if seed % 2:
        del raw[chance.randrange(len(raw)) :]
    else:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    path.write_bytes(raw)
    with pytest.raises(StateError):
        resumed(log.files(), path)


def test_a_state_of_another_question_is_refused(log, tmp_path):
    interrupted(log.files(), tmp_path / "state", 768)
    for extent in (Extent(envelopes=False), Extent(blobs=True), Extent(known=(log.checkpoint(9),))):
        with pytest.raises(StateError):
            resumed(log.files(), tmp_path / "state", extent)
    with pytest.raises(StateError):
        verify_log(
            MemorySource(log.files() | {"checkpoint": log.note(name="other")}),
            trust("other"),
            notes=Notes(tmp_path / "state"),
        )


SLOWLY = """
import sys, json, time
from pathlib import Path
from client.notes import Notes
from client.sources import FolderSource
from client.verify import verify_log
from tests.unit.client.signed_log import trust
source, notes = FolderSource(Path(sys.argv[1])), Notes(Path(sys.argv[2]), every=0)
show = lambda done, size: print(done, flush=True)
print("report", verify_log(source, trust(), progress=show, notes=notes), flush=True)
"""


def kill_and_resume(log, folder, rounds):
    log.save(folder / "export")
    chance = random.Random(9)
    whole = f"report {verify_log(FolderSource(folder / 'export'), trust())}"
    for _ in range(rounds):
        (folder / "state").unlink(missing_ok=True)
        lines, kills = run_until_done(folder, chance)
        assert (lines[-1], kills) == (whole, 2)


def test_kill_9_costs_nothing_but_time(log, tmp_path):
    kill_and_resume(log, tmp_path, 1)


@pytest.mark.long
def test_kill_9_at_any_moment_costs_nothing_but_time(log, tmp_path):
    kill_and_resume(log, tmp_path, 20)


def run_until_done(folder, chance):
    command = [sys.executable, "-c", SLOWLY, str(folder / "export"), str(folder / "state")]
    for kills in range(3):
        seen = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            last = chance.randrange(1, 4) if kills < 2 else 99
            for line in process.stdout:
                seen.append(line.strip())
                if len(seen) == last:
                    process.send_signal(signal.SIGKILL)
                    break
    return seen, kills


@pytest.mark.parametrize("value_bytes", [4, 5])
def test_a_compact_map_is_a_map(value_bytes):
    chance = random.Random(value_bytes)
    # Keys of few different bytes stand across one another's borders.
    keys = [bytes(chance.choices((0, 1), k=16)) for _ in range(4000)]
    mine, true = CompactMap(value_bytes), {}
    for key in keys:
        mine.put(key, value := chance.randrange(1, 1 << 8 * value_bytes))
        true[key] = value
        other = chance.choice(keys)
        assert mine.get(other) == true.get(other, 0)
    again = CompactMap(value_bytes)
    for records in mine.records():
        again.load(records)
    for one in (mine, again):
        assert {key: one.get(key) for key in true} == true
        assert len(one) == len(true)
        assert one.get(b"\2" * 16) == 0
