"""Opening sealed values with a person's key, and comparing them with what was committed to."""

import hmac
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.second.entries import HEX32, Entry, matches, members_of
from tests.second.findings import Wrong, demand
from tests.second.json_text import read, write

SALT, COMMITMENT, TAG = 32, 32, 16


def expand(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return HKDF-SHA256 (RFC 5869)."""
    prk = hmac.digest(salt, key, "sha256")
    made = block = b""
    counter = 1
    while len(made) < length:
        block = hmac.digest(prk, block + info + bytes([counter]), "sha256")
        made, counter = made + block, counter + 1
    return made[:length]


def place(entry: Entry, subject: str) -> bytes:
    """Return the HKDF info that ties a blob to its place in the log."""
    names = ("origin", "topic", "stream", "version")
    return write({name: getattr(entry, name) for name in names} | {"subject": subject})


def open_blob(key: bytes, info: bytes, blob: bytes) -> bytes:
    """Return the plaintext of a blob; Wrong if key, place or bytes are others."""
    demand(len(blob) >= 1 + SALT + COMMITMENT + TAG and blob[0] == 1, "blob", "not a sealed value")
    salt, committed = blob[1 : 1 + SALT], blob[1 + SALT : 1 + SALT + COMMITMENT]
    derived = expand(key, salt, info, 64)
    demand(hmac.compare_digest(derived[32:], committed), "blob", "of another key or place")
    try:
        return AESGCM(derived[:32]).decrypt(bytes(12), blob[1 + SALT + COMMITMENT :], None)
    except InvalidTag:
        raise Wrong("blob", "its ciphertext was altered") from None


@dataclass(frozen=True)
class Opening:
    """The values of one person in one entry, and the salt of their commitment."""

    salt: bytes
    values: dict[str, Any]

    @classmethod
    def parse(cls, plaintext: bytes) -> "Opening":
        """Read what a blob holds."""
        try:
            value = read(plaintext)
        except ValueError as reason:
            raise Wrong("blob", str(reason)) from None
        fields = members_of(value, {"r", "values"}, "blob")
        demand(matches(HEX32, fields["r"]), "blob", "not a salt")
        demand(isinstance(fields["values"], dict), "blob", "values are no object")
        return cls(bytes.fromhex(fields["r"]), fields["values"])

    def commitment(self) -> str:
        """Return what the author's statement must hold for the person."""
        return hmac.digest(self.salt, write(self.values), "sha256").hex()
