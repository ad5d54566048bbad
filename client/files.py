"""The files of a log, as wide as a tree of some size has them.

C2SP tlog-tiles: a partial file may be gone once the full one is there, which begins with it.
Nothing here judges a file: one that is asked for by its own name comes back as it is.
"""

from collections.abc import Callable

from client.sources import LENGTH_BYTES, Source, envelopes_path
from ledger.bundle import BUNDLE_LENGTH_BYTES
from ledger.hashing import HASH_BYTES
from ledger.tiles import ENTRIES, TILE_BYTES, entries_path, tile_path, tile_width


class LogFiles:
    """What a source holds of a tree; None where it has neither the file nor the full one.

    Args:
        source: Where the log is read from.
        size: Leaves of the tree.
    """

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a hash tile."""
        width = tile_width(level, index, self._size)

        def begin(full: bytes) -> bytes:
            return full if len(full) > TILE_BYTES else full[: width * HASH_BYTES]

        return self._read(tile_path(level, index, width), begin)

    def bundle(self, index: int) -> bytes | None:
        """Return an entry bundle."""
        width = tile_width(ENTRIES, index, self._size)
        path = entries_path(index, width)
        return self._read(path, lambda full: _first_parts(full, width, BUNDLE_LENGTH_BYTES))

    def envelopes(self, index: int) -> bytes | None:
        """Return the envelopes beside an entry bundle."""
        width = tile_width(ENTRIES, index, self._size)
        path = envelopes_path(index, width)
        return self._read(path, lambda full: _first_parts(full, width, LENGTH_BYTES))

    def _read(self, path: str, begin: Callable[[bytes], bytes]) -> bytes | None:
        """Return a file, or what the full one begins with."""
        content = self._source.read(path)
        stem, is_partial, _ = path.partition(".p/")
        if content is not None or not is_partial:
            return content
        full = self._source.read(stem)
        return None if full is None else begin(full)


def _first_parts(raw: bytes, count: int, length_bytes: int) -> bytes:
    """Return the beginning that holds so many parts, each after its length; all if it has fewer."""
    end = 0
    for _ in range(count):
        end += length_bytes + int.from_bytes(raw[end : end + length_bytes], "big")
    return raw[:end]
