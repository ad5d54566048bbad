"""A whole installation as a process of its own, and the ways to strike its parts.

Only processes that this installation's own state file names are ever signalled, and the backends
that are children of its postmaster: each pid is pinned first and then checked for its parent.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from bootstrap.addresses import Addresses
from bootstrap.embedded.postgres import KEYS_OWNER, LOG_OWNER
from bootstrap.settings import Settings
from bootstrap.supervisor import State, read_state

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = (
    "postmaster",
    "backend",
    "nats",
    "api",
    "integrator",
    "projector",
    "publisher",
    "custodian",
    "calendar",
    "witness",
)
KINDS = (*PARTS, "supervisor")
OWN_PROCESSES = ("api", "integrator", "projector", "publisher", "custodian", "calendar", "witness")

PATIENCE_SECONDS = 240.0
_FIRST_PORT, _LAST_PORT, _WORKERS = 8500, 9499, 4
_given: set[int] = set()
_STATE_NAMES = {"postmaster": "postgres", "backend": "postgres"}
_POLL_SECONDS = 0.02


class TooSlowError(AssertionError):
    """What was waited for did not come about in four minutes."""


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> float:
    """Wait for a condition and return how many seconds it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise TooSlowError(what)
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - started


def free_port() -> int:
    """A port of loopback below the range of outgoing connections that nobody listens on.

    No worker of a test run is given the port of another, nor one twice: whoever asked binds later.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = range(_FIRST_PORT + worker % _WORKERS, _LAST_PORT, _WORKERS)
    for port in random.SystemRandom().sample([one for one in own if one not in _given], 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port
    raise AssertionError("no free port")


class Installation:
    """`vaxledger serve` on a data directory and a port of its own.

    Attributes:
        settings: What its environment says.
        folder: Where it is started, and whose packages it runs.
        superuser_urls: Of the log's and of the key database, for counting.
        starts: How often the supervisor was started.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path = REPOSITORY,
        superuser_urls: tuple[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self._superuser_urls = superuser_urls
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._log_path = settings.data_dir.with_suffix(".log")

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    def start(self) -> None:
        """Start the supervisor; it answers some seconds later."""
        self.starts += 1
        with self._log_path.open("ab") as log:
            self._process = self.command("serve", output=log)

    def command(self, *words: str, output: IO[bytes] | int = subprocess.PIPE):
        """Start a command of ours in the folder, with the settings of this installation."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=self.settings.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not subprocess.PIPE else subprocess.PIPE,
        )

    def state(self) -> State | None:
        """What the supervisor tells; None while none runs."""
        return read_state(self.data_dir)

    def is_ready(self) -> bool:
        """Whether every part is; raises when the supervisor has ended by itself."""
        state = self.state()
        if state is None and self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}\n{self.last_words()}")
        return state is not None and state.pid == self.process.pid and state.ready

    def until_ready(self) -> float:
        """Wait until every part is ready; return the seconds."""
        return until(self.is_ready, "the installation is not ready")

    def addresses(self) -> Addresses:
        """Where the running servers are."""
        return Addresses.load(self.data_dir)

    @property
    def superuser_urls(self) -> tuple[str, str]:
        if self._superuser_urls is not None:
            return self._superuser_urls
        url = self.addresses().superuser_url
        assert url is not None, "the servers are not embedded"
        return url, url.replace(f"/{LOG_OWNER}?", f"/{KEYS_OWNER}?")

    def last_words(self, characters: int = 4000) -> str:
        """The end of the log of all parts."""
        return self._log_path.read_text(errors="replace")[-characters:]

    def log(self) -> str:
        """The whole log of all parts."""
        return self._log_path.read_text(errors="replace")

    def pid_of(self, kind: str) -> int | None:
        """The pid of a part now; of a backend, any child of the postmaster."""
        if kind == "supervisor":
            return self.process.pid if self.process.poll() is None else None
        state = self.state()
        part = state.parts.get(_STATE_NAMES.get(kind, kind)) if state else None
        pid = part.pid if part else None
        if pid is None or kind != "backend":
            return pid
        children = children_of(pid)
        return random.choice(children) if children else None

    def strike(self, kind: str, *, frozen: float = 0.0) -> int | None:
        """SIGKILL a part, or SIGSTOP it and SIGCONT it some seconds later.

        Returns:
            The pid; None when it was not running or just ended.
        """
        with self._pinned(kind) as (pid, pinned):
            if pid is None or pinned is None:
                return None
            if not frozen:
                return pid if _told(pinned, signal.SIGKILL) else None
            if not _told(pinned, signal.SIGSTOP):
                return None
            time.sleep(frozen)
            _told(pinned, signal.SIGCONT)
            return pid

    @contextmanager
    def _pinned(self, kind: str) -> Iterator[tuple[int | None, int | None]]:
        """A part's pid and a handle of that very process, whatever the number may mean later."""
        pid = self.pid_of(kind)
        try:
            pinned = os.pidfd_open(pid) if pid is not None else None
        except ProcessLookupError:
            pinned = None
        if pid is None or pinned is None:
            yield None, None
            return
        try:
            ours = parent_of(pid) == self._rightful_parent(kind)
            yield (pid, pinned) if ours else (None, None)
        finally:
            os.close(pinned)

    def strike_surely(
        self, kind: str, give_up: threading.Event, *, frozen: float = 0.0
    ) -> int | None:
        """Strike a part as soon as there is one; a killed supervisor is started again at once.

        Args:
            kind: One of `KINDS`.
            give_up: Set when nothing needs to be struck any more.
            frozen: Seconds from SIGSTOP to SIGCONT; 0 for SIGKILL.

        Returns:
            The pid, or None when it was given up.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not give_up.is_set():
            pid = self.strike(kind, frozen=frozen)
            if pid is not None:
                if kind == "supervisor" and not frozen:
                    self.process.wait()
                    self.start()
                return pid
            if time.monotonic() > deadline:
                raise TooSlowError(f"no {kind} to strike")
            time.sleep(_POLL_SECONDS)
        return None

    @contextmanager
    def rival(self, worker: str) -> Iterator[None]:
        """A second worker of a kind, beside the supervised one, until the end of the block."""
        environment = self.addresses().settings(self.settings).environment()
        with self._log_path.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "workers", worker],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            yield
            assert process.poll() is None, f"the rival gave up\n{self.last_words()}"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """SIGTERM, and wait for the end; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE_SECONDS)
            finally:
                if self.process.poll() is None:
                    self.process.kill()  # its parts end with it
                    self.process.wait()
        return self.process.returncode

    def resident_bytes(self) -> dict[str, int]:
        """Resident memory of each of our own processes, the supervisor among them."""
        sizes = {}
        for kind in (*OWN_PROCESSES, "supervisor"):
            pid = self.pid_of(kind)
            if pid is not None:
                sizes[kind] = psutil.Process(pid).memory_info().rss
        return sizes

    def family(self) -> list[psutil.Process]:
        """The supervisor and all that descends from it."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def _rightful_parent(self, kind: str) -> int | None:
        if kind == "supervisor":
            return os.getpid()
        if kind == "backend":
            return self.pid_of("postmaster")
        return self.process.pid


def _told(pinned: int, number: signal.Signals) -> bool:
    try:
        signal.pidfd_send_signal(pinned, number)
    except ProcessLookupError:
        return False
    return True


def parent_of(pid: int) -> int | None:
    """The pid of a process's parent; None when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    """Pids of a process's living children."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []
