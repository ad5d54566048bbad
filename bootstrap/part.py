"""What runs as a child of ours: a program, or a fork."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import ServerStartError
from bootstrap.fork import Fork
from bootstrap.leash import leashed

_LAST_WORDS_CHARACTERS = 2000


@dataclass(frozen=True, kw_only=True)
class Part(ABC):
    """A named child of ours: how to start it, when it is ready, how to stop it.

    Attributes:
        name: unique among the parts of one supervisor; appears in the state file and in logs.
        ready: asked every few milliseconds after a start until it says True; it must answer
            within about a second and may raise OSError for "not yet". For a part that runs
            `once`, leaving with status 0 is readiness and this is not asked.
        stop_signal: asks for an orderly end.
        after: names of parts that must have been ready before this one starts.
        reads: modules that its supervisor reads before it starts.
        once: runs to its end instead of for ever (migrations).
        prepare: called before every start, for instance to remove what a SIGKILL left behind.
    """

    name: str
    ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM
    after: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    once: bool = False
    prepare: Callable[[], None] = lambda: None

    @abstractmethod
    def launch(self) -> subprocess.Popen[bytes] | Fork:
        """Prepare and start; call from a thread that lives as long as the part should.

        It leads a process group of its own, so that Ctrl-C in a terminal reaches only us and we
        stop the parts in order.
        """

    def is_ready(self) -> bool:
        """Ask `ready`; a refused connection is a plain no."""
        try:
            return self.ready()
        except OSError:
            return False


@dataclass(frozen=True, kw_only=True)
class Program(Part):
    """A part that is a command.

    Attributes:
        argv: the command; its first word is an absolute path.
        env: the whole environment of the program; None passes ours on.
        account: uid and gid to run as, when we are root.
        lock: locked for as long as the program or any child of it lives.
        output: takes stdout and stderr; None shares ours.
        death_signal: what the program gets when we die in any way, SIGKILL included.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    account: tuple[int, int] | None = None
    lock: Path | None = None
    output: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL

    def launch(self) -> subprocess.Popen[bytes]:
        """Prepare and start it."""
        self.prepare()
        argv = leashed(
            self.argv,
            death_signal=self.death_signal,
            account=self.account,
            lock=self.lock,
            output=self.output,
        )
        return subprocess.Popen(  # noqa: S603  the words are ours
            argv,
            env=self.env,
            stdin=subprocess.DEVNULL,
            cwd="/" if self.account else None,
            process_group=0,
        )


@dataclass(frozen=True, kw_only=True)
class Forked(Part):
    """A part that is a fork of ours.

    Attributes:
        work: what the fork does.
    """

    work: Callable[[], object]

    def launch(self) -> Fork:
        """Prepare and start it."""
        self.prepare()
        return Fork(self.name, self.work)


class Child:
    """A program that runs as a child of this process, without a supervisor."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The program's pid between `start` and `stop`, dead or alive."""
        return self._process.pid if self._process is not None else None

    def start(self, patience: float) -> None:
        """Start, again if need be and whatever was killed; returns when it is ready.

        Raises:
            ServerStartError: it ended, or was not ready after `patience` seconds.
        """
        self.stop(patience)
        self._process = process = self._program.launch()
        deadline = time.monotonic() + patience
        while not self._program.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerStartError(self._program.name, self._last_words())
            time.sleep(0.005)

    def stop(self, patience: float) -> None:
        """Ask it to stop; kill it when it has not after `patience` seconds."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(self._program.stop_signal)
        process.send_signal(signal.SIGCONT)  # a frozen process hears nothing else
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        output = self._program.output
        if output is None or not output.exists():
            return ""
        return output.read_text(errors="replace")[-_LAST_WORDS_CHARACTERS:]
