"""Forks of the supervisor: what they have of it, and what they must not have."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from tests.waiting import eventually

REPOSITORY = Path(__file__).parents[2]

FORKING = dedent("""
    import json, os, signal, sys, time
    from functools import partial
    from bootstrap.fork import Fork, run_module

    def about_me():
        status = dict(
            line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status")
        )
        print(json.dumps({
            "name": status["Name"],
            "blocked": int(status["SigBlk"], 16),
            "leads": os.getpgid(0) == os.getpid(),
            "open": sorted(map(int, os.listdir("/proc/self/fd"))),
            "input": os.readlink("/proc/self/fd/0"),
            "read": "colorsys" in sys.modules,
        }))

    def fail():
        raise ValueError("this way")

    import colorsys
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGCHLD])
""")


def run(script, *words):
    return subprocess.Popen(
        [sys.executable, "-c", FORKING + dedent(script), *words],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said_by(script, *words):
    process = run(script, *words)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return said, errors


def test_a_fork_has_the_modules_and_nothing_else_of_its_parent():
    said, _ = said_by("""
        child = Fork("calendar", about_me)
        assert child.wait() == 0 and child.poll() == 0
    """)
    about = json.loads(said)
    assert about.pop("open") == [0, 1, 2, 3]  # the last is the listing's own
    assert about == {
        "name": "calendar",
        "blocked": 0,
        "leads": True,
        "input": "/dev/null",
        "read": True,
    }


@pytest.mark.parametrize(
    ("work", "status", "words"),
    [
        ("lambda: 7", 0, ""),
        ("sys.exit", 0, ""),
        ("partial(sys.exit, 3)", 3, ""),
        ("partial(sys.exit, 'the reason')", 1, "the reason\n"),
        ("fail", 1, "ValueError: this way\n"),
        ("partial(os.kill, 0, signal.SIGKILL)", -signal.SIGKILL, ""),
    ],
)
def test_how_a_fork_ended_is_told_as_of_any_process(work, status, words):
    said, errors = said_by(f"print(Fork('part', {work}).wait())")
    assert int(said) == status
    assert errors.endswith(words)
    assert bool(errors) == bool(words)


def test_a_fork_that_ended_takes_no_signal_any_more():
    said, _ = said_by("""
        child = Fork("part", lambda: None)
        child.wait()
        child.send_signal(signal.SIGTERM)
        child.kill()
        print(child.returncode)
    """)
    assert said == "0\n"


def test_a_signal_reaches_a_fork():
    said, _ = said_by("""
        child = Fork("part", partial(time.sleep, 60))
        child.send_signal(signal.SIGTERM)
        print(child.wait())
    """)
    assert int(said) == -signal.SIGTERM


def test_forks_end_when_their_parent_is_killed():
    script = """
        child = Fork("part", partial(time.sleep, 600))
        print(child.pid, flush=True)
        child.wait()
    """
    with run(script) as process:
        pid = int(process.stdout.readline())
        process.kill()
    eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")


def test_a_module_runs_as_the_interpreter_would_run_it(tmp_path):
    (tmp_path / "spoken").mkdir()
    (tmp_path / "spoken" / "__main__.py").write_text(
        "import os, sys\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:], os.environ.get('GIVEN'), os.environ.get('HOME'))\n"
        "    sys.exit(4)\n"
    )
    said, errors = said_by(
        """
        sys.path.insert(0, sys.argv[1])
        import spoken.__main__
        os.environ["HOME"] = "ours"
        print(Fork("part", partial(run_module, ("spoken", "word"), {"GIVEN": "so"})).wait())
        """,
        str(tmp_path),
    )
    assert (said, errors) == ("['word'] so None\n4\n", "")
    assert os.environ.get("GIVEN") is None
