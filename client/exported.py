"""The entries of an export, in their order: what anything derived can be rebuilt from."""

from collections.abc import Sequence
from datetime import datetime

from client.bundles import TREE
from client.errors import RefutedError
from client.files import LogFiles
from client.sources import Source
from ledger.bundle import decode_bundle
from ledger.entry import Entry
from ledger.hashing import leaf_hash
from ledger.tiles import TILE_WIDTH
from ledger.treehead import Checkpoint


class ExportedEntries:
    """Entries of a verified log as files; reads a bundle at a time.

    Args:
        source: Where its files are read from.
        checkpoint: How far it goes.
    """

    def __init__(self, source: Source, checkpoint: Checkpoint) -> None:
        self._files = LogFiles(source, checkpoint.size)
        self._size = checkpoint.size

    def published(self) -> int:
        """Return the number of entries under the checkpoint."""
        return self._size

    def entries(self, first: int, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
        """Return up to `limit` entries from a position on: position, entry and leaf hash.

        Raises:
            RefutedError: If a bundle is not there.
            TileError: If it is none.
        """
        found: list[tuple[int, bytes, bytes]] = []
        last = min(first + limit - 1, self._size)
        while first <= last:
            index, offset = divmod(first - 1, TILE_WIDTH)
            raw = self._files.bundle(index)
            entries = [] if raw is None else decode_bundle(raw)[offset : offset + last - first + 1]
            if not entries:
                raise RefutedError(TREE, first, "entry-missing")
            found += [(at, entry, leaf_hash(entry)) for at, entry in enumerate(entries, first)]
            first += len(entries)
        return found

    def known_at(self, moment: datetime) -> int:
        """Return the last position whose running maximum of recorded_at is not after a moment.

        Raises:
            LedgerError: As above.
        """
        for index in range(-(-self._size // TILE_WIDTH)):
            for position, raw, _ in self.entries(index * TILE_WIDTH + 1, TILE_WIDTH):
                if Entry.decode(raw).recorded_at > moment:
                    return position - 1
        return self._size
