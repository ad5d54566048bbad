"""Identifiers of new things."""

import secrets
import time
from uuid import UUID

_VERSION_BITS = 0x7 << 76
_VARIANT_BITS = 0b10 << 62


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): milliseconds, then 74 random bits; index pages fill from the left."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return UUID(
        int=milliseconds << 80
        | _VERSION_BITS
        | (random >> 62) << 64
        | _VARIANT_BITS
        | random & ((1 << 62) - 1)
    )
