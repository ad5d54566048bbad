"""Cosignatures: what a witness, or the log itself, says about a checkpoint (C2SP tlog-cosignature).

Type 0x04 is Ed25519 over the whole note text; it does not commit to the cosigner's name, so a key
serves one name only. Type 0x06 is ML-DSA-44 over a binary statement that commits to the name and
can also cover a subtree, but not extension lines. Both carry the time as seconds since the epoch.
"""

import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from ledger.errors import NoteError
from ledger.signature import COSIGNATURE_ED25519, COSIGNATURE_MLDSA44, Signature, VerifierKey
from ledger.syntax import MAX_SIZE
from ledger.treehead import HASH_BYTES, Checkpoint

SEED_BYTES = 32

_TIME = struct.Struct(">Q")
_RANGE = struct.Struct(">QQ")
_LABEL = b"subtree/v1\n\x00"
_MAX_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class Subtree:
    """A range of a log's leaves and its root; a checkpoint is the one that starts at 0.

    Attributes:
        origin: Name of the log, at most 255 bytes of UTF-8.
        start: First leaf index.
        end: Index after the last leaf.
        root: RFC 9162 hash over the leaves of the range.
    """

    origin: str
    start: int
    end: int
    root: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise NoteError("A subtree has ordered bounds and a root of 32 bytes.")

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Subtree":
        """Return the whole tree of a checkpoint."""
        return cls(checkpoint.origin, 0, checkpoint.size, checkpoint.root)


def ed25519_message(text: str, timestamp: int) -> bytes:
    """Return what a 0x04 cosignature signs: header, time, note text with its extensions."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def mldsa44_message(cosigner: str, subtree: Subtree, timestamp: int) -> bytes:
    """Return what a 0x06 cosignature signs, the ``cosigned_message`` structure.

    Raises:
        NoteError: If a name is empty or longer than 255 bytes, or the time of a subtree that does
            not start at 0 is not 0.
    """
    if subtree.start and timestamp:
        raise NoteError("A cosignature of a later subtree carries no time.")
    return b"".join(
        (
            _LABEL,
            _prefixed(cosigner),
            _TIME.pack(timestamp),
            _prefixed(subtree.origin),
            _RANGE.pack(subtree.start, subtree.end),
            subtree.root,
        )
    )


def timestamp_of(blob: bytes) -> int:
    """Return the time in a cosignature's blob, in seconds since the epoch.

    Raises:
        NoteError: If there is none or it exceeds 2^63-1.
    """
    if len(blob) < _TIME.size:
        raise NoteError("A cosignature starts with its time.")
    (timestamp,) = _TIME.unpack_from(blob)
    if timestamp > MAX_SIZE:
        raise NoteError("The time of a cosignature is out of range.")
    return int(timestamp)


def verify_ed25519_cosignature(public: bytes, text: str, blob: bytes) -> int:
    """Verify a 0x04 blob over a checkpoint's note text.

    Returns:
        The time of the cosignature.

    Raises:
        NoteError: If the text is no checkpoint or the signature does not fit.
    """
    # 1. Only checkpoints are cosigned.
    Checkpoint.parse(text)
    # 2. Time, then 64 bytes.
    timestamp = timestamp_of(blob)
    # 3. The signature over header, time and text.
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            blob[_TIME.size :], ed25519_message(text, timestamp)
        )
    except (InvalidSignature, ValueError) as error:
        raise NoteError("The cosignature does not fit.") from error
    return timestamp


def verify_mldsa44_cosignature(public: bytes, cosigner: str, subtree: Subtree, blob: bytes) -> int:
    """Verify a 0x06 blob over a checkpoint or subtree.

    Returns:
        The time of the cosignature; 0 claims nothing about the largest tree seen.

    Raises:
        NoteError: If the signature does not fit.
    """
    # 1. Time, then 2,420 bytes.
    timestamp = timestamp_of(blob)
    # 2. The signature over the statement, with an empty context.
    message = mldsa44_message(cosigner, subtree, timestamp)
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(blob[_TIME.size :], message)
    except (InvalidSignature, ValueError) as error:
        raise NoteError("The cosignature does not fit.") from error
    return timestamp


class Ed25519Cosigner:
    """Signs checkpoints with 0x04 cosignatures under one name.

    Args:
        name: Key name; the key must serve no other name.
        seed: 32 secret bytes.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.verifier_key = VerifierKey.of(name, COSIGNATURE_ED25519, public)

    def cosign(self, checkpoint: Checkpoint, timestamp: int) -> Signature:
        """Return the signature line for a checkpoint at a time in seconds since the epoch.

        The caller has checked that the checkpoint is consistent with all it cosigned before.
        """
        signature = self._key.sign(ed25519_message(checkpoint.text(), timestamp))
        key = self.verifier_key
        return Signature(key.name, key.keyid, _TIME.pack(timestamp) + signature)


class Mldsa44Cosigner:
    """Signs checkpoints and subtrees with 0x06 cosignatures under one name.

    The signature is hedged: the same statement gets other bytes each time, all valid.

    Args:
        name: Key name, at most 255 bytes of UTF-8.
        seed: 32 secret bytes.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.verifier_key = VerifierKey.of(name, COSIGNATURE_MLDSA44, public)

    def cosign(self, checkpoint: Checkpoint, timestamp: int) -> Signature:
        """Return the signature line for a checkpoint at a time in seconds since the epoch.

        The caller has checked that the checkpoint is consistent with all it cosigned before.

        Raises:
            NoteError: If the checkpoint has extensions, which this type would leave unsigned.
        """
        if checkpoint.extensions:
            raise NoteError("This signature type does not cover extension lines.")
        return self.cosign_subtree(Subtree.of(checkpoint), timestamp)

    def cosign_subtree(self, subtree: Subtree, timestamp: int) -> Signature:
        """Return the signature line for a subtree; its time is 0 unless it starts at 0."""
        key = self.verifier_key
        signature = self._key.sign(mldsa44_message(key.name, subtree, timestamp))
        return Signature(key.name, key.keyid, _TIME.pack(timestamp) + signature)


def _prefixed(name: str) -> bytes:
    raw = name.encode("utf-8")
    if not 1 <= len(raw) <= _MAX_NAME_BYTES:
        raise NoteError("A cosigned name has 1 to 255 bytes.", name=name)
    return bytes((len(raw),)) + raw
