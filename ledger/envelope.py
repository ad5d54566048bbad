"""Evidence: what an author signed for one event, alone or in a batch, and what it commits to.

What is stored is one canonical byte string, a DSSE envelope or a batch member, whose SHA-256 an
entry names as ``author.envelope``.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from ledger.batch import (
    BATCH_PAYLOAD_TYPE,
    MAX_BATCH,
    BatchMember,
    sign_batch,
    verify_batch_member,
)
from ledger.dsse import (
    PAYLOAD_TYPE,
    Envelope,
    Sig,
    keyid_of,
    pae,
    sign_payload,
    verify_envelope,
)
from ledger.ed25519 import check_public_key
from ledger.errors import EnvelopeError
from ledger.jcs import canonical
from ledger.members import MAX_ENVELOPE_BYTES, decode_document

__all__ = [
    "BATCH_PAYLOAD_TYPE",
    "MAX_BATCH",
    "MAX_ENVELOPE_BYTES",
    "PAYLOAD_TYPE",
    "BatchMember",
    "Envelope",
    "Evidence",
    "Sig",
    "check_public_key",
    "commitment",
    "commitment_to",
    "decode_evidence",
    "keyid_of",
    "pae",
    "read_evidence",
    "sign_batch",
    "sign_payload",
    "signing_envelope",
    "verify_batch_member",
    "verify_envelope",
    "verify_evidence",
]

_SALT_BYTES = 32

Evidence = Envelope | BatchMember


def commitment(r32: bytes, private: Mapping[str, Any]) -> str:
    """Return what a payload says of values it does not show: HMAC-SHA256(r32, JCS(private)).

    Args:
        r32: 32 secret random bytes, sealed together with the values; without them nothing can be
            guessed from the result, not even a value with few possibilities.
        private: The values.

    Raises:
        EnvelopeError: If ``r32`` has not 32 bytes.
        EntryError: If the values are outside the canonical subset.
    """
    return commitment_to(r32, canonical(dict(private)))


def commitment_to(r32: bytes, spelled: bytes) -> str:
    """Likewise, of values whose canonical bytes are at hand.

    Raises:
        EnvelopeError: If ``r32`` has not 32 bytes.
    """
    if len(r32) != _SALT_BYTES:
        raise EnvelopeError("A commitment is made under 32 random bytes.", size=len(r32))
    return hmac.digest(r32, spelled, "sha256").hex()


def decode_evidence(raw: bytes) -> Evidence:
    """Read stored evidence: an envelope or a batch member.

    Raises:
        EnvelopeError: If it is neither, byte for byte.
    """
    return read_evidence(decode_document(raw))


def read_evidence(value: Any) -> Evidence:
    """Read the JSON object of an envelope or of a batch member, as a request holds it.

    Raises:
        EnvelopeError: If it is neither.
    """
    if isinstance(value, dict) and "envelope" in value:
        return BatchMember.from_json(value)
    return Envelope.from_json(value)


def signing_envelope(evidence: Evidence) -> Envelope:
    """Return the envelope that carries the signature: of the event itself, or of its batch."""
    return evidence.envelope if isinstance(evidence, BatchMember) else evidence


def verify_evidence(evidence: Evidence, public: bytes) -> bytes:
    """Return the payload of an event's statement, signed alone or in a batch.

    Raises:
        EnvelopeError: If the key's owner did not sign it as an event's statement.
    """
    if isinstance(evidence, BatchMember):
        verify_batch_member(evidence, public)
        return evidence.payload
    # A batch's own statement must not pass for an event's.
    if evidence.payload_type != PAYLOAD_TYPE:
        raise EnvelopeError("This envelope signs no event.", type=evidence.payload_type)
    verify_envelope(evidence, public)
    return evidence.payload
