"""The shred list: whose keys were destroyed, in a file outside all databases.

A database restored from a backup has the destroyed keys again and knows nothing of it; this file
remembers. It holds random handles and digests of ciphertext, nothing personal.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.store.errors import ShredListUnreadable
from ledger.store.guarded_file import GuardedFile

_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Shred:
    """What one decision destroyed.

    Attributes:
        record: The stream that was shredded.
        position: Where the log says so.
        persons: Handles whose keys are destroyed.
        streams: All streams about the record, itself among them.
        blobs: SHA-256 in hex of sealed values that go although their person is kept.
    """

    record: UUID
    position: int
    persons: tuple[UUID, ...]
    streams: tuple[UUID, ...]
    blobs: tuple[str, ...]

    def line(self) -> str:
        """Return the line of the file."""
        return json.dumps(asdict(self), default=str, separators=(",", ":"), sort_keys=True)

    @classmethod
    def parse(cls, line: str) -> "Shred":
        """Read a line; raises ValueError, KeyError or TypeError where it is none."""
        members: dict[str, Any] = json.loads(line)
        for digest in members["blobs"]:
            bytes.fromhex(digest)
        return cls(
            UUID(members["record"]),
            int(members["position"]),
            tuple(UUID(person) for person in members["persons"]),
            tuple(UUID(stream) for stream in members["streams"]),
            tuple(members["blobs"]),
        )


class ShredList:
    """The file; it only ever grows.

    Args:
        path: The file; beside it lie ``<name>.new`` and ``<name>.lock``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = GuardedFile(path, _MODE)

    def read(self) -> tuple[Shred, ...]:
        """Return what was destroyed, in the order of the decisions to carry it out.

        Raises:
            ShredListUnreadable: If a line is not what was written.
        """
        try:
            lines = self._path.read_text().splitlines()
        except FileNotFoundError:
            return ()
        shreds = []
        for number, line in enumerate(lines, 1):
            try:
                shreds.append(Shred.parse(line))
            except (ValueError, KeyError, TypeError) as error:
                raise ShredListUnreadable(str(self._path), number) from error
        return tuple(shreds)

    def add(self, shred: Shred) -> None:
        """Add a line durably: on return it survives a loss of power. Twice is once.

        A crash leaves the old list or the new one, never a part of either.

        Raises:
            ShredListUnreadable: See ``read``; nothing is changed then.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.locked():
            known = self.read()
            if shred in known:
                return
            self._file.replace("".join(f"{one.line()}\n" for one in (*known, shred)).encode())
            self._file.settle()
