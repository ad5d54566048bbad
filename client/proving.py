"""Verifying one entry alone: a `.tlog-proof` beside its entry, or a receipt as it was answered."""

import json
from pathlib import Path
from typing import Any

from client.errors import ReceiptError, RefutedError
from client.receipt import Receipt
from client.trust import Trust
from client.verify import TREE
from ledger.errors import LedgerError, NotWitnessedError
from ledger.proof import TlogProof, verify_proof

PROOF_SUFFIX = ".tlog-proof"
ENTRY_SUFFIX = ".entry"


def verify_file(path: Path, trust: Trust, entry: Path | None = None) -> dict[str, Any]:
    """Verify a proof or receipt file and describe what it proves.

    Args:
        path: A ``.tlog-proof``, or the JSON answer to a write.
        trust: Which log is meant, and whose signatures count.
        entry: The file of the entry's exact bytes; by default the proof's name with ``.entry``.

    Raises:
        RefutedError: If it does not hold.
        OSError: If a file cannot be read.
    """
    content = path.read_bytes()
    if path.suffix == PROOF_SUFFIX:
        raw = (entry or path.with_suffix(ENTRY_SUFFIX)).read_bytes()
        return _verify_proof(content, raw, trust)
    try:
        answer = json.loads(content)
        receipt = Receipt.verify(answer if isinstance(answer, dict) else {}, trust)
    except (ValueError, RecursionError) as error:
        raise RefutedError(TREE, None, "receipt-malformed") from error
    except ReceiptError as error:
        raise RefutedError(TREE, None, "receipt-refuted", cause=str(error)) from error
    return _describe(receipt.position, receipt.checkpoint.size, witnessed=receipt.witnessed)


def _verify_proof(content: bytes, raw: bytes, trust: Trust) -> dict[str, Any]:
    position = None
    try:
        proof = TlogProof.parse(content)
        position = proof.index + 1
        try:
            checkpoint = verify_proof(proof, raw, trust.keys, trust.origin, trust.policy)
            witnessed = True
        except NotWitnessedError:
            checkpoint = verify_proof(proof, raw, trust.keys, trust.origin)
            witnessed = False
    except LedgerError as error:
        raise RefutedError(TREE, position, "proof-refuted", cause=str(error)) from error
    return _describe(position, checkpoint.size, witnessed=witnessed)


def _describe(position: int, size: int, *, witnessed: bool) -> dict[str, Any]:
    return {"position": position, "size": size, "witnessed": witnessed}
