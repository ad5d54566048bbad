"""The statement: what an author signs, and how an entry must agree with it.

The author signs the exact bytes (DSSE). The clear fields stand in the entry's ``data`` unchanged;
personal values travel beside them, each person's under a commitment of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from ledger.entry import Entry
from ledger.errors import EntryError, StatementError
from ledger.jcs import are_same, canonical, parse

DERIVED = "derived"

_HEX32 = re.compile(r"[0-9a-f]{64}").fullmatch
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch

_MEMBERS = {
    "origin": str,
    "idempotency_key": str,
    "topic": str,
    "stream": str,
    "expected_version": int,
    "data": dict,
    "commitments": dict,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What an author signs of one event.

    Attributes:
        origin: Name of the log, so that nothing signed for one log enters another.
        idempotency_key: The author's own number of this write; used once, for ever.
        topic: Kind and version of the event.
        stream: Id of the aggregate.
        expected_version: Its newest version before this event, 0 for a new one.
        data: The clear fields, as they will stand in the entry, without ``derived``.
        commitments: For each person handle the HMAC over that person's sealed values, in hex.
    """

    origin: str
    idempotency_key: UUID
    topic: str
    stream: UUID
    expected_version: int
    data: Mapping[str, Any]
    commitments: Mapping[UUID, str]

    def encode(self) -> bytes:
        """Return the canonical bytes that are signed.

        Raises:
            EntryError: If the data is outside the canonical subset.
        """
        return canonical(
            {
                "origin": self.origin,
                "idempotency_key": str(self.idempotency_key),
                "topic": self.topic,
                "stream": str(self.stream),
                "expected_version": self.expected_version,
                "data": dict(self.data),
                "commitments": {str(who): digest for who, digest in self.commitments.items()},
            }
        )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read signed bytes, in any spelling of strict JSON.

        Raises:
            StatementError: With a JSON pointer to the first member that is not as it must be.
        """
        try:
            members = parse(payload)
        except EntryError as error:
            raise StatementError("The statement is not JSON.", pointer="") from error
        if type(members) is not dict or members.keys() != _MEMBERS.keys():
            raise StatementError("The statement has other members.", pointer="")
        for name, kind in _MEMBERS.items():
            if type(members[name]) is not kind:
                raise StatementError("A member has another type.", pointer=f"/{name}")
        if members["expected_version"] < 0:
            raise StatementError("A version counts from 0.", pointer="/expected_version")
        return cls(
            members["origin"],
            read_uuid(members["idempotency_key"], "/idempotency_key"),
            members["topic"],
            read_uuid(members["stream"], "/stream"),
            members["expected_version"],
            members["data"],
            {
                read_uuid(who, f"/commitments/{who}"): read_hex32(digest, f"/commitments/{who}")
                for who, digest in members["commitments"].items()
            },
        )

    def verify_entry(self, entry: Entry) -> None:
        """Compare an entry with this statement, field by field; ``data.derived`` is the server's.

        Raises:
            StatementError: Naming the first member that differs.
        """
        clear = {name: value for name, value in entry.data.items() if name != DERIVED}
        pairs = {
            "origin": (self.origin, entry.origin),
            "topic": (self.topic, entry.topic),
            "stream": (self.stream, entry.stream),
            "version": (self.expected_version + 1, entry.version),
            "data": (True, are_same(dict(self.data), clear)),
            "sealed": (
                {str(who) for who in self.commitments},
                {seal.subject for seal in entry.sealed},
            ),
        }
        for member, (signed, logged) in pairs.items():
            if signed != logged:
                raise StatementError("The entry is not what was signed.", pointer=f"/{member}")
        if DERIVED in self.data:
            raise StatementError("A server-made field was signed.", pointer=f"/data/{DERIVED}")


def possession_text(origin: str, organisation: UUID, public: bytes) -> bytes:
    """Return the bytes that a new key signs to prove that its private half is held."""
    return canonical(
        {"origin": origin, "organisation": str(organisation), "public_key": public.hex()}
    )


def read_uuid(value: Any, pointer: str) -> UUID:
    """Read a UUID in its one spelling: lower case, with hyphens.

    Raises:
        StatementError: For anything else.
    """
    if not isinstance(value, str) or _UUID(value) is None:
        raise StatementError("A UUID is in lower case with hyphens.", pointer=pointer)
    return UUID(value)


def read_hex32(value: Any, pointer: str) -> str:
    """Read 32 bytes as 64 lower-case hexadecimal digits.

    Raises:
        StatementError: For anything else.
    """
    if not isinstance(value, str) or _HEX32(value) is None:
        raise StatementError("64 lower-case hexadecimal digits are required.", pointer=pointer)
    return value
