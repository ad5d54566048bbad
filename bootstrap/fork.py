"""A child that goes on from what this process has read already.

Reading our modules costs a second of CPU and more; a forked child has them at once and shares their
memory with all the others. It is told apart in the process table by its name (`ps -o comm`).
"""

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

from bootstrap.leash import die_with

_PR_SET_NAME = 15
_FIRST_OWN_DESCRIPTOR = 3


def run_module(words: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Do in this process what `python -m` does with these words; leaves by SystemExit."""
    os.environ.clear()  # noqa: TID251 - it is a new process's, and read by its settings
    os.environ.update(environment)  # noqa: TID251
    sys.argv = list(words)
    sys.modules.pop(f"{words[0]}.__main__", None)  # read already; it would be warned of
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


class Fork:
    """One forked child, with as much of `subprocess.Popen` as its supervisor needs.

    It leads a process group of its own, dies with the thread that made it, has no descriptor of
    ours but the standard ones, and neither our signal mask nor what we read from standard input.
    Only a process without other threads may make one.

    Args:
        name: For the process table; the kernel keeps 15 bytes of it.
        work: What the child does; its status is 0 when this returns, 1 when it raises.
    """

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(_live(name, parent, work))

    def poll(self) -> int | None:
        """The status it left with, negative for a signal; None while it lives."""
        return self._look(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for its end and return its status."""
        return self._look(0)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _look(self, options: int) -> int | None:
        if self.returncode is None:
            found, status = os.waitpid(self.pid, options)
            if found:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _live(name: str, parent: int, work: Callable[[], object]) -> int:
    """The child's whole life; returns its status."""
    status = 1
    try:
        die_with(parent, signal.SIGKILL)
        _become_a_process_of_its_own(name)
        work()
        status = 0
    except SystemExit as ended:
        status = _status_of(ended)
    except BaseException as error:  # noqa: BLE001 - nobody is above us; as the interpreter would
        sys.excepthook(type(error), error, error.__traceback__)
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return status


def _become_a_process_of_its_own(name: str) -> None:
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    # A lock of our parent's that stayed open here would outlive it.
    os.closerange(_FIRST_OWN_DESCRIPTOR, os.sysconf("SC_OPEN_MAX"))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _status_of(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    if isinstance(ended.code, int):
        return ended.code
    print(ended.code, file=sys.stderr)  # noqa: T201 - as the interpreter would
    return 1
