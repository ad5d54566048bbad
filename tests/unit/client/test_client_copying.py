"""Copies of a log: complete, incremental, and never made of two histories."""

from datetime import timedelta

import pytest

from client.copying import EntriesNeededError, LogCopy
from client.errors import RefutedError
from client.sources import CHECKPOINT, FolderSource, StoreSource, decode_envelopes, encode_envelopes
from client.trust import Trust
from client.verify import Extent, verify_log
from tests.unit.client.signed_log import MemorySource, Stored, small_log, trust


def files_of(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_copy_has_the_files_of_tlog_tiles_and_holds(tmp_path):
    log = small_log(children=130, doses=1)
    seen = []
    copied = LogCopy(tmp_path, trust()).extend(
        MemorySource(log.files()), lambda *done: seen.append(done)
    )
    assert (copied.before, copied.size) == (0, 264)
    assert seen == [(256, 264), (264, 264)]
    assert files_of(tmp_path) == [
        "checkpoint",
        "envelopes/000",
        "envelopes/001.p/8",
        "log.vkey",
        "tile/0/000",
        "tile/0/001.p/8",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/8",
    ]
    assert Trust.load(tmp_path / "log.vkey") == trust()
    assert verify_log(FolderSource(tmp_path), trust()).counts.envelopes == 264


def test_a_copy_from_the_database_is_byte_for_byte_the_copy_from_the_server(tmp_path):
    log = small_log(children=130, doses=1)
    LogCopy(tmp_path / "a", trust()).extend(MemorySource(log.files()))
    LogCopy(tmp_path / "b", trust()).extend(StoreSource(Stored(log)))
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    for path in files_of(tmp_path / "a"):
        if path != CHECKPOINT:  # its ML-DSA line is randomised
            assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_a_public_copy_has_no_entries_and_becomes_a_whole_one_with_a_token(tmp_path):
    log, folder = small_log(children=200, doses=2), tmp_path / "copy"
    for size in (300, 500):
        public = {path: raw for path, raw in log.files(size).items() if not _is_private(path)}
        LogCopy(folder, trust(), entries=False).extend(MemorySource(public))
        assert not any(map(_is_private, files_of(folder)))
        LogCopy(tmp_path / f"whole {size}", trust()).extend(MemorySource(log.files(size)))
        whole = files_of(tmp_path / f"whole {size}")
        assert {path for path in whole if not _is_private(path)} <= set(files_of(folder))
    LogCopy(folder, trust()).extend(MemorySource(log.files()))
    assert verify_log(FolderSource(folder), trust()).counts.envelopes == 604
    with pytest.raises(EntriesNeededError):
        LogCopy(folder, trust(), entries=False).extend(MemorySource(log.files()))


def _is_private(path):
    return path.startswith(("tile/entries/", "envelopes/"))


@pytest.mark.parametrize("sizes", [(1, 255, 256, 257, 600), (300, 300, 604), (0, 604)])
def test_a_copy_grows_step_by_step_into_the_copy_made_at_once(tmp_path, sizes):
    log = small_log(children=200, doses=2)
    assert len(log.lines) == 604
    for size in sizes:
        LogCopy(tmp_path / "grown", trust()).extend(MemorySource(log.files(size)))
        report = verify_log(FolderSource(tmp_path / "grown"), trust())
        assert report.checkpoint.size == size
    LogCopy(tmp_path / "whole", trust()).extend(MemorySource(log.files(sizes[-1])))
    for path in files_of(tmp_path / "whole"):
        if path != CHECKPOINT:
            grown = (tmp_path / "grown" / path).read_bytes()
            assert grown == (tmp_path / "whole" / path).read_bytes()


def test_what_is_copied_already_is_not_read_again(tmp_path):
    log = small_log(children=300, doses=1)
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files(600)))
    files = log.files()
    for path in ("tile/entries/000", "tile/entries/001", "tile/0/000", "envelopes/001"):
        del files[path]
    assert LogCopy(tmp_path, trust()).extend(MemorySource(files)).size == 604


def refused(folder, source):
    before = files_of(folder)
    note = (folder / CHECKPOINT).read_bytes() if before else None
    with pytest.raises(RefutedError) as caught:
        LogCopy(folder, trust()).extend(source)
    if note is not None:
        assert (folder / CHECKPOINT).read_bytes() == note
    return caught.value.reason


def test_a_forked_log_is_not_mixed_into_a_copy(tmp_path):
    log = small_log(children=150, doses=1)
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files(200)))
    log.forge(100, recorded_at=log.lines[99].entry.recorded_at + timedelta(days=1))
    assert refused(tmp_path, MemorySource(log.files())) == "forked"


def test_a_rolled_back_log_is_refused(tmp_path):
    log = small_log()
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files()))
    assert refused(tmp_path, MemorySource(log.files(8))) == "rolled-back"


def test_a_log_under_another_key_is_refused(tmp_path):
    log = small_log()
    source = MemorySource(log.files() | {CHECKPOINT: log.note(name="thief")})
    assert refused(tmp_path, source) == "checkpoint-not-trusted"
    assert refused(tmp_path, MemorySource({})) == "checkpoint-missing"


def test_an_altered_tile_is_not_copied(tmp_path):
    files = small_log().files()
    files["tile/0/000.p/13"] = b"\x00" + files["tile/0/000.p/13"][1:]
    assert refused(tmp_path, MemorySource(files)) == "root-differs"


def test_a_file_that_the_source_lacks_is_named(tmp_path):
    files = small_log().files()
    del files["envelopes/000.p/13"]
    assert refused(tmp_path, MemorySource(files)) == "file-missing"


def test_a_partial_file_that_is_gone_is_copied_from_the_full_one(tmp_path):
    log = small_log(children=300, doses=1)
    larger, files = log.files(), log.files(300)
    partial = {f"{stem}.p/44": stem for stem in ("tile/entries/001", "envelopes/001", "tile/0/001")}
    gone = {path: files.pop(path) for path in partial}
    source = MemorySource(files | {stem: larger[stem] for stem in partial.values()})
    LogCopy(tmp_path, trust()).extend(source)
    assert {path: (tmp_path / path).read_bytes() for path in partial} == gone


@pytest.mark.parametrize(
    ("change", "reason"),
    [(lambda raw: raw[:-1], "tile-cut-off"), (lambda raw: raw + bytes(32), "tile-too-long")],
)
@pytest.mark.parametrize("path", ["tile/0/000", "tile/1/000.p/1"])
def test_a_tile_of_another_width_is_not_copied(tmp_path, path, change, reason):
    files = small_log(children=130, doses=1).files()
    assert refused(tmp_path, MemorySource(files | {path: change(files[path])})) == reason


def test_a_copy_left_by_a_crash_is_its_old_self_and_grows_again(tmp_path):
    log = small_log(children=150, doses=1)
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files(200)))

    class Dying(MemorySource):
        def read(self, path):
            if path.startswith("tile/1"):
                raise OSError("the machine stops here")
            return super().read(path)

    with pytest.raises(OSError, match="stops"):
        LogCopy(tmp_path, trust()).extend(Dying(log.files()))
    assert verify_log(FolderSource(tmp_path), trust()).checkpoint.size == 200
    LogCopy(tmp_path, trust()).extend(MemorySource(log.files()))
    report = verify_log(FolderSource(tmp_path), trust(), Extent(known=(log.checkpoint(200),)))
    assert report.checkpoint.size == 304


@pytest.mark.parametrize("raw", [b"\x00", b"\x00\x00\x00\x05abc", encode_envelopes([b""] * 257)])
def test_a_bundle_of_envelopes_that_is_cut_off_or_too_long_is_refused(raw):
    from client.sources import EnvelopesError

    with pytest.raises(EnvelopesError):
        decode_envelopes(raw)
