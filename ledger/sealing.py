"""Sealing: personal values under a person's key, so that destroying the key erases them.

DESIGN section 6. Each blob has its own key, derived from the person's key, a random salt and the
place it belongs to (log, topic, stream, version, person), so a blob moved anywhere else does not
open. The blob also carries a commitment to its derived key, because AES-GCM alone would open
under more than one key.

    blob = 0x01 || salt[32] || commitment[32] || AES-256-GCM ciphertext and tag
"""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from ledger.errors import ErasedError, SealError
from ledger.jcs import canonical, respell

__all__ = [
    "ErasedError",
    "SealContext",
    "blind_index",
    "blob_digest",
    "seal",
    "unseal",
    "unwrap_key",
    "wrap_key",
]

KEY_BYTES = 32
SALT_BYTES = 32

_VERSION = b"\x01"
_COMMITMENT_BYTES = 32
_TAG_BYTES = 16
_HEAD_BYTES = len(_VERSION) + SALT_BYTES + _COMMITMENT_BYTES
_NONCE = bytes(12)  # each derived key seals exactly one value, so the nonce need not vary


@dataclass(frozen=True, slots=True)
class SealContext:
    """The one place where a blob opens.

    Attributes:
        origin: Name of the log.
        topic: Topic of the entry.
        stream: Stream of the entry.
        version: Version of the entry in its stream.
        subject: Random handle of the person, as UUID text.
    """

    origin: str
    topic: str
    stream: UUID
    version: int
    subject: str

    def info(self) -> bytes:
        """Return the context as canonical JSON, the "info" of the key derivation."""
        return respell(
            {
                "origin": self.origin,
                "stream": str(self.stream),
                "subject": self.subject,
                "topic": self.topic,
                "version": self.version,
            }
        )


def seal(person_key: bytes, salt: bytes, context: SealContext, plaintext: bytes) -> bytes:
    """Return the sealed blob of a value.

    Args:
        person_key: 256-bit key of the person.
        salt: 32 fresh random bytes, never used before.
        context: Where the value belongs.
        plaintext: The value.

    Raises:
        SealError: If key or salt has not 32 bytes.
    """
    if len(salt) != SALT_BYTES:
        raise SealError("A salt has 32 bytes.", size=len(salt))
    # 1. Key and commitment from one derivation.
    key, committed = _derive(person_key, salt, context)
    # 2. The context is in the key; nothing further is authenticated beside the value.
    return _VERSION + salt + committed + AESGCM(key).encrypt(_NONCE, plaintext, None)


def unseal(person_key: bytes, context: SealContext, blob: bytes) -> bytes:
    """Return the value of a sealed blob.

    Raises:
        SealError: If the blob is cut off, altered, sealed under another key, or belongs to
            another place.
    """
    # 1. Version and length.
    if not blob.startswith(_VERSION) or len(blob) < _HEAD_BYTES + _TAG_BYTES:
        raise SealError("This is not a sealed value.", size=len(blob))
    salt = blob[len(_VERSION) : len(_VERSION) + SALT_BYTES]
    # 2. The commitment first, in constant time: only this key, here.
    key, committed = _derive(person_key, salt, context)
    if not hmac.compare_digest(committed, blob[_HEAD_BYTES - _COMMITMENT_BYTES : _HEAD_BYTES]):
        raise SealError("The sealed value belongs to another key or place.")
    # 3. Then the value.
    try:
        return AESGCM(key).decrypt(_NONCE, blob[_HEAD_BYTES:], None)
    except InvalidTag as error:
        raise SealError("The sealed value was altered.") from error


def blob_digest(blob: bytes) -> str:
    """Return what an entry says of a blob: its SHA-256 in hex."""
    return hashlib.sha256(blob).hexdigest()


def wrap_key(kek: bytes, key: bytes) -> bytes:
    """Return a person's key wrapped under the key-encryption key (AES-KW, RFC 3394): 40 bytes.

    Raises:
        SealError: If one of them has not 32 bytes.
    """
    _check_key(kek)
    _check_key(key)
    return aes_key_wrap(kek, key)


def unwrap_key(kek: bytes, wrapped: bytes) -> bytes:
    """Return a person's key.

    Raises:
        SealError: If it was wrapped under another key-encryption key, or altered.
    """
    _check_key(kek)
    try:
        key = aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError) as error:
        raise SealError("The wrapped key does not open.") from error
    _check_key(key)
    return key


def blind_index(pepper: bytes, kind: str, normalised: str) -> bytes:
    """Return what a number is found by without being shown: 32 bytes.

    HMAC-SHA256(pepper, JCS({kind, normalised})), so that equal digits of two kinds of number
    differ.

    Args:
        pepper: 32 secret bytes that lie outside the databases.
        kind: Kind of number, such as ``id-card``.
        normalised: The number in its one spelling.

    Raises:
        SealError: If the pepper has not 32 bytes.
    """
    _check_key(pepper)
    return hmac.digest(pepper, canonical({"kind": kind, "normalised": normalised}), "sha256")


def _derive(person_key: bytes, salt: bytes, context: SealContext) -> tuple[bytes, bytes]:
    """Return the AES key and the commitment to it."""
    _check_key(person_key)
    length = KEY_BYTES + _COMMITMENT_BYTES
    okm = HKDF(SHA256(), length, salt, context.info()).derive(person_key)
    return okm[:KEY_BYTES], okm[KEY_BYTES:]


def _check_key(key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise SealError("A key has 32 bytes.", size=len(key))
