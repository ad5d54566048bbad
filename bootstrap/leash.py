"""Run a program that dies with the process that started it.

`leashed(argv, ...)` wraps a command; run as a file, this module then takes the lock, gives up
root, asks the kernel for a signal at its parent's death and becomes the command by `execv`: no
process stays between. It runs with `-I -S`, so it imports only the standard library's quick
modules and costs about 15 ms. A wrapper and not `preexec_fn`, because that is unsafe in a
process with threads. Linux only (prctl).

A wrapper that has not yet asked when its parent dies sees that and ends instead of starting.
The kernel sends the signal when the *thread* that started the child ends: start children from a
thread that lives as long as they should.
"""

import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOCK_PATIENCE_SECONDS = 60.0
_OUTPUT_LIMIT_BYTES = 8 << 20
_PARENT_GONE = 3
_LOCK_TAKEN = 4


def leashed(
    argv: Sequence[str],
    *,
    death_signal: signal.Signals,
    account: tuple[int, int] | None = None,
    lock: Path | None = None,
    output: Path | None = None,
) -> list[str]:
    """Wrap a command so that it dies with this process.

    Args:
        argv: the command; its first word is an absolute path.
        death_signal: what the command gets when this process ends in any way.
        account: uid and gid to become; None stays what it is.
        lock: a file locked for as long as the command *or any child of it* lives.
        output: a file that takes stdout and stderr; None shares those of this process.
    """
    who = f"{account[0]}:{account[1]}" if account else ""
    words = (os.getpid(), int(death_signal), who, lock or "", output or "")
    return [sys.executable, "-I", "-S", __file__, *map(str, words), *argv]


def die_with(parent: int, death_signal: int) -> None:
    """Ask for the signal at the parent's end, then look whether it ended before we asked.

    Raises:
        SystemExit: It did.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(_PARENT_GONE)


def _hold(lock: str) -> None:
    """Lock a file on a descriptor that the command and its children inherit."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit(_LOCK_TAKEN)
            time.sleep(0.01)
    os.set_inheritable(descriptor, True)


def _redirect(output: str) -> None:
    """Send stdout and stderr to the end of a file; an overgrown file starts anew."""
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.fstat(descriptor).st_size > _OUTPUT_LIMIT_BYTES:
        os.ftruncate(descriptor, 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _become(account: str) -> None:
    """Give up root for good."""
    uid, gid = map(int, account.split(":"))
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def main(words: Sequence[str]) -> None:
    """Become the command in `words`, as `leashed` laid them out."""
    parent, death_signal, account, lock, output, *command = words
    die_with(int(parent), signal.SIGKILL)  # while waiting for the lock
    os.umask(0o077)
    if output:
        _redirect(output)
    if lock:
        _hold(lock)
    if account:
        _become(account)
    # Neither a mask of our parent nor what Python ignores may reach the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    die_with(int(parent), int(death_signal))  # again: changing the account cleared it
    os.execv(command[0], command)  # noqa: S606  no shell is wanted here


if __name__ == "__main__":
    main(sys.argv[1:])
