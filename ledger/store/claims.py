"""Claims of the log: facts that hold once only, as they are held now, published or not."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from ledger.store.connections import Pool, rows_of
from ledger.store.queries import load_queries
from ledger.store.together import Together

_QUERIES = load_queries("claims.sql")

_Range = tuple[str, bytes, bytes]
"""Kind, first key, last key."""


class Claims:
    """Reads claims. Each method may raise ``StoreUnavailable``.

    Args:
        pool: Connections of role ``vaxledger_read``.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._owners: Together[tuple[str, bytes], UUID | None] = Together(self._owners_of)
        self._ranges: Together[_Range, list[bytes]] = Together(self.held_within_each)

    def owner(self, kind: str, key: bytes) -> UUID | None:
        """Return the stream that holds a claim, None where nobody does."""
        return self._owners.ask((kind, key))

    def owners(self, claims: Collection[tuple[str, bytes]]) -> dict[tuple[str, bytes], UUID | None]:
        """Return by kind and key the stream that holds each claim, None where nobody does."""
        asked = list(claims)
        return dict(zip(asked, self._owners_of(asked), strict=True)) if asked else {}

    def holders(self, kinds: Sequence[str], keys: Sequence[bytes]) -> list[tuple[str, UUID]]:
        """Return kind and stream of every claim of these kinds and keys."""
        return self._rows("holders", [list(kinds), list(keys)])

    def held_within(self, kind: str, first: bytes, last: bytes) -> list[bytes]:
        """Return the keys of a kind that somebody holds, both ends included, in their order."""
        return self._ranges.ask((kind, first, last))

    def held_within_each(self, asked: Sequence[_Range]) -> list[list[bytes]]:
        """Likewise for many ranges: kind, first and last key; equal ones are read once."""
        unique = list(dict.fromkeys(asked))
        found: dict[_Range, list[bytes]] = defaultdict(list)
        columns = [list(column) for column in zip(*unique, strict=True)]
        for number, key in self._rows("held_within", columns):
            found[unique[number - 1]].append(bytes(key))
        return [found[one] for one in asked]

    def claimed(self, kind: str) -> list[tuple[UUID, int]]:
        """Return stream and position of every claim of a kind, oldest first."""
        return self._rows("claimed", [kind])

    def _owners_of(self, asked: Sequence[tuple[str, bytes]]) -> list[UUID | None]:
        kinds, keys = (list(column) for column in zip(*asked, strict=True))
        return [owner for (owner,) in self._rows("owners", [kinds, keys])]

    def _rows(self, query: str, parameters: Any) -> list[Any]:
        return rows_of(self._pool, _QUERIES[query], parameters)
