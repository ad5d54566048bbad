"""The newest checkpoint in a file outside the database.

A database restored from a backup is consistent in itself and knows nothing of what was signed
since; this file remembers.
"""

from collections.abc import Callable
from pathlib import Path

from ledger.store.guarded_file import GuardedFile

_MODE = 0o644  # a checkpoint is public


class OutsideFile:
    """A file that holds one signed checkpoint and is replaced whole.

    Args:
        path: The file; beside it lie ``<name>.new`` and ``<name>.lock``.
        at: Called at named points, where tests make it fail.
    """

    def __init__(self, path: Path, at: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self._file = GuardedFile(path, _MODE, at)

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
        with self._file.locked():
            present = self.read()
            if present != note:
                if present is not None:
                    check_present(present)
                self._file.replace(note)
            # Also for a note that was there: whoever renamed it may have died before this.
            self._file.settle()
