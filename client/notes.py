"""The notes of a verification in a file: an interrupted one goes on, a later one continues.

    vaxledger verification 1      a line
    SHA-256 of all that follows   a line, 64 hex digits
    where the walk stands         a line of JSON
    streams, writes               records of 20 and 21 bytes

The file is replaced whole and durably, so that a kill leaves the older notes or the newer. It is
bound to log, trust and extent. Its digest finds damage and clumsy edits; whoever can write the file
can also make the digest fit, so it is trusted like one's own notes and belongs where only the
verifier writes.
"""

import json
import os
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from client.bundles import Extent
from client.compact import CompactMap
from client.errors import RefutedError, StateError
from client.trust import Trust
from client.walk import Walk
from ledger.errors import LedgerError

_MAGIC = b"vaxledger verification 1\n"
_DIGEST_LINE_BYTES = 65
_MAX_LINE_BYTES = 1 << 30
_PIECE_RECORDS = 50_000
_SAVING_SHARE = 20
"""Notes are taken so rarely that they cost a twentieth of the time at most."""


class Notes:
    """Notes of one verification.

    Args:
        path: The file; need not exist.
        every: Seconds between two notes at least; 0 takes them before each bundle.
    """

    def __init__(self, path: Path, every: float = 5.0) -> None:
        self.path = path
        self._every = every
        self._bound = ""
        self._next = time.monotonic() + every

    def open(self, walk: Walk, trust: Trust, extent: Extent) -> None:
        """Bind the notes to a verification, and let it go on where they end.

        Raises:
            StateError: If they are damaged, or of another verification.
            RefutedError: If the log is shorter than it was.
            OSError: If the file cannot be read.
        """
        self._bound = _binding(trust, extent)
        try:
            with self.path.open("rb") as file:
                self._load(file, walk)
        except FileNotFoundError:
            return

    def keep(self, walk: Walk, *, is_last: bool) -> None:
        """Write down where the walk stands, between two bundles, if it is time.

        Args:
            walk: The walk.
            is_last: Whether the last bundle comes next: the place where a later run continues.

        Raises:
            OSError: If the file cannot be written.
        """
        if not is_last and time.monotonic() < self._next:
            return
        started = time.monotonic()
        self._save(walk)
        ended = time.monotonic()
        if self._every:
            self._next = ended + max(self._every, _SAVING_SHARE * (ended - started))

    def _save(self, walk: Walk) -> None:
        maps = (walk.audit.versions, walk.audit.writes)
        facts = {"bound": self._bound, "records": [len(one) for one in maps], **walk.remember()}
        line = json.dumps(facts).encode() + b"\n"
        digest = sha256()
        draft = self.path.with_name(f".{self.path.name}.new")
        with draft.open("wb") as file:
            file.write(_MAGIC + bytes(_DIGEST_LINE_BYTES))
            for piece in chain((line,), *(one.records() for one in maps)):
                digest.update(piece)
                file.write(piece)
            file.seek(len(_MAGIC))
            file.write(digest.hexdigest().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        # A kill up to here leaves the older notes, from the rename on the newer.
        draft.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _load(self, file: BinaryIO, walk: Walk) -> None:
        if file.readline(len(_MAGIC)) != _MAGIC:
            raise StateError("This file is not the state of a verification.")
        digest, said = sha256(), file.readline(_DIGEST_LINE_BYTES)
        start = file.tell()
        while piece := file.read(1 << 20):
            digest.update(piece)
        if digest.hexdigest().encode() + b"\n" != said:
            raise StateError("The state file is damaged.")
        file.seek(start)
        try:
            self._recall(file, walk)
        except (StateError, RefutedError):
            raise
        except (LedgerError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise StateError("The state file is malformed.") from error

    def _recall(self, file: BinaryIO, walk: Walk) -> None:
        facts = json.loads(file.readline(_MAX_LINE_BYTES))
        if facts["bound"] != self._bound:
            raise StateError("The state is of another log, trust or extent.")
        walk.recall(facts)
        maps = (walk.audit.versions, walk.audit.writes)
        for number, into in zip(facts["records"], maps, strict=True):
            for records in _pieces(file, number * into.record_bytes, into):
                into.load(records)


def _pieces(file: BinaryIO, size: int, into: CompactMap) -> Iterator[bytes]:
    """Yield whole records, many at a time."""
    while size:
        piece = file.read(min(size, _PIECE_RECORDS * into.record_bytes))
        if not piece:
            raise StateError("The state file is cut off.")
        size -= len(piece)
        yield piece


def _binding(trust: Trust, extent: Extent) -> str:
    """Return a digest of everything that decides what a verification says."""
    known: list[Any] = sorted([one.size, one.root.hex()] for one in extent.known)
    depth = [extent.entries, extent.envelopes, extent.blobs]
    parts = [trust.origin, trust.policy.encode().hex(), depth, known]
    return sha256(json.dumps(parts).encode()).hexdigest()
