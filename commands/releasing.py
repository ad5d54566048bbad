"""Ending the certificate of a record because of what was decided about the record."""

from uuid import UUID

from commands.writing import HOLDER, Effect, Writing
from domain.certificate import Certificate
from domain.effect import Cause, OnBehalfOrCaused
from ledger.store.append import Claim


def release(
    writing: Writing, record: UUID, cause: Cause, reason: str, *, holder: UUID | None = None
) -> tuple[list[Effect], list[Claim]]:
    """Release the certificate of a record, if somebody holds it; it may be claimed anew then.

    Args:
        writing: The write that it follows from.
        record: The record.
        cause: The event that it follows from.
        reason: Why, as a code.
        holder: Release it only where this person holds it; None whoever does.

    Returns:
        The events that follow, and what is given back with them.
    """
    effects, claims = [], []
    for _, stream in writing.services.reader.claims.holders([HOLDER], [record.bytes]):
        certificate = writing.load(Certificate, stream)
        if holder not in (None, certificate.holder):
            continue
        certificate.release(
            derived=OnBehalfOrCaused(certificate.holder, cause),
            recorded_at=writing.recorded_at,
            reason=reason,
        )
        effects.append(Effect(certificate))
        claims.append(Claim(HOLDER, record.bytes, stream, release=True))
    return effects, claims
