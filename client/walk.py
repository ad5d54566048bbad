"""One pass over the bundles of a log: its entries against its tiles, and both against its root."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from client.audit import Audit
from client.beside import Checkers
from client.bundles import TREE, Bundle, Bundles, Extent
from client.checked import Checked
from client.checking import ENVELOPE, Facts
from client.errors import RefutedError, StateError
from client.sources import Source
from ledger.entry import Entry
from ledger.errors import EntryError, LedgerError
from ledger.frontier import Frontier
from ledger.hashing import HASH_BYTES, leaf_hashes
from ledger.merkle import verify_consistency, verify_inclusion
from ledger.tiles import ENTRIES, TILE_HEIGHT, TILE_WIDTH, TileReader, tile_width
from ledger.tower import ALTERED, Difference, Tower, find_difference, full_tile_root
from ledger.treehead import Checkpoint

KNOWN = 10

_MANY_BUNDLES = 64
"""Below them starting processes takes longer than checking."""
_AHEAD = 4
"""Bundles that are read ahead for each process."""


class Walk:
    """One pass over the bundles of a log, of which only the checkpoint is believed."""

    def __init__(self, source: Source, checkpoint: Checkpoint, extent: Extent) -> None:
        self.frontier = Frontier()
        self.audit = Audit(checkpoint.origin)
        self._source = source
        self._bundles = Bundles(source, checkpoint.size, extent)
        self._files = self._bundles.files
        self._checkpoint = checkpoint
        self._extent = extent
        self._known = _in_order(extent.known, checkpoint)
        self._tower = Tower(self._files.tile)

    def rest(self, checkers: Checkers | None) -> Iterator[tuple[int, Checked | None]]:
        """Yield the bundles that are left in their order, with what was found in them elsewhere.

        Each is to be taken before the next one is asked for.
        """
        rest = range(self.frontier.size // TILE_WIDTH, -(-self._checkpoint.size // TILE_WIDTH))
        if checkers is None or not self._extent.entries or len(rest) < _MANY_BUNDLES:
            yield from ((index, None) for index in rest)
            return
        checkers.begin(self._source, self._checkpoint.size, self._extent)
        yield from self._ahead(checkers, rest)

    def _ahead(self, checkers: Checkers, rest: range) -> Iterator[tuple[int, Checked | None]]:
        """Yield bundles that were asked for some time before."""
        if rest.start == 0:
            self._read(0)  # its first entry says the name that all are asked under
        asked: deque[tuple[int, str]] = deque()
        later = iter(rest)
        for index in rest:
            origin = self.audit.origin
            for further in islice(later, _AHEAD * checkers.jobs + 1 - len(asked)):
                checkers.ask(further, origin, index, self.audit.authors.public_keys)
                asked.append((further, origin))
            yield self._fetch(checkers, *asked.popleft())

    def _fetch(self, checkers: Checkers, index: int, origin: str) -> tuple[int, Checked | None]:
        found = checkers.answer(index)
        # What was right under a name that the log has given up meanwhile is not right any more.
        if found is None or origin != self.audit.origin:
            return index, None
        # The log's first entry is judged whole, if only for its reason; others may do with a row.
        _, first = found.others.get(0, ((), b""))
        return index, found if index or first else None

    def take(self, index: int, checked: Checked | None) -> None:
        """Check up to 256 entries, and stop at the first that is wrong.

        Args:
            index: Of their bundle.
            checked: What was found in it elsewhere; None if it is still to be read.

        Raises:
            RefutedError: With the first that is wrong.
            LedgerError, OSError: If the source cannot be read.
        """
        if checked is None:
            self._take_bundle(self._read(index))
        else:
            self._take_checked(index, checked)

    def _take_checked(self, index: int, checked: Checked) -> None:
        take_row = self.audit.take_row
        others = checked.others
        for place, row in enumerate(checked.rows):
            position = index * TILE_WIDTH + place + 1
            if place in others:
                facts, raw = others[place]
                self.audit.take_checked(position, raw, Facts._make(facts), row[-1])
            else:
                take_row(position, row)
        self.audit.counts.blobs += checked.blobs
        self.audit.counts.erased += checked.erased
        self._grow(checked.leaves, checked.node)

    def _take_bundle(self, bundle: Bundle) -> None:
        entries, envelopes, first = bundle.entries, bundle.envelopes, bundle.first
        width = tile_width(ENTRIES, bundle.index, self._checkpoint.size)
        leaves = leaf_hashes(entries[:width])
        difference = find_difference(self._files.tile(0, bundle.index), leaves, width)
        right = len(leaves) if difference is None else difference.place
        if self._extent.entries:
            for position, raw in enumerate(entries[:width][:right], first):
                self._judge(position, raw, envelopes)
        if difference is not None and right < len(leaves):
            raise self._blame(first + right, leaves[right], difference)
        self._grow(b"".join(leaves), full_tile_root(leaves))
        if len(entries) < width:
            raise RefutedError(TREE, first + len(entries), "entry-missing")
        if len(entries) > width:
            raise RefutedError(TREE, first + width, "bundle-too-long")
        if envelopes is not None and len(envelopes) > width:
            raise RefutedError(ENVELOPE, first + width, "envelopes-too-long")

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

    def _read(self, index: int) -> Bundle:
        bundle = self._bundles.read(index)
        if index == 0 and self._extent.entries:
            self.audit.begin(_name_of(bundle.entries, self._checkpoint.origin))
        return bundle

    def _judge(self, position: int, raw: bytes, envelopes: Sequence[bytes] | None) -> None:
        """Check one entry with its envelope, the one at its place in the bundle."""
        envelope = None
        if envelopes is not None:
            place = (position - 1) % TILE_WIDTH
            if place >= len(envelopes):
                raise RefutedError(ENVELOPE, position, "envelope-missing")
            envelope = envelopes[place]
        facts = self.audit.take(position, raw, envelope)
        for digest in facts.sealed if self._extent.blobs else ():
            self.audit.take_blob(position, digest, self._bundles.blob(digest))

    def _grow(self, raw: bytes, node: bytes | None) -> None:
        """Append leaves, and compare the root at each size that the caller knows.

        Args:
            raw: The leaf hashes of a bundle, one after the other.
            node: The root over them, where they are a full tile.
        """
        self._tower.take(node)
        start = self.frontier.size
        end = start + len(raw) // HASH_BYTES
        if node is not None and not (self._known and self._known[0].size <= end):
            self.frontier.extend((node,), TILE_HEIGHT)  # hashed once, for both
            return
        leaves = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
        for known in [one for one in self._known if one.size <= end]:
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
