"""The bundles of a log as a source has them, and how much of them is verified."""

from collections.abc import Sequence
from dataclasses import dataclass

from client.checking import ENVELOPE
from client.errors import RefutedError
from client.files import LogFiles
from client.sources import EnvelopesError, Source, blob_path, decode_envelopes
from ledger.bundle import decode_bundle
from ledger.errors import TileError
from ledger.tiles import TILE_WIDTH
from ledger.treehead import Checkpoint

TREE = 2


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is verified.

    Attributes:
        envelopes: Whether the authors' envelopes must be there and hold.
        blobs: Whether sealed values are looked for.
        known: Checkpoints of this log that the caller has verified earlier.
        entries: Whether entries are judged at all; else their hashes alone, without envelopes.
    """

    envelopes: bool = True
    blobs: bool = False
    known: Sequence[Checkpoint] = ()
    entries: bool = True


@dataclass(frozen=True, slots=True)
class Bundle:
    """Up to 256 entries as they were read, and their envelopes where they are wanted."""

    index: int
    entries: list[bytes]
    envelopes: list[bytes] | None

    @property
    def first(self) -> int:
        """Position of its first entry."""
        return self.index * TILE_WIDTH + 1


class Bundles:
    """Reads bundles, and what stands beside them.

    Args:
        source: Where the log is read from.
        size: Entries of the log.
        extent: How much of it is wanted.
    """

    def __init__(self, source: Source, size: int, extent: Extent) -> None:
        self.files = LogFiles(source, size)
        self.extent = extent
        self._source = source

    def read(self, index: int) -> Bundle:
        """Read a bundle, be it narrower or wider than the log is there.

        Raises:
            RefutedError: If it is none.
            LedgerError, OSError: If the source cannot be read.
        """
        return Bundle(index, self._entries(index), self._envelopes(index))

    def blob(self, digest: str) -> bytes | None:
        """Return a sealed value, None if it is not there."""
        return self._source.read(blob_path(digest))

    def _entries(self, index: int) -> list[bytes]:
        raw = self.files.bundle(index)
        try:
            return [] if raw is None else decode_bundle(raw)
        except TileError as error:
            first = index * TILE_WIDTH + 1
            raise RefutedError(TREE, first, "bundle-malformed", cause=error.message) from error

    def _envelopes(self, index: int) -> list[bytes] | None:
        if not self.extent.envelopes:
            return None
        raw = self.files.envelopes(index)
        try:
            return [] if raw is None else decode_envelopes(raw)
        except EnvelopesError as error:
            first = index * TILE_WIDTH + 1
            raise RefutedError(ENVELOPE, first, "envelopes-malformed") from error
