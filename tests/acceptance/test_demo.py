"""`vaxledger demo` as `make demo` runs it: the real command, on a directory of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bootstrap.supervisor import read_state
from tests.days import begin_within_a_day

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 600
WRITES = {
    "admission": 11,
    "records": 300,
    "histories": 5_795,
    "doses": 293,
    "corrections": 20 + 18 + 20,
    "certificates": 10 + 12,
    "checks": 3 * 300,
    "make-ups": 41 + 10 + 18,
}
EVIDENCE = ["tables", "feed", "expectations", "export", "verify", "tamper", "restore"]
MINUTES = 30
"""More than any run of the demo takes."""
GENESIS, EFFECTS = 2, 18
STARTED = []


@pytest.fixture(scope="module")
def place():
    """A directory that PostgreSQL's account may pass through, with a space in its name."""
    begin_within_a_day()
    folder = Path(tempfile.mkdtemp(prefix="vaxledger-tests- "))
    folder.chmod(0o711)
    yield folder
    for one in STARTED:
        one.process.terminate()
        one.process.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def finished(place):
    """What a whole demo says on a machine where its port is taken, and its directory."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = demo(place / "whole", "--port", str(port)).wait_for_end()
    assert done.returncode == 0, done.told
    assert not done.summary["url"].endswith(f":{port}")
    return place / "whole", done.summary


class Running:
    """A demo that runs, with what it says."""

    def __init__(self, data_dir, *words):
        command = [sys.executable, "-m", "cli", "demo", "--data-dir", str(data_dir), "--json"]
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [*command, *words],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if "VAXLEDGER" not in name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.told = ""
        self.summary = {}
        STARTED.append(self)

    @property
    def returncode(self):
        return self.process.returncode

    def wait_until_serving(self, instead_of=None):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            state = read_state(self.data_dir)
            if state is not None and state.ready and state.pid != instead_of:
                return state
            time.sleep(0.05)
        raise AssertionError(self.wait_for_end().told)

    def wait_for_end(self):
        try:
            said, self.told = self.process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            _, self.told = self.process.communicate()
            raise AssertionError(self.told) from None
        if said:
            self.summary = json.loads(said)
        return self


def demo(data_dir, *words):
    return Running(data_dir, *words)


def is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def check_gone(state):
    """Wait until no part is left: a server ends some time after its supervisor was killed."""
    deadline = time.monotonic() + PATIENCE_SECONDS / 10
    while any(is_alive(part.pid) for part in state.parts.values() if part.pid):
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.05)


@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_it_writes_the_whole_school_year_and_proves_it(finished):
    _, summary = finished
    steps = {step["step"]: step for step in summary["steps"]}
    assert list(steps) == ["start", *WRITES, *EVIDENCE]
    assert {name: steps[name]["count"] for name in WRITES} == WRITES
    size = GENESIS + sum(WRITES.values()) + EFFECTS
    # Beside what the demo writes stand the minutes of the access journal, as many as it lasted.
    assert summary["ok"] is True
    assert size <= summary["size"] <= size + MINUTES
    assert steps["certificates"]["refused_grant"].startswith("422 grant_limit")
    assert (steps["feed"]["count"], steps["feed"]["root"]) == (summary["size"], summary["root"])
    assert steps["verify"]["holds"] is True
    assert summary["size"] <= steps["verify"]["envelopes"] <= size + MINUTES
    assert steps["tamper"]["reason"] == "entry-altered"
    assert steps["restore"]["count"] >= summary["size"]
    assert steps["expectations"]["count"] > 100


@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_it_leaves_no_server_behind(finished):
    data_dir, summary = finished
    assert read_state(data_dir) is None
    port = int(summary["url"].rsplit(":", 1)[1])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_kept_data_is_proven_again_without_writing(finished):
    data_dir, summary = finished
    again = demo(data_dir, "--keep").wait_for_end()
    assert again.returncode == 0, again.told
    assert [step["step"] for step in again.summary["steps"]] == ["start", *EVIDENCE]
    assert summary["size"] <= again.summary["size"] <= summary["size"] + MINUTES


@pytest.mark.timeout(PATIENCE_SECONDS + 30)
def test_after_a_kill_the_next_one_starts_and_a_killed_server_is_named_as_the_failure(place):
    first = demo(place / "killed")
    before = first.wait_until_serving()
    first.process.kill()
    first.wait_for_end()
    second = demo(place / "killed")
    state = second.wait_until_serving(instead_of=before.pid)
    check_gone(before)
    os.kill(state.pid, signal.SIGKILL)
    second.wait_for_end()
    assert second.returncode == 1
    assert second.summary["ok"] is False
    assert second.summary["failed"] in {"start", *WRITES}
    assert f"({second.summary['failed']})" in second.told
    check_gone(state)


def test_a_directory_with_something_else_is_left_alone(place):
    folder = place / "other"
    folder.mkdir()
    (folder / "thesis.txt").write_text("the only copy")
    done = demo(folder).wait_for_end()
    assert (done.returncode, done.summary["failed"]) == (1, "start")
    assert "NotADemoError" in done.summary["why"]
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_nothing_can_be_kept_where_no_demo_has_finished(place):
    done = demo(place / "nothing", "--keep").wait_for_end()
    assert (done.returncode, done.summary["failed"]) == (1, "start")
    assert "NothingKeptError" in done.summary["why"]
