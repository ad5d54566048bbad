"""The electronic vaccination certificate: who holds it and whom its holder lets use it (C)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from eventsourcing.domain import AggregateCreated, BaseAggregate

from domain.calendar import civil_day
from domain.claim import ClaimFacts, ClaimPolicy, check_claim
from domain.credential import (
    Credential,
    CredentialIssued,
    CredentialRevoked,
    UnknownCredential,
)
from domain.effect import OnBehalf, OnBehalfOrCaused
from domain.errors import DomainError
from domain.grant import (
    AdultNotGrantable,
    AlreadyGranted,
    Grant,
    GrantEnded,
    GrantLimit,
    GrantRelation,
    GrantToHolder,
    Scope,
    UnknownGrant,
)
from domain.sealed import Fact, Sealed
from domain.shape import Size
from domain.vocabulary import Code, Division, Hex16, PersonKind


@dataclass(frozen=True)
class Issued:
    """The electronic identifier, and for whom the platform signed.

    Attributes:
        identifier: 16 random bytes; it says nothing of an identity number (C-3).
        on_behalf_of: handle of the person who claimed, identified by the platform.
    """

    identifier: Hex16
    on_behalf_of: UUID


class NotClaimed(DomainError):
    """Nobody holds this certificate any more."""

    code = "not_claimed"
    zh = "该电子预防接种证尚未申领或已放弃。"


class NotHolder(DomainError):
    """Only the holder may do this."""

    code = "not_holder"
    zh = "只有持有人可以办理此项。"


class Certificate(BaseAggregate[UUID]):
    """One holder's electronic certificate for one record."""

    TOPIC = "certificate"
    Event = Fact

    CredentialIssued = CredentialIssued
    CredentialRevoked = CredentialRevoked

    def __init__(self, record: UUID, kind: PersonKind, division: str, holder: UUID) -> None:
        self.record = record
        self.kind = kind
        self.division = division
        self.holder = holder
        self.identifier = ""
        self.grants: dict[UUID, Grant] = {}
        self.credentials: dict[UUID, Credential] = {}
        self.is_released = False

    def active_grants(self, day: date) -> tuple[Grant, ...]:
        """The grants that hold on a civil day; none once the certificate is released."""
        if self.is_released:
            return ()
        return tuple(grant for grant in self.grants.values() if grant.is_active_on(day))

    @classmethod
    def claim(
        cls,
        stream: UUID,
        *,
        facts: ClaimFacts,
        policy: ClaimPolicy,
        derived: Issued,
        recorded_at: datetime,
        **fields: Any,
    ) -> Self:
        """Claim a certificate for its one holder (C-12, C-14).

        Args:
            stream: id of the new stream.
            facts: what is known of claimant and record.
            policy: the rules in force.
            derived: identifier and claimant; `derived.on_behalf_of` becomes the holder.
            recorded_at: our clock.
            **fields: clear fields of `certificate.claimed.v1`.

        Raises:
            DomainError: NotHolder or any of `claim.check_claim`.
        """
        if fields["holder"] != derived.on_behalf_of:
            raise NotHolder
        check_claim(facts, policy, civil_day(recorded_at))
        return cls._create(
            event_class=cls.Claimed, id=stream, timestamp=recorded_at, derived=derived, **fields
        )

    def grant(
        self,
        *,
        policy: ClaimPolicy,
        derived: OnBehalf,
        recorded_at: datetime,
        sealed: tuple[Sealed, ...] = (),
        **fields: Any,
    ) -> None:
        """Let another person use a child's certificate (C-15 to C-18).

        The grantee's handle is found by identity number, so that one person has one handle.

        Args:
            policy: the rules in force.
            derived: who asks; only the holder may.
            recorded_at: our clock.
            sealed: sealed parts.
            **fields: clear fields of `certificate.granted.v1`.

        Raises:
            DomainError: NotClaimed, NotHolder, AdultNotGrantable, GrantToHolder, AlreadyGranted,
                GrantLimit or GrantEnded.
        """
        today = civil_day(recorded_at)
        self._check_holder(derived)
        if self.kind is PersonKind.ADULT:
            raise AdultNotGrantable
        if fields["grantee"] == self.holder:
            raise GrantToHolder
        active = self.active_grants(today)
        if fields["grant"] in self.grants or any(
            grant.grantee == fields["grantee"] for grant in active
        ):
            raise AlreadyGranted
        if len(active) >= policy.max_grants:
            raise GrantLimit(limit=policy.max_grants)
        ends_on: date | None = fields.get("ends_on")
        if ends_on is not None and ends_on < today:
            raise GrantEnded(ends_on=ends_on.isoformat())
        self.trigger_event(
            self.Granted, timestamp=recorded_at, sealed=sealed, derived=derived, **fields
        )

    def revoke_grant(self, *, derived: OnBehalf, recorded_at: datetime, **fields: Any) -> None:
        """Take a grant back.

        Raises:
            DomainError: NotClaimed, NotHolder, UnknownGrant or GrantEnded.
        """
        self._check_holder(derived)
        grant = self.grants.get(fields["grant"])
        if grant is None:
            raise UnknownGrant
        if grant.revoked:
            raise GrantEnded
        self.trigger_event(self.GrantRevoked, timestamp=recorded_at, derived=derived, **fields)

    def release(self, *, derived: OnBehalfOrCaused, recorded_at: datetime, **fields: Any) -> None:
        """Give the certificate up, and all grants with it; the record may be claimed anew.

        Raises:
            DomainError: NotClaimed or NotHolder.
        """
        self._check_holder(derived)
        self.trigger_event(self.Released, timestamp=recorded_at, derived=derived, **fields)

    def issue_credential(self, *, recorded_at: datetime, **fields: Any) -> None:
        """Issue a credential, in place of those that it supersedes.

        Args:
            recorded_at: our clock.
            **fields: clear fields of `certificate.credential-issued.v1`.

        Raises:
            DomainError: NotClaimed, or UnknownCredential for one that is not in force.
        """
        if self.is_released:
            raise NotClaimed
        if not self.credentials.keys() >= set(fields["supersedes"]):
            raise UnknownCredential
        self.trigger_event(self.CredentialIssued, timestamp=recorded_at, **fields)

    def revoke_credential(self, *, derived: OnBehalf, recorded_at: datetime, **fields: Any) -> None:
        """Let a credential hold no more.

        Raises:
            DomainError: NotClaimed, NotHolder, or UnknownCredential for one that is not in force.
        """
        self._check_holder(derived)
        if fields["credential"] not in self.credentials:
            raise UnknownCredential
        self.trigger_event(self.CredentialRevoked, timestamp=recorded_at, derived=derived, **fields)

    def end_grant(self, grant: UUID) -> None:
        """Keep a grant in the history, revoked."""
        self.grants[grant] = replace(self.grants[grant], revoked=True)

    def _check_holder(self, derived: OnBehalf) -> None:
        if self.is_released:
            raise NotClaimed
        if derived.on_behalf_of != self.holder:
            raise NotHolder

    class Claimed(Fact, AggregateCreated):
        """A certificate was claimed by its one holder (C-12, C-14).

        Attributes:
            record: stream of the vaccination record.
            kind: whether it is a child's or an adult's.
            division: division of the organisation that manages the record.
            holder: handle of the person who holds it.
            derived: the electronic identifier, and for whom the platform signed.
        """

        TOPIC = "certificate.claimed.v1"

        record: UUID
        kind: PersonKind
        division: Division
        holder: UUID
        derived: Issued

        def apply(self, aggregate: Certificate) -> None:
            """Take the identifier."""
            aggregate.identifier = self.derived.identifier

    class Granted(Fact):
        """The holder let another person use the certificate (C-16, C-17).

        Attributes:
            grant: id of the grant.
            grantee: handle of the person it is for.
            relation: what that person is to the child.
            scope: what that person may do.
            derived: for whom the platform signed.
            ends_on: last civil day on which it holds.
        """

        TOPIC = "certificate.granted.v1"

        grant: UUID
        grantee: UUID
        relation: GrantRelation
        scope: Annotated[tuple[Scope, ...], Size(1, 3)]
        derived: OnBehalf
        ends_on: date | None = None

        def apply(self, aggregate: Certificate) -> None:
            """Add the grant."""
            aggregate.grants[self.grant] = Grant(
                self.grant, self.grantee, self.relation, self.scope, self.ends_on
            )

    class GrantRevoked(Fact):
        """The holder took a grant back.

        Attributes:
            grant: which grant.
            derived: for whom the platform signed.
        """

        TOPIC = "certificate.grant-revoked.v1"

        grant: UUID
        derived: OnBehalf

        def apply(self, aggregate: Certificate) -> None:
            """The grant stays in the history, revoked."""
            aggregate.end_grant(self.grant)

    class Released(Fact):
        """The holder gave the certificate up; another may claim one for the record.

        Attributes:
            reason: why, as a code.
            derived: for whom the platform signed, and why where nobody asked.
        """

        TOPIC = "certificate.released.v1"

        reason: Code
        derived: OnBehalfOrCaused

        def apply(self, aggregate: Certificate) -> None:
            """Final: its grants end with it."""
            aggregate.is_released = True
