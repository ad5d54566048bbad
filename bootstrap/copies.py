"""Copies of a log that still have what its database has lost: exports, mirrors and the feed."""

from collections.abc import Iterable, Sequence

from client.files import LogFiles
from client.sources import CHECKPOINT, EnvelopesError, Source, blob_path, decode_envelopes
from client.stored_feed import StoredFeed
from ledger.bundle import decode_bundle
from ledger.entry import Entry
from ledger.errors import LedgerError, TileError
from ledger.note import Note
from ledger.store.lost import Copies, Lost
from ledger.tiles import TILE_WIDTH
from ledger.treehead import Checkpoint


class FileCopies:
    """An export in a folder or behind a web server, with envelopes and perhaps sealed values.

    Args:
        source: Where its files are read from.

    Raises:
        LedgerError: If its checkpoint cannot be read.
        OSError: Likewise.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.note = source.read(CHECKPOINT)
        self._size = 0 if self.note is None else Checkpoint.parse(Note.parse(self.note).text).size
        self._files = LogFiles(source, self._size)

    def read(self, first: int, count: int) -> Sequence[Lost]:
        """Return entries from a position on, up to the end of their bundle."""
        index, skipped = divmod(first - 1, TILE_WIDTH)
        raw = self._files.bundle(index) if first <= self._size else None
        if raw is None:
            return []
        try:
            entries = decode_bundle(raw)[skipped : skipped + count]
        except TileError:
            return []
        envelopes = [*self._envelopes(index)[skipped:], *([None] * len(entries))]
        return [
            Lost(position, entry, envelope, self._blobs(entry))
            for position, (entry, envelope) in enumerate(
                zip(entries, envelopes, strict=False), first
            )
        ]

    def _envelopes(self, index: int) -> list[bytes | None]:
        raw = self._files.envelopes(index)
        try:
            return [] if raw is None else list(decode_envelopes(raw))
        except EnvelopesError:
            return []

    def _blobs(self, raw: bytes) -> dict[str, bytes]:
        try:
            named = [seal.sha256 for seal in Entry.decode(raw).sealed]
        except LedgerError:
            return {}
        found = {digest: self._source.read(blob_path(digest)) for digest in named}
        return {digest: blob for digest, blob in found.items() if blob is not None}


class FeedCopies:
    """The feed's stream, which has entries without their envelopes.

    Args:
        stored: What reads it.
    """

    def __init__(self, stored: StoredFeed) -> None:
        self._stored = stored

    def read(self, first: int, count: int) -> Sequence[Lost]:
        """Return entries from a position on; raises UnavailableError."""
        return [Lost(one.position, one.raw) for one in self._stored.read(first, count)]


class FirstOf:
    """Several copies: each page comes from the first that has it.

    Args:
        copies: Those with envelopes first.
    """

    def __init__(self, copies: Iterable[Copies]) -> None:
        self._copies = tuple(copies)

    def read(self, first: int, count: int) -> Sequence[Lost]:
        """Return entries from a position on; raises as the copies do."""
        for copies in self._copies:
            found = copies.read(first, count)
            if found:
                return found
        return []
