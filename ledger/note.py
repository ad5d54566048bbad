"""Signed notes: a text and signature lines over it (C2SP signed-note).

    note    = text LF 1*sigline      ; text ends in LF and may hold empty lines
    sigline = U+2014 SP name SP base64(keyid[4] || signature) LF

A note's text means nothing until ``verify_note`` has named who signed it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.cosignature import Subtree, verify_ed25519_cosignature, verify_mldsa44_cosignature
from ledger.errors import NoteError
from ledger.signature import (
    COSIGNATURE_ED25519,
    COSIGNATURE_MLDSA44,
    ED25519,
    Signature,
    VerifierKey,
)
from ledger.treehead import Checkpoint

__all__ = [
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "Ed25519Signer",
    "Note",
    "Signature",
    "Verified",
    "VerifierKey",
    "verify_note",
]

MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000

_SEPARATOR = "\n\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note, not yet verified.

    Attributes:
        text: The signed text with its last newline.
        signatures: The signature lines in their order, at most 100.
    """

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a note.

        Raises:
            NoteError: If it is longer than 1,000,000 bytes, not UTF-8, holds a control character
                other than newline, or its last paragraph is not 1 to 100 signature lines.
        """
        if len(raw) > MAX_NOTE_BYTES:
            raise NoteError("A note is at most 1,000,000 bytes.", size=len(raw))
        try:
            whole = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NoteError("A note is UTF-8 text.") from error
        if any(char < " " and char != "\n" for char in set(whole)):
            raise NoteError("A note holds no control characters.")
        text, separator, lines = whole.rpartition(_SEPARATOR)
        if not separator or not lines.endswith("\n"):
            raise NoteError("A note is a text, an empty line and signature lines.")
        if lines.count("\n") > MAX_SIGNATURES:
            raise NoteError("A note has at most 100 signature lines.")
        return cls(text + "\n", tuple(Signature.parse(line) for line in lines[:-1].split("\n")))

    def encode(self) -> bytes:
        """Return the bytes of the note.

        Raises:
            NoteError: If text or signatures could not be read back.
        """
        if not self.text.endswith("\n") or not self.signatures:
            raise NoteError("A note is a text that ends in a newline, and signatures.")
        lines = "".join(signature.line() for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signatures(self, more: Iterable[Signature]) -> "Note":
        """Return the note with further signature lines, without repeating one it has."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that holds, and whose.

    Attributes:
        key: The verifier's own key.
        signature: The line.
        timestamp: Seconds since the epoch that a cosignature states, else None.
    """

    key: VerifierKey
    signature: Signature
    timestamp: int | None


class Ed25519Signer:
    """Signs notes with plain Ed25519 signatures (0x01) under one name.

    Args:
        name: Key name.
        seed: 32 secret bytes.
    """

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.verifier_key = VerifierKey.of(name, ED25519, public)

    def sign(self, text: str) -> Signature:
        """Return the signature line for a note text, which ends in a newline."""
        key = self.verifier_key
        return Signature(key.name, key.keyid, self._key.sign(text.encode("utf-8")))


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """Return the signatures of known keys, all of which hold.

    A key counts once, with its first line; further lines of the same key must hold as well.

    Args:
        note: The note.
        keys: The keys that the caller trusts, each for its name.

    Raises:
        NoteError: If a known key's signature does not hold, no known key signed, two known keys
            share name and key ID, or a known key has a type that only other software verifies.
    """
    # 1. A (name, key ID) pair must tell which key is meant.
    known = _by_identity(keys)
    verified: dict[VerifierKey, Verified] = {}
    for signature in note.signatures:
        # 2. Signatures of unknown keys are ignored, also if only name or only ID is known.
        key = known.get((signature.name, signature.keyid))
        if key is None:
            continue
        # 3. A known key's signature must hold, else the whole note is rejected.
        timestamp = _verify(key, note.text, signature)
        verified.setdefault(key, Verified(key, signature, timestamp))
    # 4. At least one known key signed.
    if not verified:
        raise NoteError("No known key signed this note.")
    return tuple(verified.values())


def _by_identity(keys: Iterable[VerifierKey]) -> Mapping[tuple[str, bytes], VerifierKey]:
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.keyid), key) != key:
            raise NoteError("Two known keys share name and key ID.", name=key.name)
    return known


def _verify(key: VerifierKey, text: str, signature: Signature) -> int | None:
    if key.type == ED25519:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(
                signature.blob, text.encode("utf-8")
            )
        except (InvalidSignature, ValueError) as error:
            raise NoteError("The signature of a known key does not fit.", name=key.name) from error
        return None
    if key.type == COSIGNATURE_ED25519:
        return verify_ed25519_cosignature(key.public, text, signature.blob)
    if key.type == COSIGNATURE_MLDSA44:
        subtree = Subtree.of(Checkpoint.parse(text))
        return verify_mldsa44_cosignature(key.public, key.name, subtree, signature.blob)
    raise NoteError("Signatures of this type are not verified here.", name=key.name, type=key.type)
