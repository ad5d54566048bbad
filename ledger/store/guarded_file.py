"""A file that one process at a time replaces whole, and that survives a loss of power."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class GuardedFile:
    """The file; beside it lie ``<name>.new`` and ``<name>.lock``.

    Args:
        path: The file.
        mode: Who may read it.
        at: Called at named points, where tests make it fail.
    """

    def __init__(self, path: Path, mode: int, at: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self._mode = mode
        self._new = path.with_name(f"{path.name}.new")
        self._lock = path.with_name(f"{path.name}.lock")
        self._at = at

    def replace(self, raw: bytes) -> None:
        """Replace the file, under ``locked``; readers see the old one or the new one."""
        descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        self._at("file written")
        # A crash up to here leaves the old file, from the rename on the new one, never a part of
        # either. Which it is, whoever starts next finds out.
        self._new.rename(self.path)
        self._at("file renamed")

    def settle(self) -> None:
        """Let a rename survive a loss of power, also one of somebody who died after it."""
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from replacing it."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, self._mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
