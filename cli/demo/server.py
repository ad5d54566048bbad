"""The installation that the demo runs on: a data directory of its own, and `vaxledger serve`."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from bootstrap.addresses import Addresses
from bootstrap.embedded.directory import lock_instance, make_data_dir, wait_until_free
from bootstrap.errors import BootstrapError, DirectoryInUseError
from bootstrap.part import Program
from bootstrap.settings import Settings
from bootstrap.supervisor import LOCK_NAME, read_state

_READY_SECONDS = 240.0
_STOP_SECONDS = 40.0
_POLL_SECONDS = 0.02
_WATCH_SECONDS = 0.2
_SERVER_LOCK = "server.lock"
_LOG = "serve.log"
_MARK = "demo"
_LAST_LINES = 8


class ServerEnded(BootstrapError):
    """The installation of the demo ended; its last words are below."""

    def __init__(self, status: int | None, output: str) -> None:
        super().__init__()
        self.status = status
        self.output = output


class NotADemoError(BootstrapError):
    """This directory holds something else than an earlier demo; choose another."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


class NothingKeptError(BootstrapError):
    """There is no finished demo in this directory to go on with; run it without --keep."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory


class DemoServer:
    """`vaxledger serve` as our child, embedded servers and all.

    Whatever ends us, the kernel ends it too (`bootstrap.leash`).

    Args:
        settings: With the demo's own directory and a free port.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data_dir(self) -> Path:
        """The directory of everything."""
        return self.settings.data_dir

    @property
    def addresses(self) -> Addresses:
        """Where its parts are, once it is ready."""
        return Addresses.load(self.data_dir)

    def make_directory(self, *, keep: bool) -> None:
        """Make the directory, empty unless the last demo's is to be kept.

        Crash point: the mark goes last and comes first, so a directory that was emptied or filled
        halfway is still known as a demo's and is emptied by the next one.

        Raises:
            NotADemoError: It holds something else.
            NothingKeptError: Nothing finished is there to be kept.
            DirectoryInUseError: Another demo runs on it.
        """
        mark = self.data_dir / _MARK
        if self.data_dir.exists() and not mark.exists() and any(self.data_dir.iterdir()):
            raise NotADemoError(self.data_dir)
        if keep:
            if not mark.exists() or not mark.read_text():
                raise NothingKeptError(self.data_dir)
            return
        make_data_dir(self.data_dir)
        mark.touch()
        with _lock_patiently(self.data_dir / LOCK_NAME):
            for server in ("postgres", "nats"):
                if (self.data_dir / server / _SERVER_LOCK).exists():
                    wait_until_free(self.data_dir / server / _SERVER_LOCK)
            for path in self.data_dir.iterdir():
                if path.name not in (_MARK, LOCK_NAME):
                    _remove(path)
            mark.write_text("")

    def note_finished(self) -> None:
        """Note that everything was written, so that `--keep` may go on from here."""
        (self.data_dir / _MARK).write_text("finished\n")

    async def start(self) -> None:
        """Start it and return once every part is ready.

        Raises:
            ServerEnded: It ended, or is not ready after a minute.
        """
        part = Program(
            name="serve",
            argv=(sys.executable, "-m", "cli", "serve"),
            ready=lambda: True,
            env=self.settings.environment(),
            output=self.data_dir / _LOG,
            death_signal=signal.SIGTERM,
        )
        self._process = part.launch()
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            state = read_state(self.data_dir)
            if state is not None and state.pid == self._process.pid and state.ready:
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerEnded(self._process.returncode, self._last_words())
            await asyncio.sleep(_POLL_SECONDS)

    async def watch(self) -> None:
        """Return never.

        Raises:
            ServerEnded: As soon as it has ended.
        """
        assert self._process is not None, "started before it is watched"
        while self._process.poll() is None:  # noqa: ASYNC110  nobody but the kernel knows
            await asyncio.sleep(_WATCH_SECONDS)
        raise ServerEnded(self._process.returncode, self._last_words())

    def stop(self) -> None:
        """Stop it in order; kill it when that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(_STOP_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _last_words(self) -> str:
        log = self.data_dir / _LOG
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join(lines[-_LAST_LINES:])


def free_port(host: str, wanted: int) -> int:
    """Return the wanted port, or one that is free when somebody else has it."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted


def _lock_patiently(path: Path) -> IO[bytes]:
    """Lock the directory as its supervisor does.

    A demo that was killed a moment ago still stops its parts in order: that is waited for.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    while True:
        try:
            return lock_instance(path)
        except DirectoryInUseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_WATCH_SECONDS)


def _remove(path: Path) -> None:
    """Remove a file or a folder, and what a link of ours leads to (see `make_server_home`)."""
    if path.is_symlink():
        target = path.resolve()
        path.unlink()
        shutil.rmtree(target, ignore_errors=True)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
