"""Whole files: who may read them, and what a failure leaves."""

import pytest

from bootstrap.durable import write_whole


def test_a_secret_never_takes_the_mode_of_the_file_that_it_replaces(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_whole(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]  # no draft stays


def test_what_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "kept"
    write_whole(path, "old", 0o644)
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "old"
