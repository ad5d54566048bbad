"""One pass over the bundles of a log: its entries against its tiles, and both against its root."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

from client.audit import Audit
from client.beside import Checked, Checkers
from client.checking import ENVELOPE, Facts
from client.errors import RefutedError, StateError
from client.files import LogFiles
from client.sources import EnvelopesError, Source, blob_path, decode_envelopes
from ledger.bundle import decode_bundle
from ledger.entry import Entry
from ledger.errors import EntryError, LedgerError, TileError
from ledger.frontier import Frontier
from ledger.hashing import leaf_hashes
from ledger.merkle import verify_consistency, verify_inclusion
from ledger.tiles import ENTRIES, TILE_HEIGHT, TILE_WIDTH, TileReader, tile_width
from ledger.tower import ALTERED, Difference, Tower, find_difference
from ledger.treehead import Checkpoint

TREE, KNOWN = 2, 10

_MANY_BUNDLES = 64
"""Below them starting processes takes longer than checking."""
_AHEAD = 4
"""Bundles that are read ahead for each process."""


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


class _Sent(NamedTuple):
    """A bundle that is being checked elsewhere, under the name that the log had when it was sent.

    Where it could not be read it is read again in its turn.
    """

    number: int
    bundle: Bundle | None
    found: Future[Checked | None] | None
    origin: str


class Walk:
    """One pass over the bundles of a log, of which only the checkpoint is believed."""

    def __init__(self, source: Source, checkpoint: Checkpoint, extent: Extent) -> None:
        self.frontier = Frontier()
        self.audit = Audit(checkpoint.origin)
        self._source = source
        self._files = LogFiles(source, checkpoint.size)
        self._checkpoint = checkpoint
        self._extent = extent
        self._known = _in_order(extent.known, checkpoint)
        self._tower = Tower(self._files.tile)

    def bundles(self, checkers: Checkers | None) -> Iterator[tuple[Bundle, Checked | None]]:
        """Yield the bundles that are left in their order, with what was found in them elsewhere."""
        rest = range(self.frontier.size // TILE_WIDTH, -(-self._checkpoint.size // TILE_WIDTH))
        if checkers is None or not self._extent.entries or len(rest) < _MANY_BUNDLES:
            yield from ((self._read(index), None) for index in rest)
            return
        ahead: deque[_Sent] = deque()
        for index in rest:
            ahead.append(self._send(checkers, index))
            if len(ahead) > _AHEAD * checkers.jobs:
                yield self._fetch(ahead.popleft())
        while ahead:
            yield self._fetch(ahead.popleft())

    def take_bundle(self, bundle: Bundle, checked: Checked | None) -> None:
        """Check up to 256 entries, and stop at the first that is wrong."""
        index, entries, envelopes = bundle.index, bundle.entries, bundle.envelopes
        first = index * TILE_WIDTH + 1
        width = tile_width(ENTRIES, index, self._checkpoint.size)
        leaves = leaf_hashes(entries[:width])
        difference = find_difference(self._files.tile(0, index), leaves, width)
        right = len(leaves) if difference is None else difference.place
        if self._extent.entries:
            for position, raw in enumerate(entries[:width][:right], first):
                self._judge(position, raw, envelopes, checked)
        if difference is not None and right < len(leaves):
            raise self._blame(first + right, leaves[right], difference)
        self._grow(leaves, self._tower.take(leaves))
        if len(entries) < width:
            raise RefutedError(TREE, first + len(entries), "entry-missing")
        if len(entries) > width:
            raise RefutedError(TREE, first + width, "bundle-too-long")
        if envelopes is not None and len(envelopes) > width:
            raise RefutedError(ENVELOPE, first + width, "envelopes-too-long")

    def _judge(
        self,
        position: int,
        raw: bytes,
        envelopes: Sequence[bytes] | None,
        checked: Checked | None,
    ) -> None:
        """Judge one entry, by what was found in it elsewhere if it was looked at there."""
        if checked is None:
            self._take(position, raw, envelopes)
            return
        found, write = checked[(position - 1) % TILE_WIDTH]
        facts = Facts._make(found)
        self.audit.take_checked(position, raw, facts, write)
        self._take_blobs(position, facts)

    def root_of(self, size: int) -> bytes:
        """Return the root at a smaller size, proven from the verified one.

        Raises:
            RefutedError: If the stored tiles prove none.
        """

        def tile(level: int, index: int, _width: int) -> bytes:
            return self._files.tile(level, index) or b""

        newest = self._checkpoint
        try:
            root = TileReader(size, tile).root()
            proof = TileReader(newest.size, tile).consistency_proof(size)
            verify_consistency(size, newest.size, proof, root, newest.root)
        except LedgerError as error:
            raise RefutedError(TREE, None, "tile-altered", size=size) from error
        return root

    def remember(self) -> dict[str, Any]:
        """Return where the walk stands between two full bundles, as a JSON object.

        What the audit remembers of streams and writes is not in it: it is large.
        """
        return {
            "size": self._checkpoint.size,
            "root": self._checkpoint.root.hex(),
            "frontier": self.frontier.encode().hex(),
            "tower": self._tower.remember(),
            "audit": self.audit.remember(),
        }

    def recall(self, facts: dict[str, Any]) -> None:
        """Go on where another walk stood; its checkpoint is one that this log must extend.

        Raises:
            RefutedError: If this log is shorter.
            LedgerError, ValueError, KeyError, TypeError: If these are no such facts.
        """
        seen = Checkpoint(self._checkpoint.origin, facts["size"], bytes.fromhex(facts["root"]))
        self.frontier = Frontier.decode(bytes.fromhex(facts["frontier"]))
        if self.frontier.size % TILE_WIDTH or self.frontier.size > seen.size:
            raise StateError("The state stands between two bundles.", size=self.frontier.size)
        self._tower.recall(facts["tower"])
        self.audit.recall(facts["audit"])
        known = [one for one in self._known if one.size >= self.frontier.size]
        self._known = _in_order([*known, seen], self._checkpoint)

    def finish(self) -> None:
        """Compare the roots."""
        self._tower.finish()
        position, reason = self._tower.first_wrong or (None, ALTERED)
        if reason == ALTERED and self.frontier.root() != self._checkpoint.root:
            # Entries and lowest tiles agree; an upper tile may still know where they changed.
            raise RefutedError(TREE, position, "root-differs")
        if position is not None:
            raise RefutedError(TREE, position, reason)
        self._compare_known()
        if self._extent.entries:
            self.audit.finish()
        self._check_names()

    def _send(self, checkers: Checkers, index: int) -> "_Sent":
        """Read a bundle and have it checked; one that cannot be read is read again in its turn."""
        try:
            bundle = self._read(index)
        except (LedgerError, OSError):
            return _Sent(index, None, None, "")
        origin = self.audit.origin
        submitted = checkers.submit(origin, bundle.entries, bundle.envelopes)
        return _Sent(index, bundle, submitted, origin)

    def _fetch(self, sent: "_Sent") -> tuple[Bundle, Checked | None]:
        if sent.bundle is None or sent.found is None:
            return self._read(sent.number), None
        found = sent.found.result()
        # What was right under a name that the log has given up meanwhile is not right any more.
        return sent.bundle, found if sent.origin == self.audit.origin else None

    def _read(self, index: int) -> Bundle:
        bundle = Bundle(index, self._entries(index), self._envelopes(index))
        if index == 0 and self._extent.entries:
            self.audit.begin(_name_of(bundle.entries, self._checkpoint.origin))
        return bundle

    def _entries(self, index: int) -> list[bytes]:
        """Return what a bundle holds, be it fewer or more than the checkpoint covers."""
        raw = self._files.bundle(index)
        try:
            return [] if raw is None else decode_bundle(raw)
        except TileError as error:
            first = index * TILE_WIDTH + 1
            raise RefutedError(TREE, first, "bundle-malformed", cause=error.message) from error

    def _envelopes(self, index: int) -> list[bytes] | None:
        if not self._extent.envelopes:
            return None
        raw = self._files.envelopes(index)
        try:
            return [] if raw is None else decode_envelopes(raw)
        except EnvelopesError as error:
            first = index * TILE_WIDTH + 1
            raise RefutedError(ENVELOPE, first, "envelopes-malformed") from error

    def _take(self, position: int, raw: bytes, envelopes: Sequence[bytes] | None) -> None:
        """Check one entry with its envelope, the one at its place in the bundle."""
        envelope = None
        if envelopes is not None:
            place = (position - 1) % TILE_WIDTH
            if place >= len(envelopes):
                raise RefutedError(ENVELOPE, position, "envelope-missing")
            envelope = envelopes[place]
        self._take_blobs(position, self.audit.take(position, raw, envelope))

    def _take_blobs(self, position: int, facts: Facts) -> None:
        if not self._extent.blobs:
            return
        for digest in facts.sealed:
            self.audit.take_blob(position, digest, self._source.read(blob_path(digest)))

    def _grow(self, leaves: Sequence[bytes], node: bytes | None) -> None:
        """Append leaves, and compare the root at each size that the caller knows.

        Args:
            leaves: The leaf hashes of a bundle.
            node: The root over them, where they are a full tile.
        """
        start = self.frontier.size
        if node is not None and not (self._known and self._known[0].size <= start + len(leaves)):
            self.frontier.extend((node,), TILE_HEIGHT)  # hashed once, for both
            return
        for known in [one for one in self._known if one.size <= start + len(leaves)]:
            self.frontier.extend(leaves[self.frontier.size - start : known.size - start])
            self._compare_known()
        self.frontier.extend(leaves[self.frontier.size - start :])

    def _compare_known(self) -> None:
        while self._known and self._known[0].size == self.frontier.size:
            known = self._known.pop(0)
            if known.root != self.frontier.root():
                raise RefutedError(KNOWN, None, "forked", size=known.size, root=known.root.hex())

    def _check_names(self) -> None:
        """Every older checkpoint is of a name that the log had at its size."""
        for known in self._extent.known:
            if known.origin == self._checkpoint.origin:
                continue
            adopted = self.audit.origins.adopted.get(known.origin)
            if adopted is None:
                raise RefutedError(KNOWN, None, "checkpoint-not-trusted", origin=known.origin)
            if known.size > adopted:
                raise RefutedError(KNOWN, None, "lost", size=known.size, adopted=adopted)

    def _blame(self, position: int, leaf: bytes, difference: Difference) -> RefutedError:
        """Say which of an entry and its stored leaf hash is not the signed tree's."""
        if difference.reason != ALTERED:
            return RefutedError(TREE, position, difference.reason)
        size, index = self._checkpoint.size, position - 1
        reason = "entry-altered"
        try:
            reader = TileReader(size, lambda level, at, _: self._files.tile(level, at) or b"")
            proof = reader.inclusion_proof(index)
            verify_inclusion(index, size, leaf, proof, self._checkpoint.root)
            reason = "leaf-altered"  # the entry is right, so the tile is not
        except LedgerError:
            pass
        return RefutedError(TREE, position, reason)


def _name_of(entries: Sequence[bytes], otherwise: str) -> str:
    """Return the name under which a log's first entry stands, or says that it does."""
    try:
        return Entry.decode(entries[0]).origin
    except (EntryError, IndexError):
        return otherwise


def _in_order(known: Iterable[Checkpoint], newest: Checkpoint) -> list[Checkpoint]:
    """Return the caller's checkpoints by size, none of them beyond the newest."""
    ordered = sorted(known, key=lambda one: one.size)
    for one in ordered:
        if one.size > newest.size:
            raise RefutedError(KNOWN, None, "rolled-back", size=newest.size, known=one.size)
    return ordered
