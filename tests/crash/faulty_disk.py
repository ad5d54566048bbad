"""A disk that forgets what was not synced, fails, or is full: ext4 in a file, by a loop device.

Power is cut by ext4's own shutdown without a flush of its journal (as `godown` of xfstests does):
from that moment every call fails with EIO, and the next mount finds what had reached the disk. What
disks themselves hold back after a flush is not played.
"""

import ctypes
import fcntl
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import psutil

from bootstrap.settings import Settings
from tests.crash.serving import Installation, free_port, until

POWER_CUT, DYING, FULL = KINDS = "power cut", "dying disk", "full disk"
SIZE_BYTES = 4 << 30  # sparse: what is not written takes no room

_EXT4_IOC_SHUTDOWN = 0x8004587D
_WITHOUT_FLUSH = 2
_WAIT_SECONDS = 60


def is_playable() -> bool:
    """Whether this account may make and mount a disk."""
    return (
        os.geteuid() == 0
        and Path("/dev/loop-control").exists()
        and shutil.which("mkfs.ext4") is not None
    )


class FaultyDisk:
    """One disk.

    Attributes:
        at: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._image, self.at = folder / "faulty.img", folder / "faulty"
        self._ballast = self.at / "ballast"
        with self._image.open("wb") as image:
            image.truncate(SIZE_BYTES)
        run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))
        self.at.mkdir()
        self.plug_in()

    def plug_in(self) -> None:
        """Mount it, after a cut with the recovery of its journal."""
        run("mount", "-o", "loop", str(self._image), str(self.at))
        self.at.chmod(0o711)

    def unplug(self) -> None:
        """Unmount it, as soon as nobody uses it any more."""
        until(lambda: run("umount", str(self.at), check=False) == 0, "it is in use", _WAIT_SECONDS)

    def cut(self) -> None:
        """Forget what was not synced, and fail from now on."""
        folder = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _EXT4_IOC_SHUTDOWN, ctypes.c_uint32(_WITHOUT_FLUSH))
        finally:
            os.close(folder)

    def fill(self, seconds: float) -> None:
        """Take what room there is, again and again, for some seconds; then give it back."""
        end = time.monotonic() + seconds
        with self._ballast.open("wb") as ballast:
            while time.monotonic() < end:
                self._take(ballast.fileno())
                time.sleep(0.05)
        self._ballast.unlink()

    def _take(self, ballast: int) -> None:
        free = os.statvfs(self.at)
        step = free.f_bavail * free.f_frsize
        while step >= free.f_frsize:
            try:
                os.posix_fallocate(ballast, os.fstat(ballast).st_size, step)
            except OSError:
                step //= 2


class OnFaultyDisk(Installation):
    """An installation whose whole data directory, both servers' too, lies on such a disk."""

    def __init__(self, folder: Path) -> None:
        self.disk = FaultyDisk(folder)
        super().__init__(Settings(data_dir=self.disk.at / "installation", port=free_port()))
        self._log_path = folder / "log"  # survives

    def strike_surely(
        self, kind: str, give_up: threading.Event, *, frozen: float = 0.0
    ) -> int | None:
        """Strike the disk, and after a cut start the machine again.

        Args:
            kind: One of `KINDS`.
            give_up: Not looked at: a disk is always there.
            frozen: Seconds for which it is full, or fails before the machine ends.
        """
        pid = self.process.pid
        if kind == FULL:
            self.disk.fill(frozen)
            return pid
        family = self.family()
        self.disk.cut()
        if kind == DYING:
            time.sleep(frozen)
        self._end(family)
        self.disk.unplug()
        self.disk.plug_in()
        self.start()
        return pid

    def close(self) -> None:
        """End what runs, and take the disk away."""
        if self.starts:
            self._end(self.family() if self.process.poll() is None else [])
        self.disk.unplug()

    def _end(self, family: list[psutil.Process]) -> None:
        """Every process at once, as the loss of power does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(_WAIT_SECONDS)
        until(
            lambda: not any(one.is_running() and one.status() != "zombie" for one in family),
            "processes are left",
            _WAIT_SECONDS,
        )


def run(*words: str, check: bool = True) -> int:
    return subprocess.run(words, check=check, capture_output=True, timeout=_WAIT_SECONDS).returncode
