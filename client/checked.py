"""Bundles checked for the walk: all that needs no order, seen to be right or left to the judge."""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from client.bundles import Bundle, Bundles
from client.checking import (
    Found,
    Row,
    check_blob,
    check_evidence,
    facts_of,
    found_of,
    read_entry,
)
from client.glance import Glance
from ledger.errors import LedgerError
from ledger.hashing import leaf_hashes
from ledger.spelling import Signed, verify_signed
from ledger.tiles import ENTRIES, tile_width
from ledger.tower import find_difference, full_tile_root

_KEYID = slice(98, 162)
"""Where canonical entries name the author's key."""
_PUBLIC_KEY = re.compile(rb'"public_key":"([0-9a-f]{64})"').findall


class Checked(NamedTuple):
    """What of a bundle is judged by those before it: plain values, which cross processes cheaply.

    Attributes:
        leaves: The leaf hashes, one after the other; they are those of the tile.
        node: The root over them where they are a full tile.
        rows: One for each entry.
        others: By place: the facts of entries of which more is judged, and their bytes where the
            whole entry is.
        blobs: How many sealed values were there and have their digest.
        erased: How many were not there; only counted where they are looked for.
    """

    leaves: bytes
    node: bytes | None
    rows: list[Row]
    others: dict[int, tuple[tuple[Any, ...], bytes]]
    blobs: int
    erased: int


class BundleChecker:
    """Reads bundles of one log and checks each by itself.

    Args:
        bundles: Where they are.
        size: Entries of the log.
    """

    def __init__(self, bundles: Bundles, size: int) -> None:
        self._bundles = bundles
        self._size = size
        self._keys: dict[str, bytes] = {}

    def learn(self, keys: Iterable[bytes]) -> None:
        """Take public keys.

        A key ID is the hash of its key, so any key that ever stood in the log may be given; whether
        it was valid there is the walk's matter.
        """
        for public in keys:
            self._keys[sha256(public).hexdigest()] = public

    def check(self, index: int, origin: str, judged: int) -> Checked | None:
        """Check each entry of a bundle by itself, and the tile over them.

        Args:
            index: Of the bundle.
            origin: Name that the log has there.
            judged: The bundles before this one have been judged, and their keys given.

        Returns:
            What was found, or None if anything at all is not as it should be.
        """
        try:
            bundle = self._bundles.read(index)
            if bundle.envelopes is not None:
                self._find_keys(bundle, judged)
            return self._look(bundle, origin)
        except (LedgerError, OSError, KeyError):
            return None

    def _find_keys(self, bundle: Bundle, judged: int) -> None:
        """Look for keys that nobody gave in the bundles that are not judged yet."""
        named = {raw[_KEYID].decode("latin-1") for raw in bundle.entries}
        for index in range(bundle.index, judged - 1, -1):
            if named <= self._keys.keys():
                return
            entries = bundle.entries if index == bundle.index else self._bundles.read(index).entries
            self.learn(bytes.fromhex(one.decode()) for one in _PUBLIC_KEY(b"\n".join(entries)))

    def _look(self, bundle: Bundle, origin: str) -> Checked | None:
        width = tile_width(ENTRIES, bundle.index, self._size)
        envelopes = bundle.envelopes
        if len(bundle.entries) != width or (envelopes is not None and len(envelopes) != width):
            return None
        leaves = leaf_hashes(bundle.entries)
        if find_difference(self._bundles.files.tile(0, bundle.index), leaves, width) is not None:
            return None
        found = self._see(bundle, origin)
        rows = [row for row, _, _ in found]
        others = {
            place: (tuple(facts), bundle.entries[place] if facts.is_kept else b"")
            for place, (_, _, facts) in enumerate(found)
            if facts is not None
        }
        blobs = self._count_blobs(digest for _, digests, _ in found for digest in digests)
        return Checked(b"".join(leaves), full_tile_root(leaves), rows, others, *blobs)

    def _see(self, bundle: Bundle, origin: str) -> list[Found]:
        """Check entries and evidence by themselves; raises where anything is wrong."""
        glance, keys = Glance(origin), self._keys
        envelopes: Sequence[bytes | None] = bundle.envelopes or [None] * len(bundle.entries)
        found: list[Found] = []
        signatures: list[Signed] = []
        for raw, envelope in zip(bundle.entries, envelopes, strict=True):
            seen = glance.see(raw, envelope, keys)
            if seen is None:
                found.append(_check(origin, raw, envelope, keys))
                continue
            one, signed = seen
            found.append(one)
            if signed is not None:
                signatures.append(signed)
        # One after the other: what verifies them then stays in the processor's cache.
        for signed in signatures:
            verify_signed(signed)
        return found

    def _count_blobs(self, digests: Iterable[str]) -> tuple[int, int]:
        """Count sealed values that are there and those that are not; raises RefutedError."""
        there = erased = 0
        for digest in digests if self._bundles.extent.blobs else ():
            blob = self._bundles.blob(digest)
            check_blob(0, digest, blob)
            there += blob is not None
            erased += blob is None
        return there, erased


def _check(origin: str, raw: bytes, envelope: bytes | None, keys: Mapping[str, bytes]) -> Found:
    """Check what is not seen to be right at a glance."""
    entry = read_entry(0, raw, origin)
    write = None
    if envelope is not None:
        write = check_evidence(0, entry, envelope, keys[entry.author.keyid])
    return found_of(facts_of(entry), write)
