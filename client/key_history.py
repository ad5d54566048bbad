"""The history of a log's keys as servers and copies show it; ``client.log_keys`` reads it."""

from collections.abc import Sequence
from typing import Protocol

from ledger.entry import Entry
from ledger.jcs import canonical
from ledger.log_keys import INTRODUCED, RETIRED
from ledger.note import Note
from ledger.proof import TlogProof
from ledger.treehead import Checkpoint

LOG_KEYS = "log-keys"
"""The path of the history, below a log's prefix."""


class StoredKeys(Protocol):
    """What the history is made of."""

    def checkpoint(self) -> tuple[int, bytes]:
        """Return size and note of the newest published checkpoint."""

    def log_key_entries(self) -> Sequence[tuple[int, bytes]]:
        """Return position and bytes of each published entry about log keys."""

    def inclusion_proof(self, index: int, size: int) -> Sequence[bytes]:
        """Return the hashes that prove a leaf in the tree of a size."""


def encode_history(log: StoredKeys) -> bytes:
    """Return the history of a log's keys as its server and its copies show it."""
    newest = log.checkpoint()
    decoded = [(position, raw, Entry.decode(raw)) for position, raw in log.log_key_entries()]
    origin = _head(newest[1]).origin if decoded else ""
    entries = [
        (position, raw, entry)
        for position, raw, entry in decoded
        if position <= newest[0] and entry.origin == origin  # an earlier name had other keys
    ]
    overlaps = {
        entry.stream: str(entry.data["overlap"]).encode()
        for _, _, entry in entries
        if entry.topic == RETIRED
    }
    lines = []
    for position, raw, entry in entries:
        size, note = newest
        if entry.topic == INTRODUCED and entry.stream in overlaps:
            note = overlaps[entry.stream]
            size = _head(note).size
        hashes = tuple(log.inclusion_proof(position - 1, size))
        proof = TlogProof(position - 1, hashes, note)
        lines.append(canonical({"entry": raw.decode(), "proof": proof.encode().decode()}))
    return b"".join(line + b"\n" for line in lines)


def _head(note: bytes) -> Checkpoint:
    return Checkpoint.parse(Note.parse(note).text)
