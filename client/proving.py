"""Verifying one entry alone: a `.tlog-proof` beside its entry, or a receipt as it was answered.

A file ``log-keys`` beside it is the history of the log's keys, as servers and copies show it: where
the trusted keys have not signed, those may have that are proven there to have succeeded them.
"""

import json
from pathlib import Path
from typing import Any

from client.errors import ReceiptError, RefutedError, TrustError
from client.key_history import LOG_KEYS
from client.log_keys import follow_history
from client.receipt import Receipt
from client.trust import Trust
from client.verify import TREE
from ledger.errors import LedgerError, NoteError, NotWitnessedError
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
        RefutedError: If it does not hold, or the history of the log's keys does not.
        OSError: If a file cannot be read.
    """
    content = path.read_bytes()
    if path.suffix == PROOF_SUFFIX:
        raw = (entry or path.with_suffix(ENTRY_SUFFIX)).read_bytes()
        return _verify_proof(content, raw, path, trust)
    try:
        answer = json.loads(content)
        members = answer if isinstance(answer, dict) else {}
        proof = str(members.get("proof")).encode("utf-8", "replace")
        receipt = Receipt.verify(members, _followed(trust, proof, path))
    except (ValueError, RecursionError) as error:
        raise RefutedError(TREE, None, "receipt-malformed") from error
    except ReceiptError as error:
        raise RefutedError(TREE, None, "receipt-refuted", cause=str(error)) from error
    return _describe(receipt.position, receipt.checkpoint.size, witnessed=receipt.witnessed)


def _followed(trust: Trust, proof: bytes, path: Path) -> Trust:
    """Return the trust in the keys that succeeded ours, if ours did not sign the proof."""
    try:
        trust.judge(TlogProof.parse(proof).checkpoint)
    except (NoteError, TrustError):
        history = path.with_name(LOG_KEYS)
        return follow_history(trust, history.read_bytes()) if history.exists() else trust
    except LedgerError:  # the verification says what is wrong
        return trust
    return trust


def _verify_proof(content: bytes, raw: bytes, path: Path, trust: Trust) -> dict[str, Any]:
    position = None
    trust = _followed(trust, content, path)
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
