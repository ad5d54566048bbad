"""What a subscriber reads of the log's own server: checkpoint, ranges of entries, proofs, tiles.

Nothing here is believed because of where it came from; ``client.confirming`` judges it.
"""

import json
from typing import Any

from client.errors import FeedGapError, ProblemError
from client.exchange import NOT_FOUND
from client.http import AsyncClient, Caller
from client.key_history import LOG_KEYS
from client.log_keys import follow_history
from client.message import Delivered, Previous
from ledger.entry import Entry
from ledger.errors import EntryError, ProofError
from ledger.hashing import leaf_hash
from ledger.tiles import tile_path

PAGE = 1_000
"""Positions asked for at once."""

_MALFORMED = (ValueError, KeyError, TypeError, OverflowError, RecursionError)
"""What reading JSON of another form raises."""


class ServedLog:
    """The log over HTTP; close it.

    Args:
        caller: Where it is, with the token of an integrator or a regulator.
    """

    def __init__(self, caller: Caller) -> None:
        self.trust = caller.trust
        self._client = AsyncClient(caller)

    async def checkpoint(self) -> bytes:
        """Return the newest signed note, unjudged. Each method raises as ``AsyncClient``."""
        return (await self._client.request("GET", "/checkpoint")).content

    async def follow_keys(self) -> None:
        """Trust those keys that the log's history proves to have succeeded the trusted ones.

        Raises:
            RefutedError: If a step of the history does not hold.
        """
        try:
            history = (await self._client.request("GET", f"/{LOG_KEYS}")).content
        except ProblemError as problem:
            if problem.status != NOT_FOUND:
                raise
            return
        self.trust = follow_history(self.trust, history)

    async def entries(self, after: int, upto: int, division: str = "") -> list[Delivered]:
        """Return a division's entries in (after, upto]; the caller may see more than that.

        Raises:
            FeedGapError: If the answer is not what was asked for.
        """
        found: list[Delivered] = []
        while after < upto:
            limit = min(PAGE, upto - after)
            answer = await self._client.request("GET", f"/v1/entries?after={after}&limit={limit}")
            rows = read_delivered(answer.content, after)
            if any(not after < row.position <= after + limit for row in rows):
                raise FeedGapError("The log brought other positions.", after=after)
            found += [row for row in rows if row.entry.division.startswith(division)]
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
        except _MALFORMED as error:
            raise ProofError("The proof is malformed.", old=old, new=new) from error

    async def tile(self, level: int, index: int, width: int) -> bytes:
        """Return a hash tile."""
        return (await self._client.request("GET", f"/{tile_path(level, index, width)}")).content

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def read_delivered(content: bytes, after: int) -> list[Delivered]:
    """Read the lines of a page of entries; raises FeedGapError if they are none."""
    try:
        return [_row(json.loads(line)) for line in content.splitlines()]
    except (*_MALFORMED, EntryError) as error:
        raise FeedGapError("The log's answer is malformed.", after=after) from error


def _row(row: Any) -> Delivered:
    previous = row["previous"]
    places = Previous(*(int(previous[name]) for name in Previous._fields))
    raw = str(row["entry"]).encode("utf-8")
    return Delivered(int(row["position"]), places, raw, Entry.decode(raw), leaf_hash(raw))
