"""Signing as an author: the key, the draft of a write, and the body that is sent."""

import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from client.errors import AuthorKeyError
from client.identifiers import new_id
from ledger.envelope import Evidence, commitment, keyid_of, sign_batch, sign_payload
from ledger.jcs import respell
from ledger.statement import Statement, possession_text

_SALT_BYTES = 32
_SEED = re.compile(rb"[0-9a-f]{64}\n?").fullmatch


@dataclass(frozen=True, slots=True)
class Draft:
    """A write that nobody has signed yet.

    Attributes:
        topic: Kind and version of the event.
        stream: Id of the aggregate; for a new one a UUIDv7 of the author's making.
        expected_version: Its newest version that the author knows, 0 for a new one.
        data: The clear fields.
        private: For each person handle the values that are to be sealed.
        idempotency_key: Names this write for ever; send the same draft again, never a new one.
            A UUIDv7 unless another is given: the log finds its place without reading the disk.
    """

    topic: str
    stream: UUID
    expected_version: int
    data: Mapping[str, Any]
    private: Mapping[UUID, Mapping[str, Any]] = field(default_factory=dict)
    idempotency_key: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class SignedWrite:
    """A signed statement with the private values that it commits to.

    Attributes:
        statement: What was signed.
        envelope: The signature over its exact bytes, or its place in a signed batch.
        private: As sent: for each person handle ``r`` (64 hex digits) and ``values``.
    """

    statement: Statement
    envelope: Evidence
    private: Mapping[str, Mapping[str, Any]]

    def body(self) -> bytes:
        """Return the JSON body of the request, of what was spelled strictly to be signed."""
        return respell({"envelope": self.envelope.to_json(), "private": dict(self.private)})


class AuthorKey:
    """The Ed25519 key that an organisation signs with.

    Args:
        organisation: Stream id of the organisation.
        key: Its private key.
    """

    def __init__(self, organisation: UUID, key: Ed25519PrivateKey) -> None:
        self.organisation = organisation
        self.public = key.public_key().public_bytes_raw()
        self.keyid = keyid_of(self.public)
        self._key = key

    @classmethod
    def from_seed(cls, organisation: UUID, seed: bytes) -> Self:
        """Return the key of a 32-byte seed.

        Raises:
            AuthorKeyError: If it has another length.
        """
        try:
            return cls(organisation, Ed25519PrivateKey.from_private_bytes(seed))
        except ValueError as error:
            raise AuthorKeyError("A seed has 32 bytes.", size=len(seed)) from error

    @classmethod
    def load(cls, organisation: UUID, path: Path, passphrase: bytes | None = None) -> Self:
        """Read a key file, which its owner alone may read: PKCS #8 PEM, or a seed in hex.

        An installation keeps its own keys as seeds, so the embedded operator signs with
        ``secrets/root`` as it lies there.

        Args:
            organisation: Stream id of the organisation.
            path: The file.
            passphrase: What it is encrypted under; None for a plain one.

        Raises:
            AuthorKeyError: If others may read it too, or it is no such key.
            OSError: If it cannot be read.
        """
        if path.stat().st_mode & 0o077:
            raise AuthorKeyError("Others may read this key file; chmod 600.", path=str(path))
        try:
            key = _read_key(path.read_bytes(), passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            kind = "a PEM key with this passphrase" if passphrase else "a PEM key or a seed in hex"
            raise AuthorKeyError(f"This is not {kind}.", path=str(path)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise AuthorKeyError("This is not an Ed25519 key.")
        return cls(organisation, key)

    def save(self, path: Path, passphrase: bytes | None = None) -> None:
        """Write the key as PEM, mode 0600; an existing file is never overwritten.

        Args:
            path: The file.
            passphrase: Encrypts it; None leaves it plain.

        Raises:
            FileExistsError: If there is one.
        """
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase)
            if passphrase
            else serialization.NoEncryption(),
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())

    def proof_of_possession(self, origin: str) -> str:
        """Return what a registration of this key carries as ``key_proof``: hex of 64 bytes.

        Args:
            origin: Name of the log that the key is registered in.
        """
        return self._key.sign(possession_text(origin, self.organisation, self.public)).hex()

    def derive(self, purpose: str) -> bytes:
        """Return 32 secret bytes that whoever holds this key can make again, and nobody else.

        Args:
            purpose: What they are for; another purpose gives other bytes.
        """
        # RFC 8032 signatures are deterministic. No signed text of ours begins with this line.
        return sha256(self._key.sign(f"vaxledger/derived\n{purpose}".encode())).digest()

    def sign(
        self, origin: str, draft: Draft, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> SignedWrite:
        """Sign a draft for a log.

        Args:
            origin: Name of the log.
            draft: The write.
            random: Source of the salts, one of 32 bytes for each person: one person's salt can
                be destroyed without leaving a way to test guesses about another.

        Raises:
            EntryError: If the values are outside the canonical subset.
        """
        statement, private = _stated(origin, draft, random)
        return SignedWrite(statement, sign_payload(statement.encode(), self._key), private)

    def sign_batch(
        self,
        origin: str,
        drafts: Sequence[Draft],
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> list[SignedWrite]:
        """Sign many drafts with one signature, over the RFC 9162 root of what they state.

        Each is submitted by itself, in any order, and proves alone.

        Args:
            origin: Name of the log.
            drafts: The writes, 1 to 65,536.
            random: As in ``sign``.

        Raises:
            EntryError: If the values are outside the canonical subset.
            EnvelopeError: If there are none or too many.
        """
        stated = [_stated(origin, draft, random) for draft in drafts]
        members = sign_batch([statement.encode() for statement, _ in stated], self._key)
        return [
            SignedWrite(statement, member, private)
            for (statement, private), member in zip(stated, members, strict=True)
        ]


def _read_key(raw: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    """Read a PEM key, or a plain 32-byte seed in hex; raises as the former does."""
    if passphrase is None and _SEED(raw):
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(raw.decode()))
    return serialization.load_pem_private_key(raw, passphrase)


def _stated(
    origin: str, draft: Draft, random: Callable[[int], bytes]
) -> tuple[Statement, dict[str, dict[str, Any]]]:
    """Return what is signed of a draft, and the values that it commits to as they are sent."""
    salts = {who: random(_SALT_BYTES) for who in draft.private}
    statement = Statement(
        origin,
        draft.idempotency_key,
        draft.topic,
        draft.stream,
        draft.expected_version,
        draft.data,
        {who: commitment(salts[who], values) for who, values in draft.private.items()},
    )
    private = {
        str(who): {"r": salts[who].hex(), "values": dict(values)}
        for who, values in draft.private.items()
    }
    return statement, private
