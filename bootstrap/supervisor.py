"""Runs the parts of one installation and starts each again when it dies.

Parts of our own are forks (`bootstrap.fork`): while the servers start, the supervisor reads the
modules of all of them, once. One thread, no signal handlers: the signals it cares about are blocked
and waited for. When the supervisor itself is killed the kernel ends its parts (`bootstrap.leash`),
and the next one finds a free directory.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from bootstrap import garbage
from bootstrap.embedded.directory import lock_instance, make_data_dir
from bootstrap.errors import BootstrapError, PartFailedError
from bootstrap.fork import Fork
from bootstrap.part import Part

_WAITED_FOR = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ALARM = signal.SIGALRM
_BLOCKED = (*_WAITED_FOR, _ALARM)
_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.01  # while something started in the last seconds ...
_EAGER_SECONDS = 10.0
_PATIENT_SECONDS = 0.2  # ... and after that
_IDLE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_STEADY_SECONDS = 1.0
_FRUITLESS_STARTS = 5
_STOP_SECONDS = 20.0
_STATE_NAME = "supervisor.json"
LOCK_NAME = "supervisor.lock"
"""In a data directory: held by whoever may run parts on it."""

_log = structlog.get_logger("supervisor")


@dataclass
class _Run:
    """What happens to one part."""

    part: Part
    process: subprocess.Popen[bytes] | Fork | None = None
    ready: bool = False
    was_ready: bool = False
    starts: int = 0
    failures: int = 0
    started_at: float = 0.0
    next_start: float = 0.0
    finished: bool = False

    @property
    def pause(self) -> float:
        """Seconds before the next start: doubling, bounded."""
        return float(min(_FIRST_PAUSE_SECONDS * 2 ** (self.failures - 1), _LONGEST_PAUSE_SECONDS))


@dataclass(frozen=True)
class PartState:
    """One part in the state file; pid None while it is not running."""

    pid: int | None
    ready: bool
    starts: int


@dataclass(frozen=True)
class State:
    """What a running supervisor tells; `ready` means that all parts are."""

    pid: int
    ready: bool
    parts: dict[str, PartState] = field(default_factory=dict)


def read_state(data_dir: Path) -> State | None:
    """The state of the installation that runs on this directory; None when none does."""
    try:
        found = json.loads((data_dir / _STATE_NAME).read_bytes())
        os.kill(found["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:  # it lives, as another account
        pass
    parts = {name: PartState(**part) for name, part in found["parts"].items()}
    return State(found["pid"], found["ready"], parts)


class Supervisor:
    """The one supervisor of a data directory, from construction to `close` or process end.

    A part that dies starts again after 0.05 s, doubling to 2 s while it does not live for a
    second. A part that has never been ready and dies five times at once, or one that runs once and
    fails five times, is a mistake of configuration: everything stops.

    Raises:
        DirectoryInUseError: another one runs on this directory.
    """

    def __init__(self, data_dir: Path) -> None:
        self._state_file = make_data_dir(data_dir) / _STATE_NAME
        self._lock = lock_instance(self._state_file.with_name(LOCK_NAME))
        self._state_file.unlink(missing_ok=True)
        self._runs: dict[str, _Run] = {}
        self._written = ""

    def run(self, parts: Sequence[Part], on_ready: Callable[[], None] = lambda: None) -> None:
        """Run the parts until SIGTERM or SIGINT, then stop them in reverse order.

        Must be called from the main thread. A second SIGTERM or SIGINT kills what still stops.

        Args:
            parts: in the order of their start; those they come `after` come first.
            on_ready: called once, when every part has been ready.

        Raises:
            PartFailedError: a part never became ready; the others have been stopped.
        """
        _adopt_orphans()
        self._runs = {part.name: _Run(part) for part in parts}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
        announced = False
        try:
            while True:
                self._step()
                self._write_state()
                if not announced and all(run.was_ready for run in self._runs.values()):
                    announced = True
                    on_ready()
                unread = self._read_one()
                told = _next_signal(0 if unread else self._wait_seconds())
                if told is not None and told != signal.SIGCHLD:
                    _log.info("stopping", signal=told.name)
                    break
        finally:
            self._stop_all()
            self._state_file.unlink(missing_ok=True)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def close(self) -> None:
        """Give the directory up."""
        self._lock.close()

    def _step(self) -> None:
        self._reap_orphans()
        now = time.monotonic()
        for run in self._runs.values():
            if run.finished:
                continue
            if run.process is None:
                if now >= run.next_start and self._may_go(run):
                    self._start(run)
            elif run.process.poll() is not None:
                self._ended(run, run.process)
            elif not run.ready and not run.part.once and run.part.is_ready():
                self._became_ready(run)

    def _read_one(self) -> bool:
        """Read one of the modules that forks will want; whether more are to be read.

        One by one, as a server that is ready meanwhile is waited for by others. A module that
        cannot be read is a mistake of ours, and everything stops.
        """
        unread = [
            module
            for run in self._runs.values()
            for module in run.part.reads
            if module not in sys.modules
        ]
        if unread:
            gc.disable()  # it would look for garbage where there is none: a tenth of the time
            importlib.import_module(unread[0])
            gc.enable()
            garbage.settle()  # what all forks share is looked at, and so copied, by none of them
        return len(unread) > 1

    def _may_go(self, run: _Run) -> bool:
        return all(self._runs[name].was_ready for name in run.part.after) and all(
            module in sys.modules for module in run.part.reads
        )

    def _start(self, run: _Run) -> None:
        run.starts += 1
        run.started_at = time.monotonic()
        try:
            run.process = run.part.launch()
        except (BootstrapError, OSError) as error:
            _log.error("part-not-started", part=run.part.name, reason=str(error))
            self._failed(run)
        else:
            _log.info("part-started", part=run.part.name, pid=run.process.pid, attempt=run.starts)

    def _became_ready(self, run: _Run) -> None:
        run.ready = run.was_ready = True
        seconds = round(time.monotonic() - run.started_at, 3)
        _log.info("part-ready", part=run.part.name, seconds=seconds)

    def _ended(self, run: _Run, process: subprocess.Popen[bytes] | Fork) -> None:
        status = process.returncode
        run.process = None
        run.ready = False
        if run.part.once and status == 0:
            run.finished = True
            self._became_ready(run)
            return
        _log.warning("part-ended", part=run.part.name, status=status)
        self._failed(run)

    def _failed(self, run: _Run) -> None:
        lived = time.monotonic() - run.started_at
        # Whatever runs once has failed, however long it took; the others may have done their work.
        steady = lived > _STEADY_SECONDS and not run.part.once
        run.failures = 1 if steady else run.failures + 1
        run.next_start = time.monotonic() + run.pause
        if not run.was_ready and run.failures >= _FRUITLESS_STARTS:
            raise PartFailedError(run.part.name, run.failures)

    def _wait_seconds(self) -> float:
        waiting = [run for run in self._runs.values() if not run.finished and not run.ready]
        if not waiting:
            return _IDLE_SECONDS
        newest = max(run.started_at for run in waiting)
        return _POLL_SECONDS if time.monotonic() - newest < _EAGER_SECONDS else _PATIENT_SECONDS

    def _reap_orphans(self) -> None:
        """Bury processes whose parents, our parts, died before them; ours are polled."""
        ours = {run.process.pid: run.process for run in self._runs.values() if run.process}
        while True:
            try:
                seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if seen is None:
                return
            if seen.si_pid in ours:
                ours[seen.si_pid].poll()
            else:
                os.waitpid(seen.si_pid, os.WNOHANG)

    def _write_state(self) -> None:
        """Tell pids and readiness; readers see a whole old file or a whole new one.

        A disk that is full or fails ends nobody: it is told at the next step that finds room.
        """
        runs = self._runs.values()
        state = {
            "pid": os.getpid(),
            "ready": all(run.ready for run in runs),
            "parts": {
                run.part.name: {
                    "pid": run.process.pid if run.process else None,
                    "ready": run.ready,
                    "starts": run.starts,
                }
                for run in runs
            },
        }
        text = json.dumps(state, indent=1)
        if text != self._written:
            draft = self._state_file.with_suffix(".new")
            try:
                draft.write_text(text)
                draft.replace(self._state_file)
            except OSError as error:
                _log.warning("state-not-written", reason=error.strerror)
            else:
                self._written = text

    def _stop_all(self) -> None:
        for run in reversed(self._runs.values()):
            if run.process is not None:
                self._stop(run.part, run.process)
                run.process = None
        self._reap_orphans()

    def _stop(self, part: Part, process: subprocess.Popen[bytes] | Fork) -> None:
        process.send_signal(part.stop_signal)
        process.send_signal(signal.SIGCONT)  # a frozen process hears nothing else
        deadline = time.monotonic() + _STOP_SECONDS
        while process.poll() is None:
            left = deadline - time.monotonic()
            told = _next_signal(max(left, 0))
            if told != signal.SIGCHLD:
                process.kill()
                process.wait()
        _log.info("part-stopped", part=part.name, status=process.returncode)


def _next_signal(seconds: float) -> signal.Signals | None:
    """Wait for one of the signals that we care about; None when none came in time.

    Not by `sigtimedwait`: when we were stopped meanwhile and continue past the deadline, CPython's
    returns whatever lay in memory (3.11), such as SIGHUP. An alarm is a signal like the others.
    """
    told: signal.struct_siginfo | None
    if seconds <= 0:
        told = signal.sigtimedwait(_WAITED_FOR, 0)  # that waits for nothing and cannot be stopped
    else:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        told = signal.sigwaitinfo(_BLOCKED)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.sigtimedwait((_ALARM,), 0)  # in case it came as well
    return None if told is None or told.si_signo == _ALARM else signal.Signals(told.si_signo)


def _adopt_orphans() -> None:
    """Become the parent of our parts' orphans, so that they do not stay as zombies."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
