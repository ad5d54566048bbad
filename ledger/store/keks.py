"""Versions of the key-encryption key: secrets from outside all databases."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256


@dataclass(frozen=True)
class Kek:
    """One version.

    Attributes:
        number: Counted from 1; the greatest one wraps what is new.
        key: 32 secret bytes.
    """

    number: int
    key: bytes

    @cached_property
    def name(self) -> str:
        """What a wrapped key says of it: 16 hex digits of a digest, which tell nothing of it."""
        return sha256(b"vaxledger key-encryption key" + self.key).hexdigest()[:16]

    def __repr__(self) -> str:
        """Name the version and never the key."""
        return f"Kek({self.number}, {self.name})"
