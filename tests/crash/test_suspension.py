"""A supervisor that is suspended (Ctrl-Z, a sleeping laptop) wakes up and goes on."""

import os
import signal
import subprocess
import sys
import time
from textwrap import dedent

from tests.crash.serving import REPOSITORY

WAIT = 60
WAITING = dedent("""
    import signal
    from bootstrap import supervisor

    signal.pthread_sigmask(signal.SIG_BLOCK, supervisor._BLOCKED)
    print("waiting", flush=True)
    for _ in range(2):
        print(supervisor._next_signal(0.3), flush=True)
    print(supervisor._next_signal(60), flush=True)
""")


def test_waking_up_after_the_deadline_is_no_signal_to_stop():
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.6)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout.readline() == "None\n"
        assert process.stdout.readline() == "None\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "15\n"
        assert process.wait(WAIT) == 0
