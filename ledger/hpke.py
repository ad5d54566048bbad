"""Sealing bytes to a public key, so that only its holder reads them: HPKE (RFC 9180), mode base.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; one message a context. It says nothing of who
sealed: whoever needs that asks over TLS.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ledger.errors import SealError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def public_key(raw: bytes) -> X25519PublicKey:
    """Return a key to seal to.

    Raises:
        SealError: If it has not 32 bytes, or is of low order: what is sealed to such a key opens
            for everyone.
    """
    try:
        key = X25519PublicKey.from_public_bytes(raw)
        X25519PrivateKey.generate().exchange(key)
    except ValueError as error:
        raise SealError("This is not an X25519 public key.") from error
    return key


def seal_to(key: X25519PublicKey, info: bytes, plaintext: bytes) -> bytes:
    """Return the encapsulated key (32 bytes) and the ciphertext behind it.

    Args:
        key: Whose holder shall read it.
        info: What it opens for; not secret, and part of neither.
        plaintext: What is sealed.
    """
    return _SUITE.encrypt(plaintext, key, info)


def open_sealed(key: X25519PrivateKey, info: bytes, sealed: bytes) -> bytes:
    """Return what ``seal_to`` sealed.

    Raises:
        SealError: If it was sealed to another key, for something else, or altered.
    """
    try:
        return _SUITE.decrypt(sealed, key, info)
    except (InvalidTag, ValueError) as error:
        raise SealError("The answer does not open.") from error
