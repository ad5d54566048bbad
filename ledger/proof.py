"""Proofs that travel: index, hashes and checkpoint in one text (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    [extra <base64>]
    index <decimal>
    <base64 hash>...            ; the leaf's sibling first, at most 64
                                ; an empty line
    <checkpoint, verbatim>

Stored with the file suffix ``.tlog-proof``. The extra data is not authenticated.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ledger.checkpoint import verify_checkpoint
from ledger.errors import NotWitnessedError, ProofError
from ledger.hashing import HASH_BYTES, leaf_hash
from ledger.merkle import verify_inclusion
from ledger.note import MAX_NOTE_BYTES, VerifierKey
from ledger.policy import Policy
from ledger.syntax import MAX_SIZE, decode_base64, decode_decimal, encode_base64
from ledger.treehead import Checkpoint

MAX_HASHES = 64
MAX_EXTRA_BYTES = 65_536

_HEADER = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "
_MAX_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof, not yet verified.

    Attributes:
        index: Leaf index, from 0.
        hashes: The inclusion proof, the leaf's sibling first.
        checkpoint: The signed checkpoint, its bytes as they came.
        extra: Opaque data that nobody signed, never empty.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE:
            raise ProofError("The index of a proof is out of range.", index=self.index)
        if len(self.hashes) > MAX_HASHES or any(len(one) != HASH_BYTES for one in self.hashes):
            raise ProofError("A proof has at most 64 hashes of 32 bytes.")
        if self.extra is not None and not 1 <= len(self.extra) <= MAX_EXTRA_BYTES:
            raise ProofError("Extra data is 1 to 65,536 bytes, or absent.")
        if len(self.checkpoint) > MAX_NOTE_BYTES:
            raise ProofError("The checkpoint of a proof is too long.")

    def encode(self) -> bytes:
        """Return the text of the proof."""
        lines = [_HEADER]
        if self.extra is not None:
            lines.append(_EXTRA + encode_base64(self.extra))
        lines.append(f"{_INDEX}{self.index}")
        lines += [encode_base64(one) for one in self.hashes]
        return "".join(f"{line}\n" for line in lines).encode("ascii") + b"\n" + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a proof; its checkpoint is taken verbatim and read by ``verify_proof``.

        Raises:
            ProofError: If it does not follow the format or exceeds our limits.
        """
        if len(raw) > _MAX_PROOF_BYTES:
            raise ProofError("A proof is too long.", size=len(raw))
        head, separator, checkpoint = raw.partition(b"\n\n")
        if not separator or not head.isascii():
            raise ProofError("A proof is ASCII lines, an empty line and a checkpoint.")
        # "\n" only: other line separators must not end a line here.
        lines = head.decode("ascii").split("\n")
        if lines.pop(0) != _HEADER:
            raise ProofError("A proof starts with its format's name.")
        try:
            extra = None
            if lines and lines[0].startswith(_EXTRA):
                extra = decode_base64(lines.pop(0).removeprefix(_EXTRA))
            if not lines or not lines[0].startswith(_INDEX):
                raise ProofError("A proof names its index.")
            index = decode_decimal(lines.pop(0).removeprefix(_INDEX))
            if len(lines) > MAX_HASHES:
                raise ProofError("A proof has at most 64 hashes of 32 bytes.")
            hashes = tuple(decode_base64(line) for line in lines)
        except ValueError as error:
            raise ProofError("A proof's fields are decimal and base64.") from error
        return cls(index, hashes, checkpoint, extra)


def verify_proof(
    proof: TlogProof,
    entry: bytes,
    log_keys: Iterable[VerifierKey],
    origin: str,
    policy: Policy | None = None,
) -> Checkpoint:
    """Verify that an entry is in a log (C2SP tlog-proof, "Verifying a tlog proof").

    Args:
        proof: The proof.
        entry: The exact bytes of the entry.
        log_keys: Trusted keys of the log.
        origin: Name of the log that the caller means.
        policy: Which witnesses must have cosigned; None asks for none.

    Returns:
        The signed checkpoint that covers the entry.

    Raises:
        NoteError: If the checkpoint is malformed, another log's, or wrongly or not signed.
        ProofError: If the entry is not at that index under that checkpoint.
        NotWitnessedError: If all of that holds and only the quorum of witnesses is missing.
    """
    keys = tuple(log_keys)
    # 1. The leaf hash.
    leaf = leaf_hash(entry)
    # 2. The origin is the one meant, and a key of that log signed.
    checkpoint = verify_checkpoint(proof.checkpoint, keys, origin)
    # 3. All known cosignatures hold; whether they suffice is said last.
    judgement = None if policy is None else policy.verify(proof.checkpoint, keys)
    # 4. The proof binds the leaf to the signed root.
    verify_inclusion(proof.index, checkpoint.size, leaf, proof.hashes, checkpoint.root)
    # 5. Everything is included; now the quorum.
    if judgement is not None and not judgement.witnessed:
        raise NotWitnessedError(size=checkpoint.size, witnesses=judgement.witnesses)
    return checkpoint
