"""Receipts: an entry, its position, and the proof that a signed checkpoint covers it."""

from typing import Any

import orjson

from ledger.hashing import leaf_hash
from ledger.proof import TlogProof


def receipt_address(position: int) -> str:
    """Where the receipt of a position is found."""
    return f"/v1/receipts/{position}"


def receipt_body(position: int, entry: bytes, proof: TlogProof) -> dict[str, Any]:
    """What a writer is answered: enough to check everything offline (DESIGN section 5).

    Args:
        position: A published position.
        entry: The entry that stands there; whoever verifies the proof finds out if it does not.
        proof: That it does.
    """
    members = orjson.loads(entry)
    return {
        "position": position,
        "stream": members["stream"],
        "version": members["version"],
        "recorded_at": members["recorded_at"],
        "leaf": leaf_hash(entry).hex(),
        "entry": entry.decode(),
        "proof": proof.encode().decode(),
    }
