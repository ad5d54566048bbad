"""The body of a signed write: the envelope, its statement, and the private parts by person."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commands.errors import CommitmentMismatch, MalformedStatement
from ledger.envelope import (
    BATCH_PAYLOAD_TYPE,
    PAYLOAD_TYPE,
    BatchMember,
    Evidence,
    commitment_to,
    read_evidence,
    signing_envelope,
)
from ledger.errors import LedgerError, StatementError
from ledger.jcs import respell
from ledger.statement import Statement, read_hex32, read_uuid


@dataclass(frozen=True, slots=True)
class PrivatePart:
    """One person's values and the 256-bit salt of the commitment to them."""

    r: bytes
    values: Mapping[str, Any]

    def plaintext(self) -> bytes:
        """What is sealed: the values with their salt.

        Whoever committed to the values has spelled them, so nothing is looked at again.
        """
        return respell({"r": self.r.hex(), "values": self.values})


@dataclass(frozen=True, slots=True)
class SignedBody:
    """An HTTP body or bulk line: the envelope, its statement, and the private parts by person.

    The envelope signs the statement alone, or a batch in which the statement has its place.

    Attributes:
        envelope: What the author signed.
        evidence: Its canonical bytes, which are stored.
        statement: What it states.
        private: The private parts by person.
    """

    envelope: Evidence
    evidence: bytes
    statement: Statement
    private: Mapping[UUID, PrivatePart]

    @classmethod
    def parse(cls, body: Any) -> "SignedBody":
        """Read `{envelope, private}` and check every commitment.

        Raises:
            MalformedStatement: wrong members, types or encodings.
            CommitmentMismatch: a private part does not open its commitment, or one is missing.
        """
        members = _mapping(body, "")
        if set(members) != {"envelope", "private"}:
            raise MalformedStatement(pointer="", reason="needs exactly: envelope, private")
        try:
            envelope = read_evidence(members["envelope"])
        except LedgerError as error:
            raise MalformedStatement(pointer="/envelope", reason=str(error)) from error
        kind = BATCH_PAYLOAD_TYPE if isinstance(envelope, BatchMember) else PAYLOAD_TYPE
        if signing_envelope(envelope).payload_type != kind:
            raise MalformedStatement(pointer="/envelope/payloadType", reason=kind)
        if len(signing_envelope(envelope).signatures) != 1:
            raise MalformedStatement(pointer="/envelope/signatures", reason="exactly one")
        try:
            statement = Statement.decode(envelope.payload)
            private = {
                read_uuid(who, f"/private/{who}"): _part(part, f"/private/{who}")
                for who, part in _mapping(members["private"], "/private").items()
            }
        except StatementError as error:
            raise MalformedStatement(reason=error.message, **error.fields) from error
        _check_commitments(statement, private)
        # Read strictly, it has one spelling: no need to make it anew from what was read.
        evidence = respell(members["envelope"])
        return cls(envelope, evidence, statement, private)

    @property
    def keyid(self) -> str:
        """The key that the one signature names."""
        return signing_envelope(self.envelope).signatures[0].keyid


def _check_commitments(statement: Statement, private: Mapping[UUID, PrivatePart]) -> None:
    if set(private) != set(statement.commitments):
        raise CommitmentMismatch(reason="persons differ")
    for who, part in private.items():
        opened = commitment_to(part.r, respell(part.values))
        if not hmac.compare_digest(opened, statement.commitments[who]):
            raise CommitmentMismatch(person=str(who))


def _part(raw: Any, pointer: str) -> PrivatePart:
    members = _mapping(raw, pointer)
    if set(members) != {"r", "values"}:
        raise MalformedStatement(pointer=pointer, reason="needs exactly: r, values")
    salt = read_hex32(members["r"], f"{pointer}/r")
    return PrivatePart(bytes.fromhex(salt), _mapping(members["values"], f"{pointer}/values"))


def _mapping(value: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedStatement(pointer=pointer, reason="an object")
    return value
