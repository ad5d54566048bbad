"""Receipts: what a writer is answered, and the proof that it says the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from client.errors import ReceiptError
from client.signing import AuthorKey, SignedWrite
from client.trust import Trust
from ledger.entry import Entry
from ledger.errors import LedgerError, StatementError
from ledger.hashing import leaf_hash
from ledger.merkle import verify_inclusion
from ledger.proof import TlogProof
from ledger.treehead import Checkpoint


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified receipt: this entry stands at this position under a signed checkpoint.

    Attributes:
        position: Place in the log, counted from 1.
        raw: The entry's bytes.
        entry: The entry.
        leaf: Its leaf hash.
        proof: The ``.tlog-proof``, to be kept: it proves offline and for ever.
        checkpoint: The checkpoint that covers it.
        witnessed: Whether the policy's quorum of witnesses had cosigned it already.
    """

    position: int
    raw: bytes
    entry: Entry
    leaf: bytes
    proof: TlogProof
    checkpoint: Checkpoint
    witnessed: bool

    @classmethod
    def verify(cls, answer: Mapping[str, Any], trust: Trust) -> Self:
        """Verify a server's answer.

        Args:
            answer: The JSON object of a 201 or of ``GET /v1/receipts/<position>``.
            trust: The log that the caller means.

        Raises:
            ReceiptError: With what is wrong.
        """
        try:
            position = int(answer["position"])
            raw = str(answer["entry"]).encode("utf-8")
            proof = TlogProof.parse(str(answer["proof"]).encode("utf-8"))
            entry = Entry.decode(raw)
            checkpoint, witnessed = _prove(proof, raw, trust)
        except (LedgerError, KeyError, ValueError, TypeError) as error:
            raise ReceiptError(str(error) or "The receipt is malformed.") from error
        receipt = cls(position, raw, entry, leaf_hash(raw), proof, checkpoint, witnessed)
        claims = {
            "origin": (entry.origin, trust.origin),
            "position": (position, proof.index + 1),
            "leaf": (answer.get("leaf"), receipt.leaf.hex()),
            "stream": (answer.get("stream"), str(entry.stream)),
            "version": (answer.get("version"), entry.version),
        }
        for member, (claimed, proven) in claims.items():
            if claimed != proven:
                raise ReceiptError("The receipt claims more than it proves.", member=member)
        return receipt

    def verify_write(self, write: SignedWrite, key: AuthorKey) -> None:
        """Verify that the entry is what was signed, by whom, and names the very envelope.

        Raises:
            ReceiptError: With the first member that differs.
        """
        try:
            write.statement.verify_entry(self.entry)
        except StatementError as error:
            raise ReceiptError(error.message, **error.fields) from error
        author = self.entry.author
        pairs = {
            "org": (str(key.organisation), author.org),
            "keyid": (key.keyid, author.keyid),
            "envelope": (sha256(write.envelope.encode()).hexdigest(), author.envelope),
        }
        for member, (ours, logged) in pairs.items():
            if ours != logged:
                raise ReceiptError("The entry names another author.", member=member)


def _prove(proof: TlogProof, raw: bytes, trust: Trust) -> tuple[Checkpoint, bool]:
    """Verify a proof as ``ledger.proof.verify_proof`` does, each checkpoint once."""
    judgement = trust.judge(proof.checkpoint)
    checkpoint = judgement.checkpoint
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(raw), proof.hashes, checkpoint.root)
    return checkpoint, judgement.witnessed
