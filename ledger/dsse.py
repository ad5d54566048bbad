"""DSSE envelopes: a signature over exact bytes and their type (DSSE v1).

The payload's bytes are signed as they are and never serialised again to verify. The key ID in an
envelope is a hint: the key comes from the log's own register.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.ed25519 import check_public_key
from ledger.errors import EnvelopeError, KeyMaterialError
from ledger.members import (
    decode_document,
    encode_document,
    read_bytes,
    read_list,
    read_object,
    read_text,
)
from ledger.syntax import encode_base64

PAYLOAD_TYPE = "application/vnd.vaxledger.event+json"
MAX_SIGNATURES = 8

_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that a DSSE signature covers (DSSE v1, pre-authentication encoding)."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def keyid_of(public: bytes) -> str:
    """Return the key ID of a raw public key: its SHA-256, in hex."""
    return hashlib.sha256(public).hexdigest()


@dataclass(frozen=True, slots=True)
class Sig:
    """One signature of an envelope: key ID (64 hex digits, a hint) and signature bytes."""

    keyid: str
    sig: bytes

    def __post_init__(self) -> None:
        if _DIGEST(self.keyid) is None or not self.sig:
            raise EnvelopeError("A signature has a key ID of 64 hex digits.", keyid=self.keyid)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DSSE envelope, not yet verified.

    Attributes:
        payload: The signed bytes.
        payload_type: What they are.
        signatures: 1 to 8, each of another key.
    """

    payload: bytes
    payload_type: str
    signatures: tuple[Sig, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise EnvelopeError("An envelope has 1 to 8 signatures.", count=len(self.signatures))
        if len({one.keyid for one in self.signatures}) < len(self.signatures):
            raise EnvelopeError("A key signs an envelope once.")

    def encode(self) -> bytes:
        """Return the canonical bytes, whose SHA-256 an entry names.

        Raises:
            EnvelopeError: If they exceed 65,536 bytes.
        """
        return encode_document(self.to_json())

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read exactly what ``encode`` writes.

        Raises:
            EnvelopeError: For any other bytes.
        """
        return cls.from_json(decode_document(raw))

    def to_json(self) -> dict[str, Any]:
        """Return the envelope as a JSON object, its bytes in base64."""
        return {
            "payload": encode_base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": [
                {"keyid": one.keyid, "sig": encode_base64(one.sig)} for one in self.signatures
            ],
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read the JSON object, as it stands inside a request or a batch member.

        Raises:
            EnvelopeError: If members are missing, unknown or malformed.
        """
        members = read_object(value, {"payload", "payloadType", "signatures"})
        signatures = [
            read_object(one, {"keyid", "sig"}) for one in read_list(members["signatures"])
        ]
        return cls(
            read_bytes(members["payload"]),
            read_text(members["payloadType"]),
            tuple(Sig(read_text(one["keyid"]), read_bytes(one["sig"])) for one in signatures),
        )


def sign_payload(
    payload: bytes, key: Ed25519PrivateKey, payload_type: str = PAYLOAD_TYPE
) -> Envelope:
    """Return an envelope with one signature."""
    keyid = keyid_of(key.public_key().public_bytes_raw())
    signature = key.sign(pae(payload_type, payload))
    return Envelope(payload, payload_type, (Sig(keyid, signature),))


def verify_envelope(envelope: Envelope, public: bytes) -> None:
    """Verify that the owner of a key signed an envelope.

    Args:
        envelope: The envelope.
        public: The raw Ed25519 public key that the log's register names, never the envelope.

    Raises:
        EnvelopeError: If the key is weak, did not sign, or its signature does not fit.
    """
    # 1. The signature that claims to be this key's.
    keyid = keyid_of(public)
    signature = next((one.sig for one in envelope.signatures if one.keyid == keyid), None)
    if signature is None:
        raise EnvelopeError("This key did not sign the envelope.", keyid=keyid)
    # 2. It fits type and payload, byte for byte.
    verify_signature(public, signature, envelope.payload_type, envelope.payload)


def verify_signature(public: bytes, signature: bytes, payload_type: str, payload: bytes) -> None:
    """Verify one signature over a payload and its type.

    Raises:
        EnvelopeError: If the key is weak, or the signature does not fit.
    """
    try:
        _loaded(public).verify(signature, pae(payload_type, payload))
    except KeyMaterialError as error:
        raise EnvelopeError(error.message) from error
    except InvalidSignature as error:
        keyid = keyid_of(public)
        raise EnvelopeError("The author's signature does not fit.", keyid=keyid) from error


@lru_cache(maxsize=4096)
def _loaded(public: bytes) -> Ed25519PublicKey:
    check_public_key(public)  # under a weak key a signature says nothing
    return Ed25519PublicKey.from_public_bytes(public)
