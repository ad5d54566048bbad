"""Who may write: organisations, their place in the hierarchy, and their signing keys."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.errors import DomainError
from domain.sealed import Fact, Sealed
from domain.vocabulary import Division, Hex32, Hex64, Name


class OrganisationKind(StrEnum):
    """What an organisation is (DESIGN section 7)."""

    OPERATOR = "operator"
    PLATFORM = "platform"
    PROVINCE_CDC = "province-cdc"
    CITY_CDC = "city-cdc"
    COUNTY_CDC = "county-cdc"
    TOWNSHIP = "township"
    CLINIC = "clinic"
    SCHOOL = "school"
    EDUCATION = "education"
    REGULATOR = "regulator"
    INTEGRATOR = "integrator"


class InstitutionType(StrEnum):
    """Which kind of school (S-1)."""

    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"


class Ownership(StrEnum):
    """Who runs a school: all are in scope, private ones too (S-1)."""

    PUBLIC = "public"
    PRIVATE = "private"


class RevocationReason(StrEnum):
    """Why a key is valid no longer."""

    LOST = "lost"
    COMPROMISED = "compromised"
    SUPERSEDED = "superseded"
    CLOSED = "closed"


class NotEntitledToRegister(DomainError):
    """This organisation may not register that one."""

    code = "not-entitled-to-register"
    zh = "该单位无权登记此单位。"


class NotAClinic(DomainError):
    """Only a clinic may do this."""

    code = "not-a-clinic"
    zh = "只有接种单位可以办理此项。"


class InstitutionTypeMissing(DomainError):
    """A school is registered with its type and ownership, and only a school."""

    code = "institution-type-missing"
    zh = "托幼机构、学校须登记机构类型和办学性质，其他单位不得填写。"


class KeyProofMissing(DomainError):
    """A public key comes with a proof of possession, and a proof with its key."""

    code = "key-proof-missing"
    zh = "登记公钥须同时提供私钥持有证明。"


class KeyAlreadyRegistered(DomainError):
    """The organisation has had this key before; a revoked key never comes back."""

    code = "key-already-registered"
    zh = "该密钥曾经登记过，已吊销的密钥不得再次登记。"


class KeyNotRegistered(DomainError):
    """The organisation has no valid key of this id."""

    code = "key-not-registered"
    zh = "该单位没有此有效密钥。"


@dataclass(frozen=True)
class SigningKey:
    """A key of an organisation and the versions of its stream between which it is valid.

    Attributes:
        keyid: SHA-256 of the 32-byte public key, 64 hexadecimal digits.
        public_key: the Ed25519 public key, 64 hexadecimal digits.
        since: version of the organisation's stream that registered it.
        until: version that revoked it, or None while it is valid.
        reason: why it was revoked.
    """

    keyid: str
    public_key: str
    since: int
    until: int | None = None
    reason: RevocationReason | None = None


REGISTERED_BY_COUNTY_CDC = frozenset(
    {OrganisationKind.TOWNSHIP, OrganisationKind.CLINIC, OrganisationKind.SCHOOL}
)
"""Kinds that the CDC of their county registers (DESIGN section 7); the operator registers any."""

COUNTY_DIGITS = 6


def key_id(public_key: str) -> str:
    """The id of a key: SHA-256 of its 32 bytes; both as hexadecimal digits."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()


def _may_register(registrar: Organisation | None, kind: OrganisationKind, division: str) -> bool:
    if registrar is None or kind is OrganisationKind.OPERATOR:
        return registrar is None and kind is OrganisationKind.OPERATOR
    if registrar.kind is OrganisationKind.OPERATOR:
        return True
    return (
        registrar.kind is OrganisationKind.COUNTY_CDC
        and kind in REGISTERED_BY_COUNTY_CDC
        and division[:COUNTY_DIGITS] == registrar.division[:COUNTY_DIGITS]
    )


