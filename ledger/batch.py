"""Batches: one author signature for many payloads.

What is signed is the RFC 9162 root over the payloads and their number. Each event keeps its
payload and path, so that it proves alone, without its neighbours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.dsse import Envelope, sign_payload, verify_envelope
from ledger.errors import EnvelopeError, ProofError
from ledger.hashing import leaf_hash
from ledger.jcs import canonical, respell
from ledger.members import (
    decode_document,
    encode_document,
    read_bytes,
    read_count,
    read_list,
    read_object,
    read_text,
)
from ledger.merkle import inclusion_proofs, verify_inclusion
from ledger.syntax import encode_base64

BATCH_PAYLOAD_TYPE = "application/vnd.vaxledger.batch+json"
MAX_BATCH = 65_536

_HASH_TEXT = 44
"""Characters of a hash in base64."""

_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch


@dataclass(frozen=True, slots=True)
class BatchMember:
    """One line of a signed batch, with all that proves it alone.

    Attributes:
        envelope: The envelope that signs the batch's root and size.
        index: Place of the line, from 0.
        size: Number of lines.
        path: Inclusion proof of the line, its sibling first.
        payload: The line's payload, what an author would sign for a single event.
    """

    envelope: Envelope
    index: int
    size: int
    path: tuple[bytes, ...]
    payload: bytes

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
        """Return the member as a JSON object, its bytes in base64."""
        return {
            "envelope": self.envelope.to_json(),
            "index": self.index,
            "path": [encode_base64(one) for one in self.path],
            "payload": encode_base64(self.payload),
            "size": self.size,
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read the decoded JSON object.

        Raises:
            EnvelopeError: If members are missing, unknown or malformed.
        """
        members = read_object(value, {"envelope", "index", "path", "payload", "size"})
        return cls(
            _read_envelope(respell(members["envelope"])),
            read_count(members["index"]),
            read_count(members["size"]),
            tuple([_read_hash(one) for one in read_list(members["path"])]),
            read_bytes(members["payload"]),
        )


def sign_batch(payloads: Sequence[bytes], key: Ed25519PrivateKey) -> tuple[BatchMember, ...]:
    """Return the members of a batch, one for each payload, under one signature.

    Raises:
        EnvelopeError: If there are none or more than 65,536.
    """
    if not 1 <= len(payloads) <= MAX_BATCH:
        raise EnvelopeError("A batch has 1 to 65,536 lines.", size=len(payloads))
    size = len(payloads)
    root, paths = inclusion_proofs([leaf_hash(payload) for payload in payloads])
    statement = canonical({"root": root.hex(), "size": size})
    envelope = sign_payload(statement, key, BATCH_PAYLOAD_TYPE)
    return tuple(
        BatchMember(envelope, index, size, tuple(path), payload)
        for index, (path, payload) in enumerate(zip(paths, payloads, strict=True))
    )


def verify_batch_member(member: BatchMember, public: bytes) -> None:
    """Verify that the owner of a key signed a batch that holds this payload at this place.

    Raises:
        EnvelopeError: If the key did not sign, what it signed is no batch, or the payload is not
            in it there.
    """
    # 1. The envelope is a batch's, signed, and states root and size.
    signed_root, size = _signed_tree(member.envelope, public)
    if size != member.size:
        raise EnvelopeError("The batch is of another size.", size=size)
    # 2. The path leads from the payload to that root.
    leaf = leaf_hash(member.payload)
    try:
        verify_inclusion(member.index, size, leaf, member.path, signed_root)
    except ProofError as error:
        raise EnvelopeError("The payload is not in the batch at this place.") from error


def _read_hash(value: Any) -> bytes:
    text = read_text(value)
    # What else it may be is refused later; it could be long, and nothing long is kept.
    return _read_kept(text) if len(text) == _HASH_TEXT else read_bytes(text)


@lru_cache(maxsize=4096)
def _read_kept(text: str) -> bytes:
    """Read a hash; lines of one batch share half of their paths."""
    return read_bytes(text)


@lru_cache(maxsize=64)
def _read_envelope(raw: bytes) -> Envelope:
    """Read the envelope of a batch; lines of one batch come together."""
    return Envelope.decode(raw)


@lru_cache(maxsize=64)
def _signed_tree(envelope: Envelope, public: bytes) -> tuple[bytes, int]:
    """Return root and size that a batch's envelope signs; lines of one batch come together."""
    if envelope.payload_type != BATCH_PAYLOAD_TYPE:
        raise EnvelopeError("This envelope signs no batch.", type=envelope.payload_type)
    verify_envelope(envelope, public)
    statement = read_object(decode_document(envelope.payload), {"root", "size"})
    signed_root, size = read_text(statement["root"]), read_count(statement["size"])
    if _DIGEST(signed_root) is None or size > MAX_BATCH:
        raise EnvelopeError("The batch's statement is malformed.", size=size)
    return bytes.fromhex(signed_root), size
