"""Ending the certificate of a record because of what was decided about the record."""

from collections.abc import Callable
from uuid import UUID

from commands.reading import Reading
from commands.writing import HOLDER, Effect
from domain.certificate import Certificate
from domain.effect import Cause, OnBehalfOrCaused
from ledger.store.append import Claim


def release(
    reading: Reading,
    record: UUID,
    cause: Cause,
    reason: str,
    *,
    only: Callable[[Certificate], bool] = lambda _: True,
) -> tuple[list[Effect], list[Claim]]:
    """Release the certificate of a record, if somebody holds it; it may be claimed anew then.

    Args:
        reading: What the decision that it follows from rests on.
        record: The record.
        cause: The event that it follows from.
        reason: Why, as a code.
        only: Release it only where this holds of it.

    Returns:
        The events that follow, and what is given back with them.
    """
    effects, claims = [], []
    for _, stream in reading.services.reader.claims.holders([HOLDER], [record.bytes]):
        certificate = reading.load(Certificate, stream)
        if not only(certificate):
            continue
        certificate.release(
            derived=OnBehalfOrCaused(certificate.holder, cause),
            recorded_at=reading.recorded_at,
            reason=reason,
        )
        effects.append(Effect(certificate))
        claims.append(Claim(HOLDER, record.bytes, stream, release=True))
    return effects, claims
