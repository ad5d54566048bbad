"""One program that runs as a child of ours."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import ServerStartError
from bootstrap.leash import leashed

_GO = b"go\n"

_LAST_WORDS_CHARACTERS = 2000


def _nothing() -> None:
    """Prepare nothing."""


def stand_by() -> None:
    """Wait until our supervisor lets us go on; leave if it has ended."""
    if sys.stdin.buffer.readline() != _GO:
        sys.exit(0)


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Let a part go on that stands by; that it died meanwhile is seen soon."""
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as line:
        line.write(_GO)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A named program: how to start it, when it is ready, how to stop it.

    Attributes:
        name: unique among the parts of one supervisor; appears in the state file and in logs.
        argv: the command; its first word is an absolute path.
        ready: asked every few milliseconds after a start until it says True; it must answer
            within about a second and may raise OSError for "not yet". For a part that runs
            `once`, leaving with status 0 is readiness and this is not asked.
        stop_signal: asks for an orderly end.
        after: names of parts that must have been ready before this one starts.
        stands_by: starts before those, reads what it needs, and then waits in `stand_by`.
        once: runs to its end instead of for ever (migrations).
        prepare: called before every start, for instance to remove what a SIGKILL left behind.
        env: the whole environment of the program; None passes ours on.
        account: uid and gid to run as, when we are root.
        lock: locked for as long as the program or any child of it lives.
        output: takes stdout and stderr; None shares ours.
        death_signal: what the program gets when we die in any way, SIGKILL included.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    after: tuple[str, ...] = ()
    stands_by: bool = False
    once: bool = False
    prepare: Callable[[], None] = _nothing
    env: Mapping[str, str] | None = None
    account: tuple[int, int] | None = None
    lock: Path | None = None
    output: Path | None = None
    death_signal: signal.Signals = signal.SIGKILL

    def launch(self) -> subprocess.Popen[bytes]:
        """Prepare and start; call from a thread that lives as long as the program should.

        The program leads a process group of its own, so that Ctrl-C in a terminal reaches only
        us and we stop the parts in order.
        """
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
            stdin=subprocess.PIPE if self.stands_by else subprocess.DEVNULL,
            cwd="/" if self.account else None,
            process_group=0,
        )

    def is_ready(self) -> bool:
        """Ask `ready`; a refused connection is a plain no."""
        try:
            return self.ready()
        except OSError:
            return False


class Child:
    """A part that runs as a child of this process, without a supervisor."""

    def __init__(self, part: Part) -> None:
        self._part = part
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
        self._process = process = self._part.launch()
        deadline = time.monotonic() + patience
        while not self._part.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerStartError(self._part.name, self._last_words())
            time.sleep(0.005)

    def stop(self, patience: float) -> None:
        """Ask it to stop; kill it when it has not after `patience` seconds."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(self._part.stop_signal)
        process.send_signal(signal.SIGCONT)  # a frozen process hears nothing else
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        output = self._part.output
        if output is None or not output.exists():
            return ""
        return output.read_text(errors="replace")[-_LAST_WORDS_CHARACTERS:]
