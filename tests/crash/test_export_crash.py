"""An export that dies, at whatever file, is its old self for whoever is served from it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from client.copying import LogCopy
from client.http import Caller
from client.sources import FolderSource, HttpSource
from client.verify import verify_log
from tests.unit.client.signed_log import MemorySource, small_log, trust

OLD, NEW = 270, 604


class Crash(BaseException):
    """Stands for the death of the process."""


@pytest.fixture(scope="module")
def log():
    log = small_log(children=200, doses=2)
    assert len(log.lines) == NEW
    return log


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def url(tmp_path):
    """A web server that knows nothing of logs."""
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "copy"))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def size_at(url: str) -> int:
    with HttpSource(Caller(url, "", trust())) as source:
        return verify_log(source, trust()).checkpoint.size


def test_served_by_any_web_server_it_verifies_by_its_url(log, tmp_path, url):
    copy = LogCopy(tmp_path / "copy", trust())
    for size in (OLD, NEW):
        copy.extend(MemorySource(log.files(size)))
        assert size_at(url) == size


def test_whatever_file_is_the_last_the_old_copy_holds_and_grows_again(log, tmp_path, monkeypatch):
    folder, write = tmp_path / "copy", LogCopy._write
    LogCopy(folder, trust()).extend(MemorySource(log.files(OLD)))
    written = []

    def crash_at(count):
        def write_some(self, path, content):
            if len(written) == count:
                raise Crash
            written.append(path)
            write(self, path, content)

        return write_some

    for count in range(100):
        del written[:]
        with monkeypatch.context() as patch:
            patch.setattr(LogCopy, "_write", crash_at(count))
            try:
                LogCopy(folder, trust()).extend(MemorySource(log.files(NEW)))
            except Crash:
                assert verify_log(FolderSource(folder), trust()).checkpoint.size == OLD
            else:
                break
    assert written[-1] == "checkpoint"
    assert count == len(written) > 8
    assert verify_log(FolderSource(folder), trust()).checkpoint.size == NEW


CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from client.copying import LogCopy
    from client.sources import FolderSource
    from tests.unit.client.signed_log import trust

    replaced = 0
    replace = Path.replace

    def strike(self, target):
        global replaced
        replaced += 1
        if replaced == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)  # a draft lies beside the file it should become
        return replace(self, target)

    Path.replace = strike
    LogCopy(Path(sys.argv[2]), trust()).extend(FolderSource(Path(sys.argv[1])))
    """
)


@pytest.mark.parametrize(
    "number", [5, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 10))]
)
def test_a_killed_export_is_servable_and_completed_by_the_next(log, tmp_path, url, number):
    LogCopy(tmp_path / "copy", trust()).extend(MemorySource(log.files(OLD)))
    log.save(tmp_path / "log")
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "log"), str(tmp_path / "copy"), str(number)],
        cwd=Path(__file__).parents[2], check=False, timeout=120,
        env=dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2])),
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    assert size_at(url) == OLD
    LogCopy(tmp_path / "copy", trust()).extend(FolderSource(tmp_path / "log"))
    assert size_at(url) == NEW
