"""Copying a log into a folder of files that any web server can serve (C2SP tlog-tiles).

    checkpoint                     the newest signed note, written last
    tile/<L>/<N>[.p/<W>]           hash tiles
    tile/entries/<N>[.p/<W>]       entry bundles
    envelopes/<N>[.p/<W>]          the authors' envelopes of the same entries
    blobs/<first two>/<digest>     sealed values, only in an operator's copy
    log-keys                       the history of the log's keys, once they were rotated
    log.vkey                       the policy that the copy was made under

A public copy has no entries and no envelopes: these need a token, the rest does not.

Incremental: what an older checkpoint in the folder covers is not read again, and the newer one
must extend it. Crash point: until ``checkpoint`` is replaced the folder is its old self, with some
files that the next run writes again.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from client.errors import ClientError, RefutedError, TrustError
from client.files import LogFiles
from client.key_history import LOG_KEYS
from client.log_keys import follow_keys
from client.sources import (
    CHECKPOINT,
    TRUST_FILE,
    FolderSource,
    Source,
    blob_path,
    envelopes_path,
)
from client.trust import Trust
from client.verify import KNOWN, SIGNED, TREE, Progress
from ledger.bundle import decode_bundle
from ledger.entry import Entry
from ledger.errors import NoteError
from ledger.frontier import Frontier
from ledger.hashing import HASH_BYTES
from ledger.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileReader,
    entries_path,
    tile_path,
    tile_width,
)
from ledger.treehead import Checkpoint


@dataclass(frozen=True, slots=True)
class Copied:
    """What a run has done: sizes of the copy before and after, and files written."""

    before: int
    size: int
    files: int


class EntriesNeededError(ClientError):
    """This copy has entries, so it is extended with entries: that takes a token."""


class LogCopy:
    """A copy of a log in a folder.

    Args:
        folder: Where it lies; made if it is missing.
        trust: Which log is meant, and whose signatures count.
        entries: Whether entries and envelopes are copied; else what is public alone.
        sealed: Whether sealed values are copied too, as far as the source has them.
    """

    def __init__(
        self, folder: Path, trust: Trust, *, entries: bool = True, sealed: bool = False
    ) -> None:
        self._folder = folder
        self._entries = entries
        self._sealed = sealed
        self._trust = trust
        self._files = 0

    def extend(self, source: Source, progress: Progress = lambda _done, _size: None) -> Copied:
        """Bring the copy up to the source's newest checkpoint.

        The tiles are checked against the signed root; entries and envelopes are copied as they
        are, and ``client.verify`` says whether they hold.

        Args:
            source: Where the log is read from.
            progress: Told how many entries of how many are copied.

        Raises:
            RefutedError: If a checkpoint is not trusted, the source does not extend the copy, or
                it lacks a file that its own checkpoint promises.
            EntriesNeededError: If the copy has entries and is to be extended without.
            OSError: If a file cannot be written.
        """
        old = self._checkpoint(FolderSource(self._folder))
        note = source.read(CHECKPOINT)
        self._trust = self._trusted_now(source, note)
        new = self._judge(note)
        if new is None or note is None:
            raise RefutedError(SIGNED, None, "checkpoint-missing")
        before = 0 if old is None else old.size
        if new.size < before:
            raise RefutedError(KNOWN, None, "rolled-back", size=new.size, known=before)
        files = LogFiles(source, new.size)
        self._check_growth(files, old, new)
        self._files = 0
        has_entries = self._has_entries(before)
        if self._entries:
            first = before // TILE_WIDTH if has_entries else 0
            for index in range(first, -(-new.size // TILE_WIDTH)):
                self._copy_bundle(source, files, index, new.size)
                progress(min((index + 1) * TILE_WIDTH, new.size), new.size)
        elif has_entries:
            raise EntriesNeededError
        for level, index in _new_tiles(before, new.size):
            path = tile_path(level, index, tile_width(level, index, new.size))
            self._write(path, _required_tile(files, level, index, new.size))
        self._write(TRUST_FILE, self._trust.policy.encode())
        history = source.read(LOG_KEYS)
        if history:
            self._write(LOG_KEYS, history)
        # Everything the checkpoint promises is durable before it is.
        self._write(CHECKPOINT, note)
        self._drop_partials(before, new.size)
        return Copied(before, new.size, self._files)

    def _has_entries(self, size: int) -> bool:
        """Whether the copy has entries up to its size: the last bundle is written last."""
        last = (size - 1) // TILE_WIDTH
        return size > 0 and LogFiles(FolderSource(self._folder), size).bundle(last) is not None

    def _copy_bundle(self, source: Source, files: LogFiles, index: int, size: int) -> None:
        """Write up to 256 entries, and what stands beside them."""
        width = tile_width(ENTRIES, index, size)
        bundle, envelopes = files.bundle(index), files.envelopes(index)
        path = envelopes_path(index, width)
        self._write(path, _required(path, envelopes, index))
        path = entries_path(index, width)
        self._write(path, _required(path, bundle, index))
        if self._sealed:
            self._copy_blobs(source, bundle or b"")

    def _copy_blobs(self, source: Source, bundle: bytes) -> None:
        """Write the sealed values of a bundle's entries that are not there yet."""
        for raw in decode_bundle(bundle):
            for seal in Entry.decode(raw).sealed:
                path = blob_path(seal.sha256)
                if not (self._folder / path).exists():
                    blob = source.read(path)
                    if blob is not None:
                        self._write(path, blob)

    def _trusted_now(self, source: Source, note: bytes | None) -> Trust:
        """Follow the log's keys where the newest checkpoint is signed by later ones."""
        try:
            if note is not None:
                self._trust.judge(note)
        except NoteError:
            return follow_keys(self._trust, source)
        return self._trust

    def _checkpoint(self, source: Source) -> Checkpoint | None:
        return self._judge(source.read(CHECKPOINT))

    def _judge(self, note: bytes | None) -> Checkpoint | None:
        if note is None:
            return None
        try:
            return self._trust.judge(note).checkpoint
        except (NoteError, TrustError) as error:
            cause = error.message
            raise RefutedError(SIGNED, None, "checkpoint-not-trusted", cause=cause) from error

    def _check_growth(self, files: LogFiles, old: Checkpoint | None, new: Checkpoint) -> None:
        """Grow the copy's own tree by the source's new leaf hashes; it must get the new root."""
        frontier = Frontier()
        if old is not None:
            own = LogFiles(FolderSource(self._folder), old.size)
            reader = TileReader(old.size, lambda level, index, _: own.tile(level, index) or b"")
            frontier = reader.frontier()
        for index in range(frontier.size // TILE_WIDTH, -(-new.size // TILE_WIDTH)):
            tile = _required_tile(files, 0, index, new.size)
            start = (frontier.size - index * TILE_WIDTH) * HASH_BYTES
            frontier.extend(tile[at : at + 32] for at in range(start, len(tile), HASH_BYTES))
        if (frontier.size, frontier.root()) != (new.size, new.root):
            reason = "root-differs" if old is None else "forked"
            raise RefutedError(TREE if old is None else KNOWN, None, reason, size=new.size)

    def _write(self, path: str, content: bytes) -> None:
        """Replace a file durably; a reader sees the old one or the new one."""
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._files += 1

    def _drop_partials(self, before: int, size: int) -> None:
        """Remove partial files whose full ones are there now; until then they are served on."""
        if before % TILE_WIDTH and size // TILE_WIDTH > before // TILE_WIDTH:
            index = before // TILE_WIDTH
            for path in (entries_path(index), envelopes_path(index)):
                shutil.rmtree(self._folder / f"{path}.p", ignore_errors=True)
        level = 0
        while before >> TILE_HEIGHT * level:
            index, rest = divmod(before >> TILE_HEIGHT * level, TILE_WIDTH)
            if rest and (size >> TILE_HEIGHT * level) // TILE_WIDTH > index:
                shutil.rmtree(self._folder / f"{tile_path(level, index)}.p", ignore_errors=True)
            level += 1


def _new_tiles(before: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of each tile that is new or wider."""
    level = 0
    while size >> TILE_HEIGHT * level:
        first = (before >> TILE_HEIGHT * level) // TILE_WIDTH
        count = -(-(size >> TILE_HEIGHT * level) // TILE_WIDTH)
        for index in range(first, count):
            yield level, index
        level += 1


def _required_tile(files: LogFiles, level: int, index: int, size: int) -> bytes:
    """Return a tile that is as wide as it should be."""
    width = tile_width(level, index, size)
    bundle = index << TILE_HEIGHT * level
    path = tile_path(level, index, width)
    tile = _required(path, files.tile(level, index), bundle)
    if len(tile) != width * HASH_BYTES:
        reason = "tile-cut-off" if len(tile) < width * HASH_BYTES else "tile-too-long"
        raise RefutedError(TREE, bundle * TILE_WIDTH + 1, reason, path=path)
    return tile


def _required(path: str, content: bytes | None, bundle: int) -> bytes:
    if content is None:
        raise RefutedError(TREE, bundle * TILE_WIDTH + 1, "file-missing", path=path)
    return content