class Organisation(BaseAggregate[UUID]):
    """An organisation: who registered it, what it is, where it stands, which keys sign for it."""

    TOPIC = "organisation"
    Event = Fact

    def __init__(self, name: str, kind: OrganisationKind, division: str) -> None:
        self.name = name
        self.kind = kind
        self.division = division
        self.name_en: str | None = None
        self.parent: UUID | None = None
        self.institution_type: InstitutionType | None = None
        self.ownership: Ownership | None = None
        self.keys: dict[str, SigningKey] = {}

    def is_key_valid(self, keyid: str, version: int | None = None) -> bool:
        """Whether a key signs for this organisation, now or at a version of its stream."""
        key = self.keys.get(keyid)
        if key is None:
            return False
        if version is None:
            return key.until is None
        return key.since <= version and (key.until is None or version < key.until)

    @classmethod
    def register(
        cls,
        stream: UUID,
        *,
        registrar: Organisation | None,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> Self:
        """Register an organisation.

        Args:
            stream: id of the new stream.
            registrar: who registers it; None for the operator, who signs for itself and opens
                the log.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `organisation.registered.v1`.

        Raises:
            DomainError: NotEntitledToRegister, InstitutionTypeMissing or KeyProofMissing.
        """
        kind: OrganisationKind = fields["kind"]
        if not _may_register(registrar, kind, fields["division"]):
            raise NotEntitledToRegister(kind=kind.value, division=fields["division"])
        is_school = kind is OrganisationKind.SCHOOL
        for name in ("institution_type", "ownership"):
            if (fields.get(name) is not None) is not is_school:
                raise InstitutionTypeMissing(field=name)
        if (fields.get("public_key") is None) is not (fields.get("key_proof") is None):
            raise KeyProofMissing
        if registrar is None and fields.get("public_key") is None:
            raise KeyProofMissing(reason="the root key opens the log")
        return cls._create(
            event_class=cls.Registered, id=stream, timestamp=recorded_at, sealed=sealed, **fields
        )

    def register_key(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Register a further signing key, its proof of possession verified by the caller.

        Raises:
            KeyAlreadyRegistered: the organisation has or had this key.
        """
        keyid = key_id(fields["public_key"])
        if keyid in self.keys:
            raise KeyAlreadyRegistered(keyid=keyid)
        self.trigger_event(self.KeyRegistered, timestamp=recorded_at, sealed=sealed, **fields)

    def revoke_key(
        self, *, recorded_at: datetime, sealed: tuple[Sealed, ...] = (), **fields: Any
    ) -> None:
        """Revoke a signing key from this version on.

        Raises:
            KeyNotRegistered: the organisation has no valid key of this id.
        """
        if not self.is_key_valid(fields["keyid"]):
            raise KeyNotRegistered(keyid=fields["keyid"])
        self.trigger_event(self.KeyRevoked, timestamp=recorded_at, sealed=sealed, **fields)

    def add_key(self, public_key: str, since: int) -> None:
        """Let a key sign from a version on."""
        keyid = key_id(public_key)
        self.keys[keyid] = SigningKey(keyid, public_key, since)

    def end_key(self, keyid: str, until: int, reason: RevocationReason) -> None:
        """Let a key sign before a version only."""
        self.keys[keyid] = replace(self.keys[keyid], until=until, reason=reason)

    class Registered(Fact, AggregateCreated):
        """An organisation was registered, by its county CDC or the operator (DESIGN section 7).

        Attributes:
            name: full name in Chinese.
            kind: what it is.
            division: where it stands, or the area it is responsible for.
            name_en: name in English.
            parent: organisation above it in the hierarchy.
            institution_type: kindergarten or primary school; schools only.
            ownership: public or private; schools only.
            public_key: its first Ed25519 key.
            key_proof: Ed25519 signature by that key over the JCS of
                `{"origin", "organisation", "public_key"}`.
        """

        TOPIC = "organisation.registered.v1"

        name: Name
        kind: OrganisationKind
        division: Division
        name_en: Name | None = None
        parent: UUID | None = None
        institution_type: InstitutionType | None = None
        ownership: Ownership | None = None
        public_key: Hex32 | None = None
        key_proof: Hex64 | None = None

        def apply(self, aggregate: Organisation) -> None:
            """Take the particulars and the first key."""
            aggregate.name_en = self.name_en
            aggregate.parent = self.parent
            aggregate.institution_type = self.institution_type
            aggregate.ownership = self.ownership
            if self.public_key is not None:
                aggregate.add_key(self.public_key, self.originator_version)

    class KeyRegistered(Fact):
        """A further signing key was registered, with proof of possession.

        Attributes:
            public_key: the Ed25519 public key.
            key_proof: Ed25519 signature by that key over the JCS of
                `{"origin", "organisation", "public_key"}`.
        """

        TOPIC = "organisation.key-registered.v1"

        public_key: Hex32
        key_proof: Hex64

        def apply(self, aggregate: Organisation) -> None:
            """The key is valid from this version on."""
            aggregate.add_key(self.public_key, self.originator_version)

    class KeyRevoked(Fact):
        """A signing key is valid no longer; what it signed before stays valid.

        Attributes:
            keyid: SHA-256 of the public key.
            reason: why.
        """

        TOPIC = "organisation.key-revoked.v1"

        keyid: Hex32
        reason: RevocationReason

        def apply(self, aggregate: Organisation) -> None:
            """The key is valid before this version only."""
            aggregate.end_key(self.keyid, self.originator_version, self.reason)
