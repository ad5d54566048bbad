"""What of a certificate is carried and verified offline: which credentials were issued.

The log says of a credential where its status bit is, which state of the record it reflects and
until when it holds. What it shows is derived from the log again each time, so nothing personal
stands in these events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from domain.effect import OnBehalf
from domain.errors import DomainError
from domain.sealed import Fact
from domain.shape import Pattern, Size
from domain.vocabulary import Code, EntryType, Version

if TYPE_CHECKING:
    from domain.certificate import Certificate

KeyId = Annotated[str, Pattern("[0-9a-f]{16}")]
"""Which key signs: 8 bytes of a digest of its certificate."""

IssuerName = Annotated[str, Pattern("[A-Z]{2}(?:-[0-9A-Z]{1,9})?")]
"""A country (ISO 3166) and a division of it, such as `CN-320600`."""

StatusNumber = Annotated[int, Size(0, 2**31 - 1)]


class Content(StrEnum):
    """What a credential shows."""

    HISTORY = "history"
    SCHOOL_VERDICT = "school-verdict"


class UnknownCredential(DomainError):
    """The certificate has no such credential in force."""

    code = "unknown_credential"
    zh = "该电子预防接种证没有此有效凭证。"


@dataclass(frozen=True)
class Credential:
    """A credential that was issued.

    Attributes:
        credential: its id, random.
        content: what it shows.
        status_list: number of the status list that speaks of it.
        status_index: its bit in that list.
        issuer: in whose name it is signed.
        key: which key signs it.
        reflects: last position of the log that it reflects.
        effective_on: civil day on which the record read so, or that was judged.
        issued_at: our clock.
        expires_on: first civil day on which it holds no more.
        entry_type: what a school verdict was asked for.
    """

    credential: UUID
    content: Content
    status_list: int
    status_index: int
    issuer: str
    key: str
    reflects: int
    effective_on: date
    issued_at: datetime
    expires_on: date
    entry_type: EntryType | None


class CredentialIssued(Fact):
    """A credential was issued, in place of others where their content was corrected (C-21).

    Attributes:
        credential: its id, random: neither a hash of it nor of its signature.
        content: what it shows.
        status_list: number of the status list that speaks of it.
        status_index: its bit in that list, drawn at random.
        issuer: in whose name it is signed.
        key: which key signs it.
        reflects: last position of the log that it reflects.
        effective_on: civil day on which the record read so, or that was judged.
        expires_on: first civil day on which it holds no more.
        supersedes: credentials that hold no more from this event on.
        entry_type: what a school verdict was asked for.
        corrections: corrections that made what it supersedes wrong; absent where an amended
            identity or nothing did.
    """

    TOPIC = "certificate.credential-issued.v1"

    credential: UUID
    content: Content
    status_list: StatusNumber
    status_index: StatusNumber
    issuer: IssuerName
    key: KeyId
    reflects: Version
    effective_on: date
    expires_on: date
    supersedes: Annotated[tuple[UUID, ...], Size(0, 64)]
    entry_type: EntryType | None = None
    corrections: Annotated[tuple[UUID, ...], Size(1, 64)] | None = None

    def apply(self, aggregate: Certificate) -> None:
        """The new one is in force, those that it supersedes are not."""
        for replaced in self.supersedes:
            del aggregate.credentials[replaced]
        aggregate.credentials[self.credential] = Credential(
            self.credential,
            self.content,
            self.status_list,
            self.status_index,
            self.issuer,
            self.key,
            self.reflects,
            self.effective_on,
            self.timestamp,
            self.expires_on,
            self.entry_type,
        )


class CredentialRevoked(Fact):
    """The holder let a credential hold no more, of a lost telephone or paper.

    Attributes:
        credential: which; its status bit is set from this event on, and nothing succeeds it.
        reason: why, as a code.
        derived: for whom the platform signed.
    """

    TOPIC = "certificate.credential-revoked.v1"

    credential: UUID
    reason: Code
    derived: OnBehalf

    def apply(self, aggregate: Certificate) -> None:
        """It is not in force any more."""
        del aggregate.credentials[self.credential]
