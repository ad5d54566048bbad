"""The newest checkpoint in a file outside the database.

A database restored from a backup is consistent in itself and knows nothing of what was signed
since; this file remembers.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_MODE = 0o644  # a checkpoint is public


class OutsideFile:
    """A file that holds one signed checkpoint and is replaced whole.

    Args:
        path: The file; beside it lie ``<name>.new`` and ``<name>.lock``.
        at: Called at named points, where tests make it fail.
    """

    def __init__(self, path: Path, at: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self._new = path.with_name(f"{path.name}.new")
        self._lock = path.with_name(f"{path.name}.lock")
        self._at = at

    def read(self) -> bytes | None:
        """Return the note, or None if there is no file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, note: bytes, check_present: Callable[[bytes], None]) -> None:
        """Replace the note durably: on return it survives a loss of power.

        Two processes never write at once, and each looks first at what it replaces.

        Args:
            note: The new note.
            check_present: Is given the note that is there, if it is another one; raises to keep it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            present = self.read()
            if present != note:
                if present is not None:
                    check_present(present)
                self._write(note)
                # A crash up to here leaves the old note, from the rename on the new one, never a
                # part of either. Which it is, the integrator finds out at its next start.
                self._new.rename(self.path)
                self._at("file renamed")
            # Also for a note that was there: whoever renamed it may have died before this.
            _fsync(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)

    def _write(self, note: bytes) -> None:
        descriptor = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        with open(descriptor, "wb") as file:  # noqa: PTH123  it is a descriptor, not a path
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        self._at("file written")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
