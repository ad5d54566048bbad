"""A dossier: all that the log has about one record, in one file that proves itself offline."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from api.parts import Serving
from client.authors import REGISTER
from client.dossier import FORMAT
from ledger.entry import Entry
from ledger.proof import TlogProof

MAX_ENTRIES = 2_000


def dossier(serving: Serving, record: UUID, up_to: int | None) -> dict[str, Any]:
    """The entries about a record with envelopes and proofs, and those that say who might sign.

    All proofs lead to one checkpoint: the first that was kept after the moment asked about.

    Args:
        serving: The running parts.
        record: Whose.
        up_to: What was known up to there; None for all.
    """
    rows = serving.views.records.timeline(record, up_to=up_to, limit=MAX_ENTRIES)
    positions = [row.position for row in rows]
    size, note = serving.parts.reader.checkpoint_covering(up_to or max(positions, default=1))
    entries = serving.parts.reader.entries_at(positions)
    authors = _authors(serving, (Entry.decode(raw) for _, raw, _ in entries), size)
    return {
        "format": FORMAT,
        "origin": serving.parts.settings.origin,
        "record": str(record),
        "known_at": up_to,
        "authors": proven(serving, authors, size, note),
        "entries": proven(serving, entries, size, note),
    }


def _authors(
    serving: Serving, entries: Iterable[Entry], size: int
) -> list[tuple[int, bytes, bytes]]:
    """What the log says of the authors' keys, and of those who registered them, up to the root."""
    waiting = {entry.author.org for entry in entries}
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
