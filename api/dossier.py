"""A dossier: all that the log has about one record, in one file that proves itself offline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self
from uuid import UUID

import orjson

from api.parts import Serving
from client.authors import REGISTER
from client.dossier import FORMAT
from ledger.entry import Entry
from ledger.proof import TlogProof
from projections.records import TimelineRow

PAGE = 200
"""Entries whose proofs are made at a time."""


@dataclass(frozen=True)
class Dossier:
    """What the log has about a record and those that were merged into it.

    All proofs lead to one checkpoint: the first that was kept after the moment asked about.

    Attributes:
        serving: The running parts.
        head: All members but the entries.
        positions: Of the entries.
        size: Leaves under the checkpoint.
        note: The signed checkpoint.
        page: Entries at a time.
    """

    serving: Serving
    head: Mapping[str, Any]
    positions: Sequence[int]
    size: int
    note: bytes
    page: int = PAGE

    @classmethod
    def of(
        cls, serving: Serving, records: Sequence[UUID], up_to: int | None, page: int = PAGE
    ) -> Self:
        """Find out what belongs to a dossier.

        Args:
            serving: The running parts.
            records: The record, then those that were merged into it.
            up_to: What was known up to there; None for all.
            page: Entries at a time.
        """
        rows = list(_rows(serving, records, up_to, page))
        positions = [row.position for row in rows]
        size, note = serving.parts.reader.checkpoint_covering(up_to or max(positions, default=1))
        authors = _authors(serving, {str(row.organisation) for row in rows}, size)
        head = {
            "format": FORMAT,
            "origin": serving.parts.settings.origin,
            "record": str(records[0]),
            "known_at": up_to,
            "authors": proven(serving, authors, size, note),
        }
        return cls(serving, head, positions, size, note, page)

    def document(self) -> dict[str, Any]:
        """All of it, as an object."""
        return {**self.head, "entries": list(chain.from_iterable(self._pages()))}

    def text(self) -> Iterator[bytes]:
        """All of it as the text of a JSON object, piece by piece, however much there is."""
        yield orjson.dumps(self.head).removesuffix(b"}") + b',"entries":['
        comma = b""
        for page in self._pages():
            yield comma + b",".join(map(orjson.dumps, page))
            comma = b","
        yield b"]}"

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        for at in range(0, len(self.positions), self.page):
            entries = self.serving.parts.reader.entries_at(self.positions[at : at + self.page])
            yield proven(self.serving, entries, self.size, self.note)


def _rows(
    serving: Serving, records: Sequence[UUID], up_to: int | None, page: int
) -> Iterator[TimelineRow]:
    after = 0
    while rows := serving.views.records.timeline(records, up_to=up_to, after=after, limit=page):
        yield from rows
        after = rows[-1].position


def _authors(serving: Serving, waiting: set[str], size: int) -> list[tuple[int, bytes, bytes]]:
    """What the log says of the authors' keys, and of those who registered them, up to the root."""
    seen: set[str] = set()
    found: dict[int, tuple[int, bytes, bytes]] = {}
    while waiting:
        organisation = waiting.pop()
        seen.add(organisation)
        for position, raw, leaf in serving.parts.reader.stream(UUID(organisation)):
            entry = Entry.decode(raw)
            if position <= size and entry.topic in REGISTER:
                found[position] = (position, raw, leaf)
                waiting |= {entry.author.org} - seen
    return [found[position] for position in sorted(found)]


def proven(
    serving: Serving, entries: Sequence[tuple[int, bytes, bytes]], size: int, note: bytes
) -> list[dict[str, Any]]:
    """Entries as text with envelope and `.tlog-proof`, all under one checkpoint."""
    reader = serving.parts.reader
    digests = [Entry.decode(raw).author.envelope for _, raw, _ in entries]
    envelopes = reader.envelopes(digests)
    lines = []
    for (position, raw, _), digest in zip(entries, digests, strict=True):
        proof = TlogProof(position - 1, tuple(reader.inclusion_proof(position - 1, size)), note)
        envelope = envelopes.get(digest)
        lines.append(
            {
                "position": position,
                "entry": raw.decode(),
                "envelope": envelope.decode() if envelope is not None else None,
                "proof": proof.encode().decode(),
            }
        )
    return lines
