"""Personal values of entries, for those entitled: asked for with a purpose, opened if sealed.

Where the operator keeps a file of integrators' public keys, the answer comes sealed to ours (HPKE,
RFC 9180, mode base) and opens for this very request to this very log only.
"""

import json
from base64 import b64decode
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from client.errors import PersonalError
from client.exchange import Answer, Call, Patience, Pause, call
from ledger.entry import Entry
from ledger.envelope import commitment, decode_evidence
from ledger.errors import LedgerError, SealError
from ledger.hpke import open_sealed
from ledger.jcs import canonical
from ledger.statement import Statement

ADDRESS = "/v1/personal"
SUITE = "DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM"
"""What `suite` says of a sealed answer."""
MAX_POSITIONS = 500
MAX_RECORDS = 20


@dataclass(frozen=True, slots=True)
class PersonalPart:
    """What one entry has sealed of one person.

    Attributes:
        position: Of the entry.
        record: The record that the entry is about.
        person: The handle.
        values: As the author gave them; None where they are erased.
        salt: Of the commitment to them, 32 bytes; None where they are erased.
        evidence: What the author signed; None where the log has lost it.
    """

    position: int
    record: UUID
    person: UUID
    values: Mapping[str, Any] | None = field(repr=False)
    salt: bytes | None = field(repr=False)
    evidence: bytes | None = field(repr=False)

    def check(self, entry: Entry) -> None:
        """Prove that the author of a proven entry signed exactly these values.

        Whether the author's key was valid is what `vaxledger verify` says of the whole log.

        Args:
            entry: The one at `position`, as the feed or the log proved it.

        Raises:
            PersonalError: The values are others', of another entry or altered, or there is no
                evidence.
        """
        if self.values is None or self.salt is None or self.evidence is None:
            raise PersonalError("There is nothing to compare with what was signed.")
        if not compare_digest(sha256(self.evidence).hexdigest(), entry.author.envelope):
            raise PersonalError("The envelope is not the entry's.")
        try:
            signed = Statement.decode(decode_evidence(self.evidence).payload)
            opened = commitment(self.salt, self.values)
        except LedgerError as error:
            raise PersonalError from error
        if not compare_digest(opened, signed.commitments.get(self.person, "")):
            raise PersonalError("The values are not those that were signed.")


@dataclass(frozen=True, slots=True)
class Personal:
    """An answer.

    Attributes:
        parts: What was opened.
        refused: By position or record that was asked for: `not-found`, `restricted`, `erased`.
    """

    parts: tuple[PersonalPart, ...]
    refused: Mapping[int | UUID, str]


@dataclass(frozen=True, slots=True)
class PersonalQuestion:
    """What is asked, and why.

    Attributes:
        purpose: A code of the access journal, such as ``outbreak``.
        positions: Entries, at most 500; or
        records: records, at most 20, of which all entries are meant.
        key: Our private key, whose public half the operator has; then an answer in clear is
            refused. None where the operator seals nothing.
    """

    purpose: str
    positions: Sequence[int] = ()
    records: Sequence[UUID] = ()
    key: X25519PrivateKey | None = field(default=None, repr=False)

    def body(self) -> bytes:
        """Return the request's body."""
        if self.records:
            return canonical({"records": [str(record) for record in self.records]})
        return canonical({"positions": list(self.positions)})

    def read(self, origin: str, content: bytes) -> Personal:
        """Return what an answer says.

        Args:
            origin: Name of the log.
            content: The answer's body.

        Raises:
            PersonalError: It is none, does not open, or is in clear where it must not be.
        """
        try:
            given = json.loads(content)
            if self.key is not None:
                sealed = b64decode(given["sealed"], validate=True)
                given = json.loads(open_sealed(self.key, context(origin, self.body()), sealed))
            parts = tuple(_part(one) for one in given["parts"])
            return Personal(parts, {_item(one["item"]): one["reason"] for one in given["refused"]})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise PersonalError from error
        except SealError as error:
            raise PersonalError(error.message) from error


def context(origin: str, body: bytes) -> bytes:
    """Return what an answer is sealed for: the `info` of HPKE, RFC 8785 JSON.

    Args:
        origin: Name of the log.
        body: The request's body as it was sent.
    """
    request = sha256(body).hexdigest()
    return canonical({"context": "vaxledger personal.v1", "origin": origin, "request": request})


def asking(
    question: PersonalQuestion, origin: str, patience: Patience
) -> Generator[Call | Pause, Answer | None, Personal]:
    """Ask; raises as ``exchange.call`` and ``PersonalQuestion.read``."""
    headers = {"Content-Type": "application/json", "Access-Purpose": question.purpose}
    answer = yield from call(Call("POST", ADDRESS, headers, question.body()), patience)
    return question.read(origin, answer.content)


def _part(given: Mapping[str, Any]) -> PersonalPart:
    position, values = given["position"], given["values"]
    if type(position) is not int or not (values is None or type(values) is dict):
        raise PersonalError
    salt, evidence = given.get("r"), given.get("envelope")
    return PersonalPart(
        position,
        UUID(given["record"]),
        UUID(given["person"]),
        values,
        None if salt is None else bytes.fromhex(salt),
        None if evidence is None else evidence.encode(),
    )


def _item(given: object) -> int | UUID:
    return given if type(given) is int else UUID(str(given))
