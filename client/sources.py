"""Where a log is read from to verify or to copy it: a folder, a server, or a store's reader.

All give the same files by the same paths: those of C2SP tlog-tiles, and beside each entry bundle
``envelopes/<N>[.p/<W>]`` with the authors' envelopes of its entries in their order, each after its
length in four bytes, big endian.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Protocol, Self

import httpx

from client.errors import ClientError, ProblemError, UnavailableError
from client.exchange import NOT_FOUND
from client.http import Caller, Client
from client.key_history import LOG_KEYS, encode_history
from ledger.bundle import encode_bundle
from ledger.entry import Entry
from ledger.errors import EntryError
from ledger.hashing import HASH_BYTES
from ledger.tiles import (
    ENTRIES,
    TILE_WIDTH,
    entries_path,
    parse_entries_path,
    parse_tile_path,
)

CHECKPOINT = "checkpoint"
TRUST_FILE = "log.vkey"
LENGTH_BYTES = 4
"""Of the length before each envelope."""

_BUNDLES = "tile/entries/"
_BLOBS = "blobs/"


class EnvelopesError(ClientError):
    """This is not a bundle of envelopes."""


class Source(Protocol):
    """A log as files; what it has not is None, what cannot be read raises."""

    def read(self, path: str) -> bytes | None:
        """Return a file by its path below the log's prefix."""


def envelopes_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of the envelopes beside an entry bundle, such as ``envelopes/x001/000``."""
    return f"envelopes/{entries_path(index, width).removeprefix(_BUNDLES)}"


def blob_path(digest: str) -> str:
    """Return the path of a sealed value, where a copy holds them."""
    return f"{_BLOBS}{digest[:2]}/{digest}"


def encode_envelopes(envelopes: Iterable[bytes]) -> bytes:
    """Return envelopes as a bundle."""
    return b"".join(len(one).to_bytes(LENGTH_BYTES, "big") + one for one in envelopes)


def decode_envelopes(raw: bytes) -> list[bytes]:
    """Read a bundle of envelopes.

    Raises:
        EnvelopesError: If it is cut off or holds more than 256.
    """
    envelopes: list[bytes] = []
    start = 0
    while start < len(raw):
        body = start + LENGTH_BYTES
        end = body + int.from_bytes(raw[start:body], "big")
        if end > len(raw) or len(envelopes) == TILE_WIDTH:
            raise EnvelopesError(envelopes=len(envelopes))
        envelopes.append(raw[body:end])
        start = end
    return envelopes


class FolderSource:
    """A log as an export left it.

    Args:
        folder: The folder that holds ``checkpoint``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes | None:
        """Return a file, None if there is none; raises OSError where it cannot be read."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None


class HttpSource:
    """A log as its server shows it; a context manager, for it holds connections.

    Args:
        caller: Where, and with which token: entries and envelopes are not public.
    """

    def __init__(self, caller: Caller) -> None:
        self._client = Client(caller)

    def __reduce__(self) -> tuple[type[Self], tuple[Caller]]:
        """Cross to another process as who calls which log, with connections of its own there."""
        return type(self), (self._client.caller,)

    def read(self, path: str) -> bytes | None:
        """Return a file, None if the server has none.

        Raises:
            ProblemError: If the server refused it.
            UnavailableError: If it did not answer usefully.
        """
        try:
            return self._client.request("GET", f"/{path}").content
        except ProblemError as problem:
            if problem.status == NOT_FOUND:
                return None
            raise
        except httpx.HTTPError as error:
            raise UnavailableError(path=path, reason=str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StoredLog(Protocol):
    """What is read of a store: the published log, its tiles and the authors' envelopes."""

    def checkpoint(self) -> tuple[int, bytes]:
        """Return size and note of the newest published checkpoint."""

    def entries(self, first: int, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
        """Return position, entry and leaf hash from a position on."""

    def envelopes(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Return envelopes by their SHA-256 in hex, missing ones left out."""

    def blobs(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Return sealed values by their SHA-256 in hex, erased ones left out."""

    def tiles(self, coordinates: Iterable[tuple[int, int]]) -> Mapping[tuple[int, int], bytes]:
        """Return stored tiles by level and index."""

    def log_key_entries(self) -> Sequence[tuple[int, bytes]]:
        """Return position and bytes of each entry about log keys."""

    def inclusion_proof(self, index: int, size: int) -> Sequence[bytes]:
        """Return the hashes that prove a leaf in the tree of a size."""


class StoreSource:
    """A log as its own database holds it.

    Args:
        log: The store's reader.
    """

    def __init__(self, log: StoredLog) -> None:
        self._log = log

    def read(self, path: str) -> bytes | None:
        """Return the file that a server would show under a path, made of what is stored.

        Raises:
            LedgerError: If the path is none of a log, or the store does not answer.
        """
        if path == CHECKPOINT:
            return self._log.checkpoint()[1]
        if path == LOG_KEYS:
            return encode_history(self._log) or None
        if path.startswith("envelopes/"):
            index, width = parse_entries_path(_BUNDLES + path.removeprefix("envelopes/"))
            return self._envelopes(self._entries(index, width))
        if path.startswith(_BLOBS):
            digest = path.rpartition("/")[2]
            return self._log.blobs([digest]).get(digest)
        level, index, width = parse_tile_path(path)
        if level == ENTRIES:
            entries = self._entries(index, width)
            return encode_bundle(entries) if entries else None
        stored = self._log.tiles([(level, index)]).get((level, index))
        # A row that is too narrow is the log's fault, not that of the reading.
        return None if stored is None else stored[: width * HASH_BYTES]

    def _entries(self, index: int, width: int) -> list[bytes]:
        """Return the entries of a bundle up to the first that is missing."""
        first = index * TILE_WIDTH + 1
        rows = enumerate(self._log.entries(first, width), first)
        return [raw for expected, (position, raw, _) in rows if position == expected]

    def _envelopes(self, entries: Sequence[bytes]) -> bytes | None:
        """Return the envelopes of entries up to the first that has none."""
        digests = []
        for raw in entries:
            try:
                digests.append(Entry.decode(raw).author.envelope)
            except EntryError:  # whoever reads the entry is told
                break
        found = self._log.envelopes(digests)
        known = takewhile(lambda digest: digest in found, digests)
        return encode_envelopes(found[digest] for digest in known) or None
