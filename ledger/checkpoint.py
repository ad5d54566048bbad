"""Signed checkpoints: the log's word on its size and root (C2SP tlog-checkpoint).

Ours carry an Ed25519 line (0x01, which every reader knows) and an ML-DSA-44 line (0x06, which
outlives quantum computers) for each signing pair. A verifier demands either by trusting only the
keys of that type.
"""

from collections.abc import Iterable, Sequence

from ledger.cosignature import Mldsa44Cosigner
from ledger.errors import NoteError
from ledger.note import Ed25519Signer, Note, Signature, VerifierKey, verify_note
from ledger.treehead import Checkpoint

__all__ = ["Checkpoint", "LogSigner", "sign_checkpoint", "verify_checkpoint"]


class LogSigner:
    """One pair of signing keys of a log.

    Never signs back or sideways by itself: the caller has recomputed the root from stored bytes
    and made sure that no inconsistent checkpoint was signed before.

    Args:
        origin: Name of the log and of both keys.
        ed25519_seed: 32 secret bytes.
        mldsa_seed: 32 secret bytes.
    """

    def __init__(self, origin: str, ed25519_seed: bytes, mldsa_seed: bytes) -> None:
        self.origin = origin
        self._ed25519 = Ed25519Signer(origin, ed25519_seed)
        self._mldsa44 = Mldsa44Cosigner(origin, mldsa_seed)

    def sign(self, checkpoint: Checkpoint, timestamp: int) -> bytes:
        """Return the signed note of a checkpoint.

        Args:
            checkpoint: Size and root, without extensions.
            timestamp: Seconds since the epoch, for the ML-DSA-44 line.

        Raises:
            NoteError: If the checkpoint is another log's or has extensions.
        """
        return sign_checkpoint(checkpoint, (self,), timestamp)

    def signatures(self, checkpoint: Checkpoint, timestamp: int) -> tuple[Signature, Signature]:
        """Return the Ed25519 and the ML-DSA-44 line for a checkpoint of this log.

        Raises:
            NoteError: If the checkpoint is another log's or has extensions.
        """
        if checkpoint.origin != self.origin:
            raise NoteError("This checkpoint is another log's.", origin=checkpoint.origin)
        return (
            self._ed25519.sign(checkpoint.text()),
            self._mldsa44.cosign(checkpoint, timestamp),
        )

    def verifier_keys(self) -> tuple[VerifierKey, VerifierKey]:
        """Return the public keys: Ed25519 and ML-DSA-44."""
        return (self._ed25519.verifier_key, self._mldsa44.verifier_key)


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[LogSigner], timestamp: int) -> bytes:
    """Return a note signed by several pairs, as during a key rotation's overlap.

    Raises:
        NoteError: If there is no signer, or one belongs to another log.
    """
    lines = [line for signer in signers for line in signer.signatures(checkpoint, timestamp)]
    return Note(checkpoint.text(), tuple(lines)).encode()


def verify_checkpoint(raw: bytes, keys: Iterable[VerifierKey], origin: str) -> Checkpoint:
    """Return the checkpoint that a log signed.

    Args:
        raw: The signed note.
        keys: Trusted keys of the log; those under another name than ``origin`` are not its.
        origin: Name of the log that the caller means.

    Raises:
        NoteError: With what is wrong.
    """
    # 1. A note whose text is a checkpoint.
    note = Note.parse(raw)
    checkpoint = Checkpoint.parse(note.text)
    # 2. Of the log that the caller means.
    if checkpoint.origin != origin:
        raise NoteError("This checkpoint is another log's.", origin=checkpoint.origin)
    # 3. Signed by a key of that log, and by no key of it wrongly.
    verify_note(note, [key for key in keys if key.name == origin])
    return checkpoint
