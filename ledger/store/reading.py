"""What the log shows: entries, tiles, proofs, blobs, up to the newest published checkpoint."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from ledger.entry import Entry
from ledger.log_keys import LogKeys
from ledger.store.claims import Claims
from ledger.store.connections import Pool, Row, rows_of
from ledger.store.cosigning import text_of
from ledger.store.errors import NoSuchPosition, StoreUnavailable
from ledger.store.halting import Halt
from ledger.store.outbox import Standing, standing
from ledger.store.queries import load_queries
from ledger.store.together import Together
from ledger.store.witness_standing import WitnessStanding
from ledger.tiles import (
    TileAddress,
    TileReader,
    needed_tiles_for_consistency,
    needed_tiles_for_inclusion,
    needed_tiles_for_root,
)

ROLE = "vaxledger_read"
"""Role of connections that read the log."""
Located = tuple[int, bytes, bytes]
"""Position, entry, leaf hash."""
Predecessors = tuple[int, int, int]
"""Positions of the entries before one in its province, city and county; 0 for none."""

_QUERIES = {**load_queries("reading.sql"), **load_queries("halting.sql")}
_WITHIN = ("entries_of_province", "entries_of_city", "entries_of_county")


@dataclass(frozen=True, slots=True)
class Answered:
    """What an idempotency key stands for.

    Attributes:
        request: SHA-256 of what was asked, 32 bytes.
        first_position: Where the answer stands in the log.
        count: Number of its events.
    """

    request: bytes
    first_position: int
    count: int


class LogReader:
    """Reads the log's database.

    A checkpoint is published once it is safe outside the database; nothing beyond it is shown,
    except by ``stream``, on which decisions are made. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_read``.

    Attributes:
        claims: What is claimed now.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._streams: Together[UUID, list[Located]] = Together(self._read_streams)
        self._blobs: Together[Sequence[bytes], dict[str, bytes]] = Together(self._read_blobs)
        self.claims = Claims(pool)

    def published(self) -> int:
        """Return the number of entries under the newest published checkpoint."""
        return int(self._row("published")[0])

    def checkpoint(self) -> tuple[int, bytes]:
        """Return size and signed note of the newest published checkpoint.

        The note carries the cosignatures that were had for it so far, perhaps none.

        Raises:
            StoreUnavailable: If no integrator has ever started.
        """
        size, note, signed, lines = self._row("checkpoint")
        if note is None:
            raise StoreUnavailable
        if signed is not None and text_of(signed) == text_of(note):
            return size, note + lines
        return size, note

    def checkpoint_covering(self, size: int) -> tuple[int, bytes]:
        """Return size and signed note of the first kept checkpoint that covers so many entries.

        The newest where none of those that are kept, one a minute, covers them yet.

        Raises:
            NoSuchPosition: If they are not published.
        """
        rows = self._rows("checkpoint_covering", [size])
        found, note = rows[0] if rows else self.checkpoint()
        if found < size:
            raise NoSuchPosition(size)
        return int(found), bytes(note)

    def checkpoint_made_at(self) -> datetime | None:
        """Return when the newest checkpoint was made of those that are kept, one a minute."""
        made_at: datetime | None = self._row("checkpoint_made_at")[0]
        return made_at

    def witnessed(self) -> tuple[int, bytes] | None:
        """Return size and note of the newest checkpoint that a quorum cosigned, None for none."""
        rows = self._rows("witnessed")
        return (rows[0][0], rows[0][1]) if rows else None

    def witnesses(self) -> list[WitnessStanding]:
        """Return how it stands with each witness that was ever asked."""
        return [WitnessStanding(*row) for row in self._rows("witnesses")]

    def notices(self) -> Standing:
        """Return how it stands with what is to be told to people outside."""
        return standing(self._pool)

    def halted(self) -> Halt | None:
        """Return why and since when nothing is appended, None while something may be."""
        rows = self._rows("halted")
        return Halt(*rows[0]) if rows else None

    def entries(self, first: int, limit: int) -> list[Located]:
        """Return published entries from a position on, at most ``limit``."""
        return self._rows("entries", [first, first + limit - 1])

    def entries_within(self, division: str, first: int, last: int, limit: int) -> list[Located]:
        """Return published entries of a division in a range of positions, in their order.

        What it costs is what it finds, however many entries of others lie between.

        Args:
            division: Prefix of at least a province's two digits.
            first: First position.
            last: Last position.
            limit: At most so many entries.
        """
        query = _WITHIN[min(len(division) // 2, len(_WITHIN)) - 1]
        wanted = {"division": division, "first": first, "last": last, "limit": limit}
        return self._rows(query, wanted)

    def entries_at(self, positions: Sequence[int]) -> list[Located]:
        """Return the published entries at some positions, in their order."""
        return self._rows("entries_at", [list(positions)])

    def signed_by(self, keyid: str, after: int, limit: int) -> list[Located]:
        """Return published entries that a key has signed, after a position, in their order.

        Args:
            keyid: SHA-256 of the public key, 64 hex digits.
            after: Position.
            limit: At most so many.
        """
        wanted = {"keyid": keyid.encode(), "after": after, "limit": limit}
        return self._rows("signed_by", wanted)

    def entry(self, position: int) -> bytes:
        """Return a published entry.

        Raises:
            NoSuchPosition: If there is none.
        """
        found = self.entries(position, 1)
        if not found:
            raise NoSuchPosition(position)
        return found[0][1]

    def stream(self, stream: UUID) -> list[Located]:
        """Return the entries of a stream, published or not; with whatever others ask at once."""
        return self._streams.ask(stream)

    def streams(self, streams: Collection[UUID]) -> dict[UUID, list[Located]]:
        """Return the entries of many streams from their first, published or not."""
        found: dict[UUID, list[Located]] = {stream: [] for stream in streams}
        for stream, position, entry, leaf in self._rows("streams", [list(found)]):
            found[stream].append((position, entry, leaf))
        return found

    def recorded(self, position: int) -> bytes:
        """Return an entry, published or not.

        Raises:
            NoSuchPosition: If there is none.
        """
        rows = self._rows("recorded", [position])
        if not rows:
            raise NoSuchPosition(position)
        return bytes(rows[0][0])

    def answered(self, author: UUID, key: UUID) -> Answered | None:
        """Return what an idempotency key stands for, published or not; None if it is unused."""
        rows = self._rows("answered", [author, key])
        return Answered(*rows[0]) if rows else None

    def access_closings(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return position and entry of closings of the access journal, published or not."""
        return self._rows("access_closings", [after, limit])

    def envelope(self, digest: str) -> bytes | None:
        """Return the envelope of a SHA-256 in hex, as an entry's ``author`` names it."""
        rows = self._rows("envelope", [bytes.fromhex(digest)])
        return rows[0][0] if rows else None

    def envelopes(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Return envelopes by their SHA-256 in hex, those that are not stored left out."""
        wanted = [bytes.fromhex(digest) for digest in digests]
        return {digest.hex(): raw for digest, raw in self._rows("envelopes", [wanted])}

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Return sealed blobs by the SHA-256 in hex that entries name; erased ones are missing.

        Many threads that ask at one moment are answered by one query, here as for ``stream``: a
        read costs more in its round trip than in its rows.
        """
        wanted = [bytes.fromhex(digest) for digest in digests]
        return self._blobs.ask(wanted) if wanted else {}

    def tiles(self, coordinates: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Return stored tiles by level and index, missing ones left out.

        A stored tile may be wider than the published tree has it; truncate it.
        """
        wanted = list(coordinates)
        levels, indices = [level for level, _ in wanted], [index for _, index in wanted]
        rows = self._rows("tiles", [levels, indices])
        return {(level, index): hashes for level, index, hashes in rows}

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the hashes that prove a leaf in the tree of some published size.

        Args:
            index: Leaf index, which is the position less one.
            size: Leaves of the tree.

        Raises:
            NoSuchPosition: If there is no such leaf, or the tree is not published.
        """
        if not 0 <= index < size:
            raise NoSuchPosition(index + 1)
        tree = self._tree(size, needed_tiles_for_inclusion(index, size))
        return tree.inclusion_proof(index)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the hashes that prove that a tree is a prefix of a larger published one.

        Raises:
            NoSuchPosition: If the larger is not published, or is not the larger.
        """
        if not 0 <= old <= new:
            raise NoSuchPosition(old)
        tree = self._tree(new, needed_tiles_for_consistency(old, new))
        return tree.consistency_proof(old)

    def root(self, size: int) -> bytes:
        """Return the root of the tree of some published size.

        Raises:
            NoSuchPosition: If it is not published.
        """
        return self._tree(size, needed_tiles_for_root(size)).root()

    def log_key_entries(self) -> list[tuple[int, bytes]]:
        """Return position and bytes of each published entry about log keys, in order."""
        return self._rows("log_keys")

    def log_keys(self, origin: str) -> LogKeys:
        """Return the keys that the published log names.

        Args:
            origin: Name of the log.

        Raises:
            LogKeyError: If its entries contradict each other: they came through no door.
        """
        keys = LogKeys(origin)
        for position, raw in self.log_key_entries():
            keys.take_entry(position, Entry.decode(raw))
        return keys

    def known_at(self, moment: datetime) -> int:
        """Return the last published position that was recorded by a moment; 0 before the first."""
        return int(self._row("known_at", [moment])[0])

    def previous(self, position: int, division: str) -> Predecessors:
        """Return the positions before one in the province, city and county of a division."""
        row = self._row("previous", {"division": division, "position": position})
        province, city, county = (before or 0 for before in row)
        return province, city, county

    def previous_many(self, first: int, last: int) -> dict[int, Predecessors]:
        """Return for each position of a range, both ends included, what ``previous`` does."""
        rows = self._rows("previous_many", {"first": first, "last": last})
        return {position: (province, city, county) for position, province, city, county in rows}

    def previous_of(self, positions: Sequence[int]) -> dict[int, Predecessors]:
        """Return for each of some positions what ``previous`` does, by a look-up for each."""
        rows = self._rows("previous_of", [list(positions)])
        return {position: (province, city, county) for position, province, city, county in rows}

    def _read_streams(self, asked: Sequence[UUID]) -> list[list[Located]]:
        found = self.streams(set(asked))
        return [found[stream] for stream in asked]

    def _read_blobs(self, asked: Sequence[Sequence[bytes]]) -> list[dict[str, bytes]]:
        rows = dict(self._rows("blobs", [list(set(chain.from_iterable(asked)))]))
        return [{one.hex(): rows[one] for one in wanted if one in rows} for wanted in asked]

    def _tree(self, size: int, needed: Sequence[TileAddress]) -> TileReader:
        if size > self.published():
            raise NoSuchPosition(size)
        tiles = self.tiles((level, index) for level, index, _ in needed)
        return TileReader(size, lambda level, index, _: tiles.get((level, index), b""))

    def _rows(self, query: str, parameters: Any = None) -> list[Any]:
        return rows_of(self._pool, _QUERIES[query], parameters)

    def _row(self, query: str, parameters: Any = None) -> Row:
        row: Row = self._rows(query, parameters)[0]
        return row
