"""What a subscriber reads of the log's own server: checkpoint, ranges of entries, proofs, tiles.

Nothing here is believed because of where it came from; ``client.confirming`` judges it.
"""

import json
from collections.abc import Iterable
from typing import Any

from client.errors import FeedGapError
from client.http import AsyncClient, Caller
from client.message import Delivered, Previous
from ledger.entry import Entry
from ledger.errors import EntryError, ProofError
from ledger.hashing import leaf_hash
from ledger.tiles import TILE_WIDTH, TileAddress, tile_path

PAGE = 1_000
"""Positions asked for at once."""

_KEPT_TILES = 512  # full ones never change; 8 KiB each


class ServedLog:
    """The log over HTTP; close it.

    Args:
        caller: Where it is, with the token of an integrator or a regulator.
    """

    def __init__(self, caller: Caller) -> None:
        self.trust = caller.trust
        self._client = AsyncClient(caller)
        self._full: dict[tuple[int, int], bytes] = {}

    async def checkpoint(self) -> bytes:
        """Return the newest signed note, unjudged. Each method raises as ``AsyncClient``."""
        return (await self._client.request("GET", "/checkpoint")).content

    async def entries(self, after: int, upto: int) -> list[Delivered]:
        """Return what the caller may see in (after, upto], each consistent in itself.

        Raises:
            FeedGapError: If the answer is not what was asked for.
        """
        found: list[Delivered] = []
        while after < upto:
            limit = min(PAGE, upto - after)
            answer = await self._client.request("GET", f"/v1/entries?after={after}&limit={limit}")
            rows = _rows(answer.content, after)
            if any(not after < row.position <= after + limit for row in rows):
                raise FeedGapError("The log brought other positions.", after=after)
            found += rows
            after += limit  # a page is a range of positions, whatever of it the caller may see
        positions = [row.position for row in found]
        if positions != sorted(set(positions)):
            raise FeedGapError("The log brought entries out of order.", upto=upto)
        return found

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the hashes that should prove that one tree is a prefix of another.

        Raises:
            ProofError: If the answer is none.
        """
        path = f"/v1/proofs/consistency?old={old}&new={new}"
        answer = await self._client.request("GET", path)
        try:
            return [bytes.fromhex(digest) for digest in json.loads(answer.content)["hashes"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ProofError("The proof is malformed.", old=old, new=new) from error

    async def tiles(self, wanted: Iterable[TileAddress]) -> dict[tuple[int, int], bytes]:
        """Return hash tiles by level and index; full ones are read once."""
        found = {}
        for level, index, width in wanted:
            tile = self._full.get((level, index))
            if tile is None:
                path = f"/{tile_path(level, index, width)}"
                tile = (await self._client.request("GET", path)).content
                if width == TILE_WIDTH:
                    self._keep((level, index), tile)
            found[level, index] = tile
        return found

    def forget(self) -> None:
        """Drop the tiles that were kept: one of them led to a proof that does not hold."""
        self._full.clear()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _keep(self, place: tuple[int, int], tile: bytes) -> None:
        while len(self._full) >= _KEPT_TILES:
            del self._full[next(iter(self._full))]  # the oldest
        self._full[place] = tile


def _rows(content: bytes, after: int) -> list[Delivered]:
    try:
        return [_row(json.loads(line)) for line in content.splitlines()]
    except (ValueError, KeyError, TypeError, EntryError) as error:
        raise FeedGapError("The log's answer is malformed.", after=after) from error


def _row(row: Any) -> Delivered:
    previous = row["previous"]
    places = Previous(*(int(previous[name]) for name in Previous._fields))
    raw = str(row["entry"]).encode("utf-8")
    return Delivered(int(row["position"]), places, raw, Entry.decode(raw), leaf_hash(raw))
