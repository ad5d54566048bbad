"""Writes that are the same bytes in every run: one sent again is answered as what stands."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import UUID

from cli.demo.actors import Author
from cli.demo.writes import Write
from client.signing import Draft, SignedWrite


def write(
    author: Author,
    topic: str,
    stream: UUID,
    version: int,
    data: Mapping[str, Any],
    private: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> Write:
    """Return a write whose idempotency key follows from what it does to which version."""
    digest = sha256(f"simulation/{topic}/{stream}/{version}".encode()).digest()
    key = UUID(bytes=digest[:16], version=4)
    return Write(author, Draft(topic, stream, version, data, private or {}, key))


def signed(one: Write) -> SignedWrite:
    """Sign a write under salts that are its own for ever, and that only its author can make."""
    key = one.author.key
    secret = key.derive(f"salts/{one.draft.idempotency_key}")
    return key.sign(one.author.client.caller.trust.origin, one.draft, _salts(secret))


def _salts(secret: bytes) -> Callable[[int], bytes]:
    numbers = count()
    return lambda size: sha256(secret + bytes([next(numbers)])).digest()[:size]
